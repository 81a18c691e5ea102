// SPDX-License-Identifier: Apache-2.0
#include "report/html_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "record/comparable.h"
#include "record/quality_text.h"
#include "report/columns.h"
#include "report/fit_plots.h"
#include "report/fit_rows.h"
#include "report/html.h"

namespace modicum {
namespace {

// A verdict's first sentence is what people came for.
std::pair<std::string, std::string> FirstSentence(const std::string& text) {
  const size_t end = text.find(". ");
  if (end == std::string::npos) return {text, ""};
  return {text.substr(0, end + 1), text.substr(end + 2)};
}

std::string HeadOf(const FitResult& result) {
  const auto [first, rest] = FirstSentence(result.verdict);
  std::string html = Element("p class=\"kick\"", "Just enough AI: a fit") +
                     "\n" + Element("h1", result.task) + "\n" +
                     Element("p class=\"lead\"", first) + "\n";
  return rest.empty() ? html : html + Element("p", rest) + "\n";
}

// A figure in large, with its interval and origin below.
std::string Stat(std::string_view name, std::string_view text,
                 std::string_view scope) {
  size_t end = text.find(" [");
  if (end == std::string_view::npos) end = text.rfind(' ');
  if (text.starts_with("under ")) end = text.size();
  const std::string_view rest =
      end < text.size() ? text.substr(end + 1) : std::string_view{};
  return Wrap("div",
              Element("dt", name) +
                  Wrap("dd", Element("div class=\"big\"", text.substr(0, end)) +
                                 Element("span", rest) +
                                 Element("span", scope))) +
         "\n";
}

std::string EnergyStat(const FitResult& result, const CandidateRow& row) {
  const auto& energy = *row.joules_per_1000;
  std::string scope = "90 %, " + std::string(ScopeName(energy.scope));
  if (result.energy_ratio)
    scope += fmt::format("; {} needs {} as much", result.baseline,
                         FormatRatio(*result.energy_ratio));
  return Stat("per 1,000 predictions", EstimateText(energy), scope);
}

std::string CpuStat(const FitResult& result, const CandidateRow& row) {
  std::string scope = "90 %, process, CPU time";
  if (result.cpu_ratio)
    scope += fmt::format("; {} needs {} as much", result.baseline,
                         FormatRatio(*result.cpu_ratio));
  return Stat("CPU time per 1,000", EstimateText(*row.cpu_seconds_per_1000),
              scope);
}

std::string StatsOf(const FitResult& result) {
  const CandidateRow* row = ChosenRowOf(result);
  if (row == nullptr) return {};
  std::string html;
  if (row->quality)
    html += Stat(
        result.metric, FormatQualityFigure(*row->quality),
        fmt::format("95 %, on {} {} items", FormatCount(row->quality->items),
                    row->quality->split));
  if (row->joules_per_1000) html += EnergyStat(result, *row);
  if (row->cpu_seconds_per_1000) html += CpuStat(result, *row);
  if (row->g_co2e_per_1000)
    html += Stat("carbon per 1,000", EstimateText(*row->g_co2e_per_1000),
                 "90 %, " + result.place);
  return Wrap("dl class=\"stats\"", html) + "\n";
}

std::string ItemsText(const FitResult& result) {
  std::string text = fmt::format(
      "{} items, {} near-duplicates kept together; train {}, validation {}, "
      "test {}",
      FormatCount(result.items), FormatCount(result.near_duplicates),
      FormatCount(result.train_items), FormatCount(result.validation_items),
      FormatCount(result.test_items));
  if (result.smallest_detectable_loss > 0)
    text += fmt::format(
        "; smallest detectable loss {}",
        FormatQualityLoss(result.metric, result.smallest_detectable_loss));
  return text;
}

std::string ClassesOf(const FitResult& result) {
  constexpr size_t kShown = 12;
  if (result.classes.size() <= kShown) return JoinTexts(result.classes);
  const std::vector<std::string> first(result.classes.begin(),
                                       result.classes.begin() + kShown);
  return fmt::format("{}; and {} more", JoinTexts(first),
                     result.classes.size() - kShown);
}

std::string FactsOf(const FitResult& result) {
  const std::string hash = ToHex(result.data_hash);
  std::string month;
  if (result.volume > 0)
    month = FormatNumber(result.volume, 6) + " predictions a month";
  return FactList({
      {"needed", EscapeHtml(result.requirement)},
      {"data",
       EscapeHtml(result.data) + "<br>" + EscapeHtml(ItemsText(result)) +
           "<br><span class=\"mu\">SHA-256 <code>" + hash + "</code></span>"},
      {"classes", EscapeHtml(ClassesOf(result))},
      {"volume", month},
      {"machine", EscapeHtml(result.machine)},
      {"energy", EscapeHtml(result.energy_note)},
      {"place", EscapeHtml(result.place)},
      {"made",
       EscapeHtml(
           result.created +
           (result.version.empty() ? "" : ", modicum " + result.version) +
           fmt::format(", seed {}", result.seed))},
  });
}

std::string PhasesOf(const CandidateRow& row) {
  std::string text;
  for (const auto& [phase, share] : row.phase_share)
    if (share >= 0.005)
      text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ",
                          PhaseName(phase), 100 * share);
  return text;
}

std::string RepeatsOf(const CandidateRow& row) {
  if (row.contended == 0) return fmt::format("{}, none contended", row.repeats);
  return row.contended < row.repeats
             ? fmt::format("{}, {} contended and set aside", row.repeats,
                           row.contended)
             : fmt::format("{}, all contended: the figures are with them",
                           row.repeats);
}

std::string CardOf(const FitResult& result) {
  const CandidateRow* row = ChosenRowOf(result);
  if (row == nullptr) return {};
  Facts facts{
      {"model", EscapeHtml(row->name)},
      {"parameters", EscapeHtml(row->params)},
      {"passes", EscapeHtml(JoinTexts(row->passes))},
      {"stages", EscapeHtml(JoinTexts(row->stages))},
      {"engine", EscapeHtml(row->engine)},
      {"size", FormatBytes(row->bytes) +
                   (row->parameters == 0
                        ? ""
                        : ", " + FormatCount(row->parameters) + " weights")}};
  facts.push_back({"latency, one item",
                   fmt::format("p50 {}, p95 {}, measured",
                               FormatWithUnit(row->latency_p50.value(), "s"),
                               FormatWithUnit(row->latency_p95.value(), "s"))});
  facts.push_back({"throughput", FormatNumber(row->predictions_per_second) +
                                     " predictions a second"});
  facts.push_back({"CPU time by phase", PhasesOf(*row)});
  if (row->peak_memory)
    facts.push_back({"peak memory", FormatBytes(*row->peak_memory) +
                                        " of the process, data included"});
  if (row->train_joules)
    facts.push_back({"training", EscapeHtml(EstimateText(*row->train_joules)) +
                                     ", " + FormatDuration(row->train_cpu) +
                                     " of CPU time"});
  if (row->joules_per_correct)
    facts.push_back({"per correct answer",
                     EscapeHtml(EstimateText(*row->joules_per_correct))});
  if (row->money_per_1000)
    facts.push_back({"electricity per 1,000",
                     EscapeHtml(FormatMoney(*row->money_per_1000))});
  if (row->price_per_1000)
    facts.push_back({"the endpoint's price per 1,000",
                     EscapeHtml(FormatMoney(*row->price_per_1000))});
  facts.push_back({"repeats", RepeatsOf(*row)});
  facts.push_back({"not deterministic", EscapeHtml(row->not_deterministic)});
  facts.push_back({"artifact", EscapeHtml(result.artifact)});
  return Element("h2", "The chosen model") + "\n" + FactList(facts);
}

std::string PaybackText(const FitResult& result) {
  std::string text = fmt::format("The search took {} in {}",
                                 EstimateText(result.search_joules),
                                 FormatDuration(result.search_seconds));
  size_t tried = 0;
  for (const CandidateRow& row : result.rows) tried += row.reference ? 0 : 1;
  if (result.space > tried)
    text += fmt::format("; {} of {} candidates were tried", tried,
                        FormatCount(result.space));
  if (result.payback)
    text += fmt::format(
        ". It is repaid after {} predictions {} (90 %) against {} ({}).",
        FormatNumber(result.payback->mid),
        FormatInterval({result.payback->low, result.payback->high}),
        result.baseline, result.baseline_rule);
  else if (!result.payback_reason.empty())
    text += fmt::format(". Payback against {} ({}): {}.", result.baseline,
                        result.baseline_rule, result.payback_reason);
  else
    text += ".";
  return text;
}

std::string ModelCell(const FitResult& result, const CandidateRow& row) {
  std::string html =
      row.name == result.chosen ? Element("b", row.name) : EscapeHtml(row.name);
  if (!row.params.empty()) html += Element("small", row.params);
  if (!row.passes.empty()) html += Element("small", JoinTexts(row.passes));
  if (!row.stages.empty())
    html += Element("small", "stages: " + JoinTexts(row.stages));
  if (row.reference) html += Element("small", row.source);
  return html;
}

std::string QualityHtmlCell(const CandidateRow& row) {
  std::string html;
  if (row.quality)
    html =
        TwoLines(FormatQualityFigure(*row.quality) + " " + row.quality->split);
  if (row.validation &&
      (!row.quality || row.quality->split != row.validation->split))
    html += Element("small", FormatQualityFigure(*row.validation) + " " +
                                 row.validation->split);
  return html.empty() ? "-" : html;
}

std::string ReasonCell(const CandidateRow& row) {
  std::string html = EscapeHtml(row.reason);
  if (row.pareto) html += Element("small", "on the Pareto front");
  if (row.contended > 0)
    html += Element("small", fmt::format("{} of {} repeats contended",
                                         row.contended, row.repeats));
  return html;
}

std::string CandidatesOf(const FitResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const CandidateRow& row : result.rows)
    rows.push_back(
        {ModelCell(result, row), QualityHtmlCell(row),
         TwoLines(EnergyText(row)), EstimateCell(row.cpu_seconds_per_1000),
         EstimateCell(row.g_co2e_per_1000),
         row.bytes > Bytes(0) ? FormatBytes(row.bytes) : "-",
         row.latency_p95 > Seconds(0)
             ? EscapeHtml(FormatWithUnit(row.latency_p95.value(), "s"))
             : "-",
         ReasonCell(row)});
  return HtmlTable("All candidates, failed ones too, and reference rows",
                   {{"model"},
                    {result.metric + " [95 %]"},
                    {"energy per 1,000 [90 %]"},
                    {"CPU time per 1,000 [90 %]"},
                    {"carbon per 1,000 [90 %]"},
                    {"size", Align::kRight},
                    {"latency p95", Align::kRight},
                    {"verdict"}},
                   rows);
}

std::string ListOf(std::string_view heading,
                   const std::vector<std::string>& items) {
  return items.empty() ? "" : Element("h2", heading) + "\n" + BulletList(items);
}

std::string CheckOf(const Receipt& receipt) {
  Facts facts{
      {"SHA-256 of the receipt", "<code>" + ToHex(receipt.sha256) + "</code>"},
      {"run", "<code>" + EscapeHtml(receipt.result.run.text) + "</code>"}};
  facts.push_back(
      {"signature", receipt.signature
                        ? "Ed25519, public key <code>" +
                              EscapeHtml(receipt.signature->public_key) +
                              "</code>"
                        : "not signed"});
  return Element("h2", "Check it") + "\n" +
         Element("p",
                 "Every figure above is computed from the outcomes and "
                 "readings in the receipt. The first line computes them "
                 "again; the second fits again, on your machine, and shows "
                 "how far the figures agree.") +
         "\n" +
         Wrap("pre", Element("code", fmt::format("modicum verify {0}\nmodicum "
                                                 "verify {0} --rerun",
                                                 receipt.result.task +
                                                     ".receipt.json"))) +
         "\n" + FactList(facts);
}

std::string Section(std::string_view heading, const std::string& figure,
                    std::string_view otherwise) {
  if (figure.empty() && otherwise.empty()) return {};
  return Element("h2", heading) + "\n" +
         (figure.empty() ? Element("p class=\"mu\"", otherwise) + "\n"
                         : figure);
}

}  // namespace

std::string FormatFitHtml(const Receipt& receipt) {
  const FitResult& result = receipt.result;
  std::string main = HeadOf(result) + StatsOf(result) + FactsOf(result);
  main += Section("Quality against energy", QualityFigurePlot(receipt),
                  "No candidate was measured, so there is nothing to plot.");
  main += Section("Energy by model", EnergyFigure(result), "");
  main += Section("What the search cost", SearchFigure(result), "");
  main += Element("p", PaybackText(result)) + "\n";
  main += Section("The deployment's whole cost", DeploymentFigure(result),
                  "No volume was given, so a month cannot be priced: set "
                  "volume = ... in the task file.");
  main += CardOf(result);
  main += ListOf("What would change the answer", result.changes);
  main += Element("h2", "All candidates") + "\n" + CandidatesOf(result);
  main += ListOf("Notes", result.notes);
  main += ListOf("Not counted", result.missing);
  main += FactorTable(result.factors) + CheckOf(receipt);
  main += Wrap("footer class=\"mu\"",
               "Dashed and hatched is modelled, hollow was not run here. "
               "Quality has 95 % intervals, energy 90 %.");
  return HtmlPage(result.task + ": " +
                      (result.chosen.empty() ? "no model is good enough"
                                             : result.chosen + " is enough"),
                  main);
}

}  // namespace modicum
