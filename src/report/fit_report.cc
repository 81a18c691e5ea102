// SPDX-License-Identifier: Apache-2.0
#include "report/fit_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "base/terminal.h"
#include "record/quality_text.h"
#include "report/fit_rows.h"
#include "report/lines.h"

namespace modicum {
namespace {

constexpr size_t kClassesShown = 8;

std::string Join(const std::vector<std::string>& parts,
                 std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

// A column's unit, one for all rows so that they compare at a glance.
struct Unit {
  std::string name;
  double factor = 1;
};

// The unit in which the dearest row that was measured is below a thousand.
template <class Q>
Unit UnitFor(const std::vector<const CandidateRow*>& rows,
             std::optional<Estimate<Q>> CandidateRow::*figure,
             std::string_view base) {
  double most = 0;
  for (const CandidateRow* row : rows)
    if (!row->reference && row->*figure)
      most = std::max(most, (row->*figure)->mid.value());
  if (most <= 0 || most >= 1) return {std::string(base), 1};
  if (most >= 1e-3) return {"m" + std::string(base), 1e3};
  return {"µ" + std::string(base), 1e6};
}

template <class Q>
std::string Cell(const std::optional<Estimate<Q>>& estimate, const Unit& unit) {
  if (!estimate) return "-";
  const Interval ends = estimate->interval();
  return fmt::format(
      "{} {}", FormatNumber(estimate->mid.value() * unit.factor),
      FormatInterval({ends.low * unit.factor, ends.high * unit.factor}));
}

std::string QualityCell(const CandidateRow& row) {
  if (!row.quality) return "-";
  return FormatQualityFigure(*row.quality) +
         (row.quality->split == "test" ? " test" : " val");
}

// A reference has a unit of its own: it is often a million times as much.
std::string EnergyCell(const CandidateRow& row, const Unit& unit) {
  if (!row.joules_per_1000) return "-";
  if (!row.reference) return Cell(row.joules_per_1000, unit);
  const Interval ends = row.joules_per_1000->interval();
  std::string cell = FormatWithUnit(row.joules_per_1000->mid.value(), "J");
  if (ends.low != ends.high)  // a source may state no interval
    cell += fmt::format(" [{}, {}]", FormatWithUnit(ends.low, "J"),
                        FormatWithUnit(ends.high, "J"));
  return cell + (row.planned ? " PLANNED" : " PUBLISHED");
}

bool HasFront(const FitResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(),
                     [](const CandidateRow& row) { return row.pareto; });
}

// The key rows with the first few references; the page shows all.
std::vector<const CandidateRow*> TerminalRows(const FitResult& result) {
  constexpr size_t kMostReferences = 3;
  std::vector<const CandidateRow*> rows = KeyRows(result);
  size_t references = 0;
  std::erase_if(rows, [&](const CandidateRow* row) {
    return row->reference && ++references > kMostReferences;
  });
  return rows;
}

// What the table's bullets mean, and how many rows it leaves out.
std::string TableNote(const FitResult& result) {
  std::vector<std::string> parts;
  if (HasFront(result))
    parts.push_back("• no other model is both better and cheaper");
  const size_t more = result.rows.size() - TerminalRows(result).size();
  if (more > 0)
    parts.push_back(fmt::format("{} more in the report", FormatCount(more)));
  return parts.empty() ? "" : fmt::format("  {}\n", fmt::join(parts, "; "));
}

// For a terminal: the size and a reference's scope are said elsewhere.
Table CandidateTable(const FitResult& result) {
  const auto rows = TerminalRows(result);
  const Unit energy = UnitFor(rows, &CandidateRow::joules_per_1000, "J");
  const Unit cpu = UnitFor(rows, &CandidateRow::cpu_seconds_per_1000, "s");
  const bool front = HasFront(result);
  Table table({{front ? "  model" : "model", Align::kLeft},
               {result.metric + " [95 %]", Align::kLeft},
               {energy.name + " per 1,000 [90 %]", Align::kLeft},
               {"CPU " + cpu.name + " per 1,000", Align::kLeft},
               {"verdict", Align::kLeft}});
  for (const CandidateRow* row : rows)
    table.AddRow({(row->pareto ? "• "
                   : front     ? "  "
                               : "") +
                      row->name,
                  QualityCell(*row), EnergyCell(*row, energy),
                  Cell(row->cpu_seconds_per_1000, cpu), row->reason});
  return table;
}

std::string TryCell(const CandidateRow& row) {
  if (row.reference || !(row.search_joules.mid > Joules(0))) return "-";
  return Cell(std::optional(row.search_joules), Unit{"J", 1});
}

// For a file: one unit always, and every column.
Table WholeTable(const FitResult& result) {
  Table table({{"model", Align::kLeft},
               {result.metric + " [95 %]", Align::kLeft},
               {"J per 1,000 [90 %]", Align::kLeft},
               {"CPU-s per 1,000", Align::kLeft},
               {"size", Align::kRight},
               {"passes", Align::kLeft},
               {"Pareto", Align::kLeft},
               {"J to try it [90 %]", Align::kLeft},
               {"verdict", Align::kLeft}});
  for (const CandidateRow& row : result.rows)
    table.AddRow({row.name, QualityCell(row), EnergyCell(row, Unit{"J", 1}),
                  Cell(row.cpu_seconds_per_1000, Unit{"s", 1}),
                  row.bytes > Bytes(0) ? FormatBytes(row.bytes) : "-",
                  row.passes.empty() ? "-" : Join(row.passes, "; "),
                  row.pareto ? "yes" : "no", TryCell(row),
                  row.scope_note.empty() ? row.reason
                                         : row.reason + "; " + row.scope_note});
  return table;
}

std::string ClassesText(const FitResult& result) {
  const auto& all = result.classes;
  if (all.size() <= kClassesShown) return Join(all, ", ");
  return fmt::format("{} classes: {} and {} more", all.size(),
                     fmt::join(all.begin(), all.begin() + kClassesShown, ", "),
                     all.size() - kClassesShown);
}

std::string TaskLine(const FitResult& result) {
  std::string text = fmt::format(
      "{}: {} items ({}), {} near-duplicates kept together; train {}, "
      "validation {}, test {} opened once; seed {}",
      result.task, FormatCount(result.items), ClassesText(result),
      FormatCount(result.near_duplicates), FormatCount(result.train_items),
      FormatCount(result.validation_items), FormatCount(result.test_items),
      result.seed);
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
  std::string made;
  if (!row.passes.empty()) made += ", passes " + Join(row.passes, "; ");
  if (!row.stages.empty()) made += ", stages " + Join(row.stages, "; ");
  std::string text = fmt::format(
      "{}{}, {}; per 1,000 predictions: {}, {} of CPU time, {}", row.name, made,
      FormatBytes(row.bytes), FormatEstimate(*row.joules_per_1000),
      FormatWithUnit(row.cpu_seconds_per_1000->mid.value(), "s"),
      FormatEstimate(*row.g_co2e_per_1000));
  if (row.money_per_1000)
    text +=
        fmt::format(", {} of electricity", FormatMoney(*row.money_per_1000));
  if (row.price_per_1000)
    text += fmt::format(", {} to the endpoint by its price list",
                        FormatMoney(*row.price_per_1000));
  text += fmt::format("; latency p50 {}, p95 {}; {} predictions a second",
                      FormatWithUnit(row.latency_p50.value(), "s"),
                      FormatWithUnit(row.latency_p95.value(), "s"),
                      FormatNumber(row.predictions_per_second));
  return text;
}

// "; 14 of 120 candidates tried".
std::string TriedText(const FitResult& result) {
  const auto tried =
      std::count_if(result.rows.begin(), result.rows.end(),
                    [](const CandidateRow& row) { return !row.reference; });
  if (result.space <= static_cast<uint64_t>(tried)) return {};
  return fmt::format("; {} of {} candidates tried", tried,
                     FormatCount(result.space));
}

std::string SearchLine(const FitResult& result) {
  std::string text =
      fmt::format("{} in {}", FormatEstimate(result.search_joules),
                  FormatDuration(result.search_seconds)) +
      TriedText(result);
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
  std::string text = fmt::format(
      "a month of this machine kept alive {}, of all predictions {}",
      WattHours(*result.idle_month), WattHours(*result.predict_month));
  if (result.idle_month->mid > result.predict_month->mid)
    text += ": batch the predictions or share the machine";
  return text;
}

std::string RepeatsLine(const FitResult& result) {
  const auto shown = KeyRows(result);
  std::vector<std::string> parts;
  size_t more = 0;
  for (const CandidateRow& row : result.rows) {
    if (row.contended == 0 || row.contended >= row.repeats) continue;
    if (std::find(shown.begin(), shown.end(), &row) == shown.end())
      ++more;
    else
      parts.push_back(fmt::format(
          "{} {} of {} (with them {} J)", row.name, row.contended, row.repeats,
          FormatNumber(row.joules_per_1000_all->mid.value())));
  }
  if (more > 0)
    parts.push_back(fmt::format("some of {} {}", more,
                                parts.empty() ? "models" : "more models"));
  return Join(parts, "; ");
}

std::string ReferenceLines(const FitResult& result) {
  std::string text;
  for (const CandidateRow* row : TerminalRows(result)) {
    if (!row->reference) continue;
    std::string about = row->name;
    if (!row->scope_note.empty()) about += "; scope " + row->scope_note;
    if (!row->source.empty()) about += "; " + row->source;
    text += Line("reference", about);
  }
  return text;
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
  text += '\n' + CandidateTable(result).Text("  ") + TableNote(result) + '\n';
  for (const CandidateRow& row : result.rows)
    if (row.name == result.chosen) text += Line("chosen", ChosenLine(row));
  text += Line("search", SearchLine(result));
  text += Line("idle", IdleLine(result));
  text += Line("contended", RepeatsLine(result));
  for (const std::string& change : result.changes)
    text += Line("changes", change);
  for (const std::string& note : result.notes) text += Line("note", note);
  text += Line("missing", Join(result.missing, "; "));
  text += ReferenceLines(result);
  if (!result.artifact.empty()) text += Line("artifact", result.artifact);
  return text + '\n' + Wrapped(result.verdict, kTextColumns, 0) + '\n';
}

std::string FormatFitCsv(const FitResult& result) {
  return WholeTable(result).Csv();
}

std::string FormatFitMarkdown(const FitResult& result) {
  return fmt::format("# {}\n\n{}: {}\n\n{}\n\n{}\n\n{}\n", result.task,
                     result.machine, result.energy_note,
                     WholeTable(result).Markdown(), SearchLine(result),
                     result.verdict);
}

}  // namespace modicum
