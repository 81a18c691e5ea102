// SPDX-License-Identifier: Apache-2.0
#include "report/fit_plots.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "record/quality_text.h"
#include "report/bars.h"
#include "report/fit_rows.h"
#include "report/html.h"
#include "report/scatter.h"

namespace modicum {
namespace {

constexpr size_t kSharesShown = 10;

// What was required, as a line: the floor, or the margin below the best.
struct Required {
  double quality;
  std::string text;
};

std::optional<Required> RequirementOf(const Receipt& receipt,
                                      const std::vector<ScatterPoint>& points) {
  const std::string& metric = receipt.result.metric;
  if (receipt.evidence.floor)
    return Required{
        *receipt.evidence.floor,
        "required: " + FormatQuality(metric, *receipt.evidence.floor)};
  if (!receipt.evidence.within || points.empty()) return std::nullopt;
  const bool lower = LowerIsBetter(metric);
  double best = points[0].quality;
  for (const ScatterPoint& point : points)
    best =
        lower ? std::min(best, point.quality) : std::max(best, point.quality);
  const double within = *receipt.evidence.within;
  return Required{
      lower ? best + within : best - within,
      "best minus the margin of " + FormatQualityLoss(metric, within)};
}

int RankOf(const FitResult& result, const CandidateRow& row) {
  if (row.name == result.chosen) return 0;
  if (row.name == result.baseline) return 1;
  return row.pareto ? 2 : 3;
}

bool IsKey(const std::vector<const CandidateRow*>& keys,
           const CandidateRow& row) {
  return std::find(keys.begin(), keys.end(), &row) != keys.end();
}

std::vector<ScatterPoint> PointsOf(const FitResult& result) {
  const auto keys = KeyRows(result);
  std::vector<ScatterPoint> points;
  for (const CandidateRow& row : result.rows) {
    const auto& quality = ComparedQuality(row);
    if (!quality || !row.joules_per_1000 ||
        !(row.joules_per_1000->mid > Joules(0)))
      continue;
    points.push_back({row.name, MarkOf(result, row),
                      row.joules_per_1000->mid.value(),
                      row.joules_per_1000->interval(),
                      IsMeasured(row.joules_per_1000->origin), quality->mid,
                      Interval{quality->low, quality->high}, row.pareto,
                      IsKey(keys, row) ? RankOf(result, row) : -1});
  }
  return points;
}

std::vector<ScatterLine> LinesOf(const FitResult& result) {
  std::vector<ScatterLine> lines;
  for (const CandidateRow& row : result.rows) {
    if (!row.reference || ComparedQuality(row) || !row.joules_per_1000 ||
        !(row.joules_per_1000->mid > Joules(0)))
      continue;
    std::string note =
        ShortEnergyText(row) + (row.planned ? " planned" : " published");
    if (!row.scope_note.empty()) note += ", " + row.scope_note;
    lines.push_back({row.name, std::move(note), MarkOf(result, row),
                     row.joules_per_1000->mid.value()});
  }
  return lines;
}

// The looks that occur, so that the key explains no more than is there.
std::string KeyOf(const Scatter& scatter) {
  const auto any = [&](auto&& is) {
    return std::any_of(scatter.points.begin(), scatter.points.end(), is);
  };
  const auto line = [&](Mark mark) {
    return std::any_of(scatter.lines.begin(), scatter.lines.end(),
                       [&](const ScatterLine& l) { return l.mark == mark; });
  };
  const auto mark = [&](Mark m) {
    return any([m](const ScatterPoint& p) { return p.mark == m; }) || line(m);
  };
  std::vector<KeyEntry> key;
  if (mark(Mark::kChosen)) key.push_back(MarkKey(Mark::kChosen, "chosen"));
  if (mark(Mark::kGoodEnough))
    key.push_back(MarkKey(Mark::kGoodEnough, "good enough"));
  if (mark(Mark::kFails))
    key.push_back(MarkKey(Mark::kFails, "not good enough"));
  if (mark(Mark::kPublished))
    key.push_back(MarkKey(Mark::kPublished, "published elsewhere, not run"));
  if (mark(Mark::kPlanned))
    key.push_back(MarkKey(Mark::kPlanned, "planned, not run"));
  if (any([](const ScatterPoint& p) { return p.front; }))
    key.push_back(LineKey("fr", "Pareto front"));
  if (any([](const ScatterPoint& p) { return p.measured; }))
    key.push_back(LineKey("wh", "interval, measured"));
  if (any([](const ScatterPoint& p) { return !p.measured; }))
    key.push_back(LineKey("wh ds", "interval, modelled"));
  return Key(key);
}

// Energies on one machine err together: that their intervals overlap does not
// mean that they cannot be told apart.
std::string SharedErrorNote(const FitResult& result) {
  for (const CandidateRow& row : result.rows) {
    if (row.reference || !row.joules_per_1000) continue;
    const double sd = row.joules_per_1000->sd();
    if (sd > 0 && 2 * row.joules_per_1000->own_sd < sd)
      return " The joules' error is mostly common to all models run here: it "
             "moves them left or right together and leaves their order.";
  }
  return {};
}

std::string SplitOf(const FitResult& result) {
  for (const CandidateRow& row : result.rows)
    if (const auto& quality = ComparedQuality(row)) return quality->split;
  return "validation";
}

std::vector<std::vector<std::string>> QualityRows(const FitResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const CandidateRow& row : result.rows) {
    const auto& quality = ComparedQuality(row);
    rows.push_back({EscapeHtml(row.name),
                    quality ? EscapeHtml(FormatQualityFigure(*quality) + " " +
                                         quality->split)
                            : "-",
                    EscapeHtml(EnergyText(row)), row.pareto ? "yes" : "no"});
  }
  return rows;
}

std::string PercentOf(const Estimate<Joules>& part,
                      const Estimate<Joules>& sum) {
  if (!(sum.mid > Joules(0))) return "-";
  const double percent = 100 * (part.mid / sum.mid);
  return percent > 0 && percent < 0.1 ? "under 0.1 %"
                                      : fmt::format("{:.1f} %", percent);
}

BarRow SearchBar(const SearchShare& share, const FitResult& result) {
  const bool chosen = share.trial && share.name == result.chosen;
  return {
      share.name,
      EstimateText(share.joules) + ", " +
          PercentOf(share.joules, result.search_joules),
      FormatWithUnit(share.joules.mid.value(), "J"),
      {{share.joules.mid.value(), IsMeasured(share.joules.origin), chosen}}};
}

std::string BarKeys(bool measured) {
  return Key({measured ? BarKey("bs", "measured")
                       : BarKey("bh", "hatched: modelled")});
}

}  // namespace

std::string QualityFigurePlot(const Receipt& receipt) {
  const FitResult& result = receipt.result;
  Scatter scatter;
  scatter.title = "Quality against joules of every model tried";
  scatter.metric = result.metric;
  scatter.points = PointsOf(result);
  scatter.lines = LinesOf(result);
  if (const auto required = RequirementOf(receipt, scatter.points)) {
    scatter.required = required->quality;
    scatter.required_text = required->text;
  }
  scatter.description = fmt::format(
      "{} models; up is better, left is cheaper. Chosen: {}. The table below "
      "the plot has every figure.",
      scatter.points.size(), result.chosen.empty() ? "none" : result.chosen);
  const std::string svg = DrawScatter(scatter);
  if (svg.empty()) return {};
  return Figure(svg + KeyOf(scatter),
                fmt::format("Quality on {} data, on which the choice was made, "
                            "with 95 % intervals; joules with 90 % intervals. "
                            "Whether a model is good enough is judged on the "
                            "paired items, not by the dashed line alone.{}",
                            SplitOf(result), SharedErrorNote(result)),
                HtmlTable("Quality and joules",
                          {{"model"},
                           {result.metric + " [95 %]"},
                           {"joules per 1,000 [90 %]"},
                           {"on the Pareto front"}},
                          QualityRows(result)));
}

std::string EnergyFigure(const FitResult& result) {
  std::vector<const CandidateRow*> rows = KeyRows(result);
  std::erase_if(rows, [](const CandidateRow* row) {
    return !row->joules_per_1000 || !(row->joules_per_1000->mid > Joules(0));
  });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const CandidateRow* a, const CandidateRow* b) {
                     return a->joules_per_1000->mid < b->joules_per_1000->mid;
                   });
  Dots dots{"Joules per 1,000 predictions by model",
            "Models from the cheapest to the dearest, on a log scale.",
            "J",
            "joules per 1,000 predictions [90 %]",
            {}};
  std::vector<std::vector<std::string>> cells;
  for (const CandidateRow* row : rows) {
    dots.rows.push_back({row->name, EnergyText(*row), ShortEnergyText(*row),
                         MarkOf(result, *row),
                         row->joules_per_1000->mid.value(),
                         row->joules_per_1000->interval(),
                         IsMeasured(row->joules_per_1000->origin)});
    cells.push_back({EscapeHtml(row->name), EscapeHtml(EnergyText(*row)),
                     EscapeHtml(row->source)});
  }
  return Figure(DrawDots(dots),
                "Hollow diamonds and triangles were not run here: their scope "
                "is their source's and need not be ours.",
                cells.empty() ? ""
                              : HtmlTable("Joules by model",
                                          {{"model"},
                                           {"joules per 1,000 [90 %]"},
                                           {"source, where not run here"}},
                                          cells));
}

std::vector<SearchShare> SearchShares(const FitResult& result) {
  std::vector<SearchShare> shares;
  for (const CandidateRow& row : result.rows)
    if (!row.reference && row.search_joules.mid > Joules(0))
      shares.push_back({row.name, row.search_joules, true});
  for (const SearchPart& part : result.search_parts)
    shares.push_back({part.name, part.joules, false});
  std::stable_sort(shares.begin(), shares.end(),
                   [](const SearchShare& a, const SearchShare& b) {
                     return a.joules.mid > b.joules.mid;
                   });
  return shares;
}

std::string SearchFigure(const FitResult& result) {
  std::vector<SearchShare> shares = SearchShares(result);
  if (shares.empty()) return {};
  std::vector<std::vector<std::string>> cells;
  for (const SearchShare& share : shares)
    cells.push_back({EscapeHtml(share.name),
                     EscapeHtml(EstimateText(share.joules)),
                     PercentOf(share.joules, result.search_joules)});
  cells.push_back(
      {"all", EscapeHtml(EstimateText(result.search_joules)), "100 %"});
  if (shares.size() > kSharesShown) {
    SearchShare rest{fmt::format("{} more", shares.size() - kSharesShown + 1),
                     shares[kSharesShown - 1].joules, false};
    for (size_t i = kSharesShown; i < shares.size(); ++i)
      rest.joules = rest.joules + shares[i].joules;
    shares.resize(kSharesShown - 1);
    shares.push_back(std::move(rest));
  }
  Bars bars{"Where the joules of the search went",
            "Parts of the search from the dearest to the cheapest.",
            {}};
  for (const SearchShare& share : shares)
    bars.rows.push_back(SearchBar(share, result));
  return Figure(
      DrawBars(bars) + BarKeys(IsMeasured(result.search_joules.origin)),
      "Each model's bar is all that trying it cost: features, "
      "training, scoring, measuring, and the last fit where it was "
      "opened on test data.",
      HtmlTable("Joules of the search",
                {{"part"}, {"joules [90 %]"}, {"share"}}, cells));
}

std::string DeploymentFigure(const FitResult& result) {
  if (!result.idle_month || !result.predict_month) return {};
  const auto& idle = *result.idle_month;
  const auto& predict = *result.predict_month;
  const Estimate<Joules> service = idle + predict;
  const auto part = [](const Estimate<Joules>& energy, bool accent) {
    return BarPart{energy.mid.value(), IsMeasured(energy.origin), accent};
  };
  const auto bar = [](std::string name, const Estimate<Joules>& energy,
                      std::vector<BarPart> parts) {
    const std::string text = WattHours(energy);
    return BarRow{std::move(name), text, text.substr(0, text.find(" [")),
                  std::move(parts)};
  };
  const Bars bars{
      "The deployment's whole energy in a month",
      "A service kept alive against the same predictions in batches.",
      {bar("kept alive: idle and predictions", service,
           {part(predict, true), part(idle, false)}),
       bar("in batches, machine shared or off", predict,
           {part(predict, true)})}};
  const auto cell = [](const Estimate<Joules>& energy) {
    return EscapeHtml(WattHours(energy));
  };
  return Figure(
      DrawBars(bars) +
          Key({BarKey(IsMeasured(predict.origin) ? "bsa" : "bha",
                      IsMeasured(predict.origin) ? "predictions, measured"
                                                 : "predictions, modelled"),
               BarKey(IsMeasured(idle.origin) ? "bs" : "bh",
                      IsMeasured(idle.origin) ? "idle, measured"
                                              : "idle, modelled")}),
      fmt::format("A month at {} predictions with {}. {}",
                  FormatCount(static_cast<uint64_t>(result.volume)),
                  result.chosen,
                  idle.mid > predict.mid
                      ? "Idle costs more than all predictions: batch them or "
                        "share the machine."
                      : "The predictions cost more than the idle machine."),
      HtmlTable("Energy in a month", {{"part"}, {"energy [90 %]"}},
                {{"idle of a machine kept alive", cell(idle)},
                 {"all predictions", cell(predict)},
                 {"a service: both", cell(service)}}));
}

}  // namespace modicum
