// SPDX-License-Identifier: Apache-2.0
#include "report/paper.h"

#include <fmt/format.h>

#include "base/format.h"
#include "record/quality_text.h"
#include "report/bill_report.h"
#include "report/fit_rows.h"
#include "report/totals.h"

namespace modicum {
namespace {

// Lines of at most 80 columns, as LaTeX files have them.
std::string Filled(std::string_view text) {
  constexpr size_t kFilledColumns = 80;
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (used > 0 && used + 1 + end > kFilledColumns) {
      out += '\n';
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += text.substr(0, end);
    used += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + '\n';
}

std::string Day(WallTime time) { return FormatUtc(time).substr(0, 10); }

template <class Range>
std::string JoinAll(const Range& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

// "modelled (40 runs), counter (2 runs)"; one alone needs no count.
std::string Counted(const std::map<std::string, size_t>& counts) {
  if (counts.size() == 1) return counts.begin()->first;
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} ({} run{})", text.empty() ? "" : ", ", name,
                        count, count == 1 ? "" : "s");
  return text;
}

std::string KindCounts(const RunTotals& totals) {
  std::string text;
  for (const auto& [kind, sum] : totals.by_kind)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", sum.runs, kind);
  return text;
}

std::string WhatWasCounted(const PaperInput& input, const RunTotals& totals) {
  const size_t unmetered = totals.all.unmetered();
  std::string text = fmt::format(
      "Energy was metered with Modicum {}~\\cite{{modicum}}. Every run that "
      "its ledger holds{} from {} to {} is counted, failed and interrupted "
      "ones too: {} run{} ({}; by kind: {}).",
      input.version,
      input.selection.empty() ? "" : " of " + EscapeLatex(input.selection),
      Day(*totals.first), Day(*totals.last), FormatCount(totals.all.runs),
      totals.all.runs == 1 ? "" : "s", StatusCounts(totals),
      EscapeLatex(KindCounts(totals)));
  if (unmetered > 0)
    text += fmt::format(
        " Without a reading, for they were killed or could not be metered, "
        "and so missing from the sums: {}.",
        unmetered);
  if (totals.all.inside > 0)
    text += fmt::format(
        " {} ran inside another run, which holds their energy: it is counted "
        "there, once.",
        totals.all.inside);
  if (totals.sharing > 0)
    text += fmt::format(
        " {} were each charged with all of a machine's idling at the same "
        "time: it is divided among them.",
        totals.sharing);
  if (totals.nested > 0)
    text += fmt::format(
        " {} ran while another run of the same machine lasted; where one "
        "started the other, its energy is counted twice.",
        totals.nested);
  return text;
}

// "190 mWh [85, 440]".
std::string InWattHours(const Estimate<Joules>& energy) {
  const std::string text = WattHours(energy);
  return text.substr(0, text.rfind(' '));
}

std::string UseText(const RunTotals& totals) {
  const RunSum& all = totals.all;
  return EscapeLatex(fmt::format(
      "Together they took {} of wall time and {} of CPU time and used {}, "
      "that is {} (brackets are 90 % intervals; origin: {}; scope: {}).",
      FormatDuration(all.wall), FormatDuration(all.cpu),
      FormatEstimate(*all.energy), InWattHours(*all.energy),
      Counted(totals.origins), Counted(totals.scopes)));
}

// "for 3 of 5 runs"; nothing when for all.
std::string Coverage(size_t with, const RunSum& all) {
  return with == all.metered
             ? ""
             : fmt::format(", known for {} of {} runs", with, all.metered);
}

// Whether the electricity was carbon-free is said only where a factor says so.
bool KnowsCarbonFreeShare(const RunTotals& totals) {
  for (const Factor& factor : totals.factors)
    if (factor.name.starts_with("carbon-free")) return true;
  return false;
}

std::string PlaceText(const RunTotals& totals) {
  const RunSum& all = totals.all;
  std::string text = fmt::format(
      "At the place of the runs ({}), the operational carbon was {}",
      JoinAll(totals.places, "; "), FormatEstimate(*all.operational));
  if (all.operational_market)
    text += fmt::format(" location-based and {} market-based{}",
                        FormatEstimate(*all.operational_market),
                        Coverage(all.with_market, all));
  if (all.embodied)
    text += fmt::format(", the embodied carbon of the hardware {}{}",
                        FormatEstimate(*all.embodied),
                        Coverage(all.with_embodied, all));
  text += ", the water " + FormatEstimate(*all.water);
  for (const auto& [currency, money] : all.money)
    text += fmt::format(", the electricity {}{}", FormatMoney(money),
                        Coverage(all.with_money, all));
  text += ".";
  if (!all.embodied)
    text += " The hardware's embodied carbon is not known and not counted.";
  if (all.money.empty()) text += " No tariff was known.";
  if (!KnowsCarbonFreeShare(totals))
    text += " The carbon-free share of the electricity is not known.";
  if (!totals.factors.empty()) {
    std::vector<std::string> factors;
    for (const Factor& factor : totals.factors)
      factors.push_back(FactorText(factor));
    text += " Factors: " + JoinAll(factors, "; ") + ".";
  }
  return EscapeLatex(text);
}

std::string MachinesText(const RunTotals& totals) {
  std::string text = "Machines: " + JoinAll(totals.machines, "; ") + ".";
  if (!totals.missing.empty())
    text += " Not counted: " + JoinAll(totals.missing, "; ") + ".";
  return EscapeLatex(text);
}

std::string Paragraph(const PaperInput& input, const RunTotals& totals) {
  if (totals.all.runs == 0)
    return "No run is in the ledger: there is no energy to state.\n";
  std::string text = WhatWasCounted(input, totals);
  if (totals.all.energy)
    text += " " + UseText(totals) + " " + PlaceText(totals);
  else
    text += " None of them was metered.";
  return Filled(text + " " + MachinesText(totals));
}

std::string LatexTable(std::string_view caption, std::string_view label,
                       std::string_view columns, std::string_view head,
                       std::string_view body) {
  return fmt::format(
      "\n\\begin{{table}}\n  \\centering\n  \\caption{{{}}}\n"
      "  \\label{{{}}}\n  \\begin{{tabular}}{{{}}}\n    \\toprule\n    {} "
      "\\\\\n    \\midrule\n{}    \\bottomrule\n  \\end{{tabular}}\n"
      "\\end{{table}}\n",
      caption, label, columns, head, body);
}

std::string SumRow(std::string_view name, const RunSum& sum) {
  return fmt::format(
      "    {} & {} & {} & {} & {} & {} \\\\\n", EscapeLatex(name),
      FormatCount(sum.runs), EscapeLatex(FormatDuration(sum.wall)),
      EscapeLatex(FormatDuration(sum.cpu)),
      sum.energy ? EscapeLatex(FormatEstimate(*sum.energy)) : "--",
      sum.operational ? EscapeLatex(FormatEstimate(*sum.operational)) : "--");
}

std::string RunsTable(const RunTotals& totals) {
  if (totals.all.runs == 0) return {};
  std::string body;
  for (const auto& [kind, sum] : totals.by_kind) body += SumRow(kind, sum);
  body += "    \\midrule\n" + SumRow("all", totals.all);
  return LatexTable(
      "All runs, failed and interrupted ones too. Brackets are 90\\,\\% "
      "intervals.",
      "tab:energy", "lrrrll",
      "kind & runs & wall & CPU & energy & operational carbon", body);
}

std::string ModelRow(const CandidateRow& row) {
  std::string quality = "--";
  if (row.quality)
    quality = FormatQualityFigure(*row.quality) + " " + row.quality->split;
  return fmt::format("    {} & {} & {} & {} \\\\\n", EscapeLatex(row.name),
                     EscapeLatex(quality), EscapeLatex(EnergyText(row)),
                     EscapeLatex(row.reason));
}

std::string ModelsTable(const Receipt& receipt) {
  const FitResult& result = receipt.result;
  std::string body;
  for (const CandidateRow& row : result.rows) body += ModelRow(row);
  return LatexTable(
      fmt::format("Models tried for {} on {} (SHA-256 of the receipt: "
                  "\\texttt{{{}}}). Quality with 95\\,\\% intervals, energy "
                  "with 90\\,\\%; needed: {}.",
                  EscapeLatex(result.task), EscapeLatex(result.data),
                  ToHex(receipt.sha256).substr(0, 16),
                  EscapeLatex(result.requirement)),
      "tab:" + ToHex(receipt.sha256).substr(0, 8), "llll",
      fmt::format("model & {} & energy per 1,000 & verdict",
                  EscapeLatex(result.metric)),
      body);
}

// The year of what is cited: of the newest run or receipt.
std::string YearOf(const PaperInput& input, const RunTotals& totals) {
  std::string year = totals.last ? Day(*totals.last).substr(0, 4) : "";
  for (const Receipt& receipt : input.receipts)
    year = std::max(year, receipt.result.created.substr(0, 4));
  return year;
}

std::string Bibliography(const PaperInput& input, const RunTotals& totals) {
  std::string text = fmt::format(
      "\n% BibTeX, for the .bib file\n@software{{modicum,\n"
      "  title   = {{Modicum: what {{AI}} costs, and the cheapest model that "
      "is good enough}},\n  author  = {{{{The Modicum authors}}}},\n"
      "  version = {{{}}},\n  year    = {{{}}}\n}}\n",
      input.version, YearOf(input, totals));
  for (const Receipt& receipt : input.receipts) {
    const std::string hash = ToHex(receipt.sha256);
    text += fmt::format(
        "@misc{{modicum-{},\n  title = {{Receipt of the fit {}}},\n"
        "  year  = {{{}}},\n  note  = {{modicum {}, SHA-256 {}}}\n}}\n",
        hash.substr(0, 8), EscapeLatex(receipt.result.task),
        EscapeLatex(receipt.result.created.substr(0, 4)),
        EscapeLatex(receipt.result.version), hash);
  }
  return text;
}

}  // namespace

std::string EscapeLatex(std::string_view text) {
  static const std::map<char, std::string_view> kWords{
      {'\\', "\\textbackslash{}"},
      {'~', "\\textasciitilde{}"},
      {'^', "\\textasciicircum{}"},
      {'<', "\\textless{}"},
      {'>', "\\textgreater{}"}};
  constexpr std::string_view kEscaped = "{}$&#_%";
  std::string out;
  for (const char c : text) {
    if (const auto word = kWords.find(c); word != kWords.end())
      out += word->second;
    else if (kEscaped.find(c) != std::string_view::npos)
      out += std::string("\\") + c;
    else
      out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  }
  // Not in every font's encoding, or set better.
  for (const auto& [from, to] :
       {std::pair<std::string_view, std::string_view>{"µ", "$\\mu$"},
        {"÷", "$\\div$"},
        {"CO2e", "CO\\textsubscript{2}e"}})
    for (size_t at = out.find(from); at != std::string::npos;
         at = out.find(from, at + to.size()))
      out.replace(at, from.size(), to);
  return out;
}

std::string FormatPaper(const PaperInput& input) {
  const RunTotals totals = TotalsOf(input.runs);
  std::string text = "% Needs \\usepackage{booktabs}; UTF-8.\n" +
                     Paragraph(input, totals) + RunsTable(totals);
  for (const Receipt& receipt : input.receipts) text += ModelsTable(receipt);
  return text + Bibliography(input, totals);
}

}  // namespace modicum
