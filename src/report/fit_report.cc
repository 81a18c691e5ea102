// SPDX-License-Identifier: Apache-2.0
#include "report/fit_report.h"

#include <fmt/format.h>

#include "base/format.h"
#include "base/terminal.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

template <class Q>
std::string Cell(const std::optional<Estimate<Q>>& estimate) {
  if (!estimate) return "-";
  return fmt::format("{} {}", FormatNumber(estimate->mid.value()),
                     FormatInterval(estimate->interval()));
}

std::string QualityCell(const CandidateRow& row) {
  if (!row.quality) return "-";
  return FormatQualityFigure(*row.quality) +
         (row.quality->split == "test" ? " test" : " val");
}

std::string EnergyCell(const CandidateRow& row) {
  if (!row.joules_per_1000) return "-";
  if (row.joules_per_1000->sd() == 0)  // a source that states no interval
    return fmt::format("{} {}", FormatNumber(row.joules_per_1000->mid.value()),
                       row.planned ? "PLANNED" : "PUBLISHED");
  std::string cell = Cell(row.joules_per_1000);
  if (row.reference) cell += row.planned ? " PLANNED" : " PUBLISHED";
  return cell;
}

std::string VerdictCell(const CandidateRow& row) {
  if (!row.reference) return row.reason;
  std::string cell = row.reason;
  if (!row.scope_note.empty()) cell += "; " + row.scope_note;
  return cell;
}

Table CandidateTable(const FitResult& result) {
  Table table({{"model", Align::kLeft},
               {result.metric + " [95 %]", Align::kLeft},
               {"J per 1,000 [90 %]", Align::kLeft},
               {"CPU-s per 1,000", Align::kLeft},
               {"size", Align::kRight},
               {"verdict", Align::kLeft}});
  for (const CandidateRow& row : result.rows)
    table.AddRow({row.name, QualityCell(row), EnergyCell(row),
                  Cell(row.cpu_seconds_per_1000),
                  row.bytes > Bytes(0) ? FormatBytes(row.bytes) : "-",
                  VerdictCell(row)});
  return table;
}

std::string Join(const std::vector<std::string>& parts,
                 std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

// "label    text\n"; nothing when there is no text.
std::string Line(std::string_view label, const std::string& text) {
  return text.empty() ? "" : fmt::format("{:<11}{}\n", label, text);
}

std::string TaskLine(const FitResult& result) {
  std::string text = fmt::format(
      "{}: {} items ({}), {} near-duplicates kept together; train {}, "
      "validation {}, test {} opened once; seed {}",
      result.task, result.items, Join(result.classes, ", "),
      result.near_duplicates, result.train_items, result.validation_items,
      result.test_items, result.seed);
  if (result.smallest_detectable_loss > 0)
    text += fmt::format(
        "; smallest detectable loss {}",
        FormatQualityLoss(result.metric, result.smallest_detectable_loss));
  if (result.volume > 0)
    text +=
        fmt::format("; {} predictions a month", FormatNumber(result.volume, 6));
  return text;
}

std::string ChosenLine(const CandidateRow& row) {
  std::string text =
      fmt::format("{} per 1,000 predictions: {}, {} CPU-s, {}", row.name,
                  FormatEstimate(*row.joules_per_1000),
                  FormatNumber(row.cpu_seconds_per_1000->mid.value()),
                  FormatEstimate(*row.g_co2e_per_1000));
  if (row.money_per_1000)
    text +=
        fmt::format(", {} of electricity", FormatMoney(*row.money_per_1000));
  text += fmt::format("; latency p50 {}, p95 {}; {} predictions a second",
                      FormatWithUnit(row.latency_p50.value(), "s"),
                      FormatWithUnit(row.latency_p95.value(), "s"),
                      FormatNumber(row.predictions_per_second));
  return text;
}

std::string SearchLine(const FitResult& result) {
  std::string text =
      fmt::format("{} in {}", FormatEstimate(result.search_joules),
                  FormatDuration(result.search_seconds));
  if (result.payback)
    text +=
        fmt::format("; repaid after {} predictions {} against {} ({})",
                    FormatNumber(result.payback->mid),
                    FormatInterval({result.payback->low, result.payback->high}),
                    result.baseline, result.baseline_rule);
  else if (!result.payback_reason.empty() && !result.baseline.empty())
    text += fmt::format("; payback against {} ({}): {}", result.baseline,
                        result.baseline_rule, result.payback_reason);
  return text;
}

std::string IdleLine(const FitResult& result) {
  if (!result.idle_month || !result.predict_month) return {};
  const double idle = InKilowattHours(result.idle_month->mid);
  const double work = InKilowattHours(result.predict_month->mid);
  std::string text = fmt::format(
      "this machine kept alive {} kWh a month ({}), all predictions {} kWh",
      FormatNumber(idle), OriginName(result.idle_month->origin),
      FormatNumber(work));
  if (idle > work) text += ": batch the predictions or share the machine";
  return text;
}

std::string RepeatsLine(const FitResult& result) {
  std::vector<std::string> parts;
  for (const CandidateRow& row : result.rows)
    if (row.contended > 0 && row.contended < row.repeats)
      parts.push_back(fmt::format(
          "{} {} of {} (with them {} J)", row.name, row.contended, row.repeats,
          FormatNumber(row.joules_per_1000_all->mid.value())));
  return Join(parts, ", ");
}

}  // namespace

std::string FormatFit(const FitResult& result) {
  std::string text =
      Line("machine",
           result.machine +
               (result.energy_note.empty() ? "" : ": " + result.energy_note));
  text += Line("place", result.place);
  text += Line("task", TaskLine(result));
  text += Line("needs", result.requirement);
  text += '\n' + CandidateTable(result).Text("  ") + '\n';
  for (const CandidateRow& row : result.rows)
    if (row.name == result.chosen) text += Line("chosen", ChosenLine(row));
  text += Line("search", SearchLine(result));
  text += Line("idle", IdleLine(result));
  text += Line("contended", RepeatsLine(result));
  for (const std::string& note : result.notes) text += Line("note", note);
  text += Line("missing", Join(result.missing, ", "));
  if (!result.artifact.empty()) text += Line("artifact", result.artifact);
  return text + '\n' + result.verdict + '\n';
}

std::string FormatFitCsv(const FitResult& result) {
  return CandidateTable(result).Csv();
}

std::string FormatFitMarkdown(const FitResult& result) {
  return fmt::format("# {}\n\n{}: {}\n\n{}\n\n{}\n\n{}\n", result.task,
                     result.machine, result.energy_note,
                     CandidateTable(result).Markdown(), SearchLine(result),
                     result.verdict);
}

}  // namespace modicum
