// SPDX-License-Identifier: Apache-2.0
#include "report/bench_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/format.h"
#include "record/quality_text.h"
#include "report/bars.h"
#include "report/bench_rows.h"
#include "report/columns.h"
#include "report/fit_rows.h"
#include "report/html.h"
#include "report/scatter.h"

namespace modicum {
namespace {

constexpr size_t kLabelled = 12;  // points with a name in a plot

const BenchRow* Cheapest(const BenchGroup& group) {
  const BenchRow* best = nullptr;
  for (const BenchRow* row : group.rows)
    if (row->joules_per_1000 &&
        (best == nullptr ||
         row->joules_per_1000->mid < best->joules_per_1000->mid))
      best = row;
  return best;
}

bool Plottable(const BenchRow& row) {
  return row.joules_per_1000 && row.joules_per_1000->mid > Joules(0);
}

Mark MarkOf(const BenchRow* row, const BenchRow* cheapest) {
  return row == cheapest ? Mark::kChosen : Mark::kGoodEnough;
}

Mark MarkOf(const Reference& figure) {
  return figure.planned ? Mark::kPlanned : Mark::kPublished;
}

// The looks that occur.
std::string KeyOf(const BenchGroup& group, bool published) {
  std::vector<KeyEntry> key = {MarkKey(Mark::kChosen, "the least energy"),
                               MarkKey(Mark::kGoodEnough, "measured here")};
  const auto any = [&](bool planned) {
    return published &&
           std::any_of(group.published.begin(), group.published.end(),
                       [planned](const PublishedRow* row) {
                         return row->figure.planned == planned;
                       });
  };
  if (any(false))
    key.push_back(MarkKey(Mark::kPublished, "published, another scope"));
  if (any(true))
    key.push_back(MarkKey(Mark::kPlanned, "computed by its source"));
  std::set<bool> measured;
  for (const BenchRow* row : group.rows)
    if (row->joules_per_1000)
      measured.insert(IsMeasured(row->joules_per_1000->origin));
  if (measured.contains(true))
    key.push_back(LineKey("wh", "interval, measured"));
  if (measured.contains(false))
    key.push_back(LineKey("wh ds", "interval, modelled"));
  return Key(key);
}

DotRow DotOf(const PublishedRow& row) {
  const Reference& figure = row.figure;
  const Interval ends{figure.low, figure.high};
  return {figure.name,
          PublishedText(figure),
          FormatWithUnit(figure.joules_per_1000, "J"),
          MarkOf(figure),
          figure.joules_per_1000,
          ends,
          false};
}

std::string EnergyFigureOf(const BenchGroup& group) {
  std::vector<const BenchRow*> rows;
  for (const BenchRow* row : group.rows)
    if (Plottable(*row)) rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const BenchRow* a, const BenchRow* b) {
                     return a->joules_per_1000->mid < b->joules_per_1000->mid;
                   });
  Dots dots{fmt::format("Energy per 1,000 inferences, {} on {}", group.task,
                        group.data),
            "Models from the cheapest to the dearest, then published figures, "
            "on a log scale.",
            "J",
            "joules per 1,000 inferences [90 %]",
            {}};
  const BenchRow* const cheapest = Cheapest(group);
  for (const BenchRow* row : rows)
    dots.rows.push_back({RowName(*row), BenchEnergyText(*row),
                         FormatWithUnit(row->joules_per_1000->mid.value(), "J"),
                         MarkOf(row, cheapest),
                         row->joules_per_1000->mid.value(),
                         row->joules_per_1000->interval(),
                         IsMeasured(row->joules_per_1000->origin)});
  if (dots.rows.empty()) return {};
  for (const PublishedRow* row : group.published)
    if (row->figure.joules_per_1000 > 0) dots.rows.push_back(DotOf(*row));
  return Figure(DrawDots(dots) + KeyOf(group, true),
                group.published.empty()
                    ? "Intervals at 90 %."
                    : "Hollow diamonds and triangles were not measured here. "
                      "They cover what their source counts, a whole node most "
                      "often, so they are shown and not rated.",
                "");
}

std::string QualityFigureOf(const BenchGroup& group) {
  const BenchRow* const cheapest = Cheapest(group);
  Scatter scatter;
  scatter.title =
      fmt::format("Quality against joules, {} on {}", group.task, group.data);
  int rank = 0;
  for (const BenchRow* row : group.rows) {
    if (!Plottable(*row) || !row->quality) continue;
    const QualityFigure& quality = *row->quality;
    scatter.metric = quality.metric;
    scatter.points.push_back(
        {RowName(*row), MarkOf(row, cheapest),
         row->joules_per_1000->mid.value(), row->joules_per_1000->interval(),
         IsMeasured(row->joules_per_1000->origin), quality.mid,
         Interval{quality.low, quality.high}, false,
         rank < static_cast<int>(kLabelled) ? rank : -1});
    ++rank;
  }
  if (scatter.points.size() < 2) return {};
  scatter.description = fmt::format(
      "{} models; up is better, left is cheaper. The table has every figure.",
      scatter.points.size());
  return Figure(DrawScatter(scatter) + KeyOf(group, false),
                "Quality with 95 % intervals, joules with 90 %.", "");
}

// Loading and the first inference beside what 1,000 more inferences take.
std::string OnceFigureOf(const BenchGroup& group) {
  Bars bars{
      fmt::format("Once and 1,000 times, {} on {}", group.task, group.data),
      "Each model's loading, first inference and 1,000 inferences.",
      {}};
  bool measured = true;
  const auto part = [&](const Estimate<Joules>& energy, bool accent) {
    measured = measured && IsMeasured(energy.origin);
    return BarPart{energy.mid.value(), IsMeasured(energy.origin), accent};
  };
  for (const BenchRow* row : group.rows) {
    if (!Plottable(*row) || !row->load || !row->first) continue;
    const std::string text =
        fmt::format("load {}, first {}, 1,000 {}",
                    FormatWithUnit(row->load->energy.mid.value(), "J"),
                    FormatWithUnit(row->first->energy.mid.value(), "J"),
                    FormatWithUnit(row->joules_per_1000->mid.value(), "J"));
    bars.rows.push_back(
        {RowName(*row),
         text,
         FormatWithUnit((row->load->energy.mid + row->first->energy.mid +
                         row->joules_per_1000->mid)
                            .value(),
                        "J"),
         {part(row->load->energy + row->first->energy, false),
          part(*row->joules_per_1000, true)}});
  }
  if (bars.rows.empty()) return {};
  return Figure(
      DrawBars(bars) +
          Key({BarKey(measured ? "bs" : "bh", "loading and first inference"),
               BarKey(measured ? "bsa" : "bha",
                      measured ? "1,000 inferences, measured"
                               : "1,000 inferences, modelled")}),
      "Loading finds the file in memory already: reading it from disk comes "
      "on top.",
      "");
}

std::string CountCell(const std::optional<Estimate<Scalar>>& count,
                      std::string_view unit) {
  return count ? TwoLines(FormatEstimate(*count)) +
                     Element("small", std::string(unit))
               : "-";
}

std::string ModelCell(const BenchRow& row, bool cheapest) {
  std::string html =
      cheapest ? Element("b", RowName(row)) : EscapeHtml(RowName(row));
  std::string about = row.family;
  if (!row.engine.empty()) about += (about.empty() ? "" : ", ") + row.engine;
  html += Element("small", about);
  if (row.parameters > 0)
    html += Element(
        "small", fmt::format("{} parameters, {}", FormatCount(row.parameters),
                             FormatBytes(row.bytes)));
  return html;
}

std::string StarsCell(const BenchRow& row) {
  if (!row.stars_equal_width) return "-";
  return Element("span class=\"cls\"", std::to_string(*row.stars_equal_width)) +
         " " +
         Element("span class=\"cls\"", std::to_string(*row.stars_quintile)) +
         Element("small", "equal-width, quintile") +
         Element("small", "set " + row.star_set.substr(0, 8));
}

std::string RunsCell(const BenchRow& row) {
  std::string html = fmt::format("{} runs", row.runs.size()) +
                     Element("small", InferencesText(row) + " inferences each");
  if (row.contended > 0)
    html += Element("small", fmt::format("{} contended", row.contended));
  if (row.short_windows > 0)
    html +=
        Element("small", fmt::format("{} short windows", row.short_windows));
  return html;
}

std::string PerCell(const BenchRow& row) {
  std::string html;
  if (row.joules_per_unit)
    html += EscapeHtml(EstimateText(*row.joules_per_unit)) +
            Element("small", "a " + row.unit);
  if (row.joules_per_correct)
    html += Element(
        "small", EstimateText(*row.joules_per_correct) + " a correct answer");
  return html.empty() ? "-" : html;
}

std::vector<std::string> EnergyCells(const BenchRow& row, bool cheapest) {
  if (!row.joules_per_1000)
    return {ModelCell(row, false),
            "-",
            EscapeHtml(row.failure.empty() ? "not measured"
                                           : "failed: " + row.failure),
            "-",
            "-",
            "-",
            "-"};
  return {
      ModelCell(row, cheapest),
      row.quality
          ? TwoLines(FormatQualityFigure(*row.quality)) +
                Element("small", FormatCount(row.quality->items) + " items")
          : "-",
      EscapeHtml(fmt::format(
          "{} kWh", FormatNumber(InKilowattHours(row.joules_per_1000->mid)))) +
          Element("small",
                  fmt::format("sd {} kWh",
                              FormatNumber(InKilowattHours(row.joules_sd)))),
      TwoLines(BenchEnergyText(row)),
      EstimateCell(row.idle_per_1000) +
          Element("small", row.idle_policy + " idle"),
      StarsCell(row),
      RunsCell(row)};
}

std::string EnergyTableOf(const BenchGroup& group) {
  const BenchRow* const cheapest = Cheapest(group);
  std::vector<std::vector<std::string>> rows;
  for (const BenchRow* row : group.rows)
    rows.push_back(EnergyCells(*row, row == cheapest));
  return HtmlTable(
      fmt::format("Energy and quality, {} on {}", group.task, group.data),
      {{"model"},
       {"quality [95 %]"},
       {"kWh per 1,000"},
       {"energy per 1,000 [90 %]"},
       {"of it idle"},
       {"stars"},
       {"runs"}},
      rows);
}

std::string PublishedTableOf(const BenchGroup& group) {
  std::vector<std::vector<std::string>> rows;
  for (const PublishedRow* row : group.published) {
    const Reference& figure = row->figure;
    rows.push_back(
        {EscapeHtml(figure.name) + Element("small", figure.source),
         EscapeHtml(fmt::format("{} kWh", FormatNumber(InKilowattHours(Joules(
                                              figure.joules_per_1000))))),
         TwoLines(PublishedText(figure)), EscapeHtml(figure.scope)});
  }
  return rows.empty() ? ""
                      : HtmlTable("Published, not run and not rated",
                                  {{"model"},
                                   {"kWh per 1,000"},
                                   {"energy per 1,000 [90 %]"},
                                   {"scope"}},
                                  rows);
}

std::string OnceCell(const std::optional<BenchOnce>& once) {
  if (!once) return "-";
  return TwoLines(EstimateText(once->energy)) +
         Element("small", FormatWithUnit(once->wall.value(), "s"));
}

std::string CostTableOf(const BenchGroup& group) {
  const BenchRow* const cheapest = Cheapest(group);
  std::vector<std::vector<std::string>> rows;
  for (const BenchRow* row : group.rows) {
    if (!row->joules_per_1000) continue;
    rows.push_back(
        {row == cheapest ? Element("b", RowName(*row))
                         : EscapeHtml(RowName(*row)),
         EstimateCell(row->g_co2e_per_1000),
         CountCell(row->car_km_per_1000, "km"),
         CountCell(row->phone_charges_per_1000, "charges"),
         EstimateCell(row->cpu_seconds_per_1000), PerCell(*row),
         OnceCell(row->load), OnceCell(row->first),
         EscapeHtml(FormatWithUnit(row->latency_p50.value(), "s")) +
             Element("small",
                     "p95 " + FormatWithUnit(row->latency_p95.value(), "s")) +
             Element("small", FormatNumber(row->inferences_per_second) +
                                  " inferences a second")});
  }
  return rows.empty()
             ? ""
             : HtmlTable(fmt::format("Carbon, time and what is done once, {} "
                                     "on {}",
                                     group.task, group.data),
                         {{"model"},
                          {"carbon per 1,000 [90 %]"},
                          {"by car"},
                          {"phones"},
                          {"CPU time per 1,000 [90 %]"},
                          {"energy of one"},
                          {"load"},
                          {"first"},
                          {"latency of a call"}},
                         rows);
}

std::string HeadOf(const BenchResult& result,
                   const std::vector<BenchGroup>& groups) {
  std::string html =
      Element("p class=\"kick\"", "Just enough AI: a benchmark") + "\n" +
      Element("h1", result.name) + "\n";
  for (const BenchGroup& group : groups)
    html += Element(groups.size() == 1 ? "p class=\"lead\"" : "p",
                    GroupVerdict(group)) +
            "\n";
  return html;
}

std::string FactsOf(const BenchResult& result) {
  std::set<std::string> machines;
  for (const BenchRow& row : result.rows) machines.insert(row.machine);
  std::set<std::string> data;
  for (const BenchRow& row : result.rows)
    data.insert(EscapeHtml(row.data) + "<br><span class=\"mu\">SHA-256 <code>" +
                ToHex(row.data_hash) + "</code></span>");
  std::string data_html;
  for (const std::string& one : data)
    data_html += (data_html.empty() ? "" : "<br>") + one;
  return FactList({
      {"protocol", EscapeHtml(ProtocolText(result.protocol))},
      {"data", data_html},
      {"machine", EscapeHtml(JoinTexts({machines.begin(), machines.end()}))},
      {"place", EscapeHtml(result.place)},
      {"made",
       EscapeHtml(result.created + (result.version.empty()
                                        ? ""
                                        : ", modicum " + result.version))},
      {"run", "<code>" + EscapeHtml(result.run.text) + "</code>"},
  });
}

std::string RemarksHtml(const BenchResult& result) {
  const RowRemarks remarks = RemarksOf(result);
  const auto list = [](std::string_view heading,
                       const std::vector<std::string>& items) {
    return items.empty() ? ""
                         : Element("h2", heading) + "\n" + BulletList(items);
  };
  std::string html;
  std::vector<std::string> stars = remarks.unrated;
  if (const std::string rules = StarRulesText(result); !rules.empty())
    stars.insert(stars.begin(), rules);
  html += list("Stars", stars);
  html += list("Failed", remarks.failed);
  std::vector<std::string> notes = result.notes;
  notes.insert(notes.end(), remarks.notes.begin(), remarks.notes.end());
  notes.insert(notes.end(), remarks.contended.begin(), remarks.contended.end());
  for (const std::string& text : remarks.short_windows)
    notes.push_back("fewer than ten updates of a counter in " + text);
  return html + list("Notes", notes) + list("Not counted", result.missing);
}

}  // namespace

std::string FormatBenchHtml(const BenchResult& result) {
  const std::vector<BenchGroup> groups = GroupRows(result);
  std::string main = HeadOf(result, groups) + FactsOf(result);
  for (const BenchGroup& group : groups) {
    main += Element("h2", fmt::format("{} on {}", group.task, group.data)) +
            "\n" + EnergyFigureOf(group) + QualityFigureOf(group) +
            EnergyTableOf(group) + OnceFigureOf(group) + CostTableOf(group) +
            PublishedTableOf(group);
  }
  main += RemarksHtml(result) + FactorTable(result.factors);
  main += Wrap("footer class=\"mu\"",
               "Dashed and hatched is modelled, hollow was not run here. "
               "Quality has 95 % intervals, energy 90 %.");
  return HtmlPage(result.name + ": a benchmark", main);
}

}  // namespace modicum
