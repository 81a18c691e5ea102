// SPDX-License-Identifier: Apache-2.0
#include "plan/where_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "place/tables.h"
#include "plan/money.h"

namespace modicum {
namespace {

constexpr size_t kMetrics = 3;

// What a kilowatt-hour of the machines takes somewhere, and the error of it
// that other places do not share. All places have one provider: its PUE and
// WUE err for all alike and cancel between two of them.
struct PerKwh {
  Estimate<Scalar> value;  // kg, L or USD
  bool known = false;
  Origin origin = Origin::kAssumed;
};

struct Row {
  Place place;
  std::array<PerKwh, kMetrics> metrics;
};

struct Metric {
  std::string_view name, key, unit;
};
constexpr std::array<Metric, kMetrics> kNames{
    {{"carbon", "kgco2e", "kgCO2e"},
     {"water", "water_l", "L"},
     {"price of electricity", "electricity_usd", "USD"}}};

template <class Q>
Estimate<Scalar> Plain(const Estimate<Q>& from, double factor) {
  Estimate<Scalar> to{Scalar(from.mid.value() * factor), from.own_sd * factor,
                      from.shared, from.origin, from.scope};
  for (Share& share : to.shared) share.delta *= factor;
  return to;
}

Row RowOf(Place place) {
  Row row;
  const auto kwh = Exactly(KilowattHours(1), Origin::kModelled, Scope::kWall);
  const auto carbon = OperationalCarbon(kwh, place);
  row.metrics[0] = {Plain(carbon, 1e-3), true, carbon.origin};
  const auto water = WaterUse(kwh, place);
  row.metrics[1] = {Plain(water, 1), true, water.origin};
  if (const auto cost = ElectricityCost(kwh, place)) {
    const double usd = TariffUsd(place).mid / place.tariff->mid.value();
    row.metrics[2] = {Plain(cost->amount, usd), true, cost->amount.origin};
  }
  row.place = std::move(place);
  return row;
}

// a over b, as a factor with what they do not share.
Spread RatioOf(const PerKwh& a, const PerKwh& b) {
  return SpreadOf(Ratio(a.value, b.value));
}
bool ToldApart(const Spread& ratio) {
  return std::abs(std::log(ratio.mid)) > kZ80 * ratio.sd;
}

// The least of the sorted figure first; `dropped` have none.
struct Ranked {
  std::vector<Row> rows;
  size_t dropped = 0;
};

Result<Ranked> RankedRows(const WhereQuery& query, size_t by) {
  std::vector<std::string> names = query.among;
  if (names.empty())
    // The EU and the world stand in for places; no job runs there.
    for (const Region& region : Regions())
      if (region.code != "EU" && region.code != "world")
        names.push_back(region.code);
  Ranked ranked;
  for (const std::string& name : names) {
    PlaceQuery place = query.everywhere;
    place.region = name;
    MODICUM_TRY(Place found, FindPlace(place));
    const bool twice = std::ranges::any_of(
        ranked.rows, [&](const Row& row) { return row.place.id == found.id; });
    if (twice) continue;
    Row row = RowOf(std::move(found));
    if (!row.metrics[by].known) {
      ++ranked.dropped;
      continue;
    }
    const auto value = [by](const Row& r) {
      return r.metrics[by].value.mid.value();
    };
    ranked.rows.insert(
        std::ranges::upper_bound(ranked.rows, value(row), {}, value),
        std::move(row));
  }
  return ranked;
}

std::string Percent(const Spread& ratio) {
  const auto percent = [](double r) {
    return fmt::format("{:+.0f}", 100 * (r - 1));
  };
  const Range<double> range = ratio.range();
  return fmt::format("{} % ({} to {}){}", percent(ratio.mid),
                     percent(range.low), percent(range.high),
                     ToldApart(ratio) ? "" : ", not told apart");
}

class Ranking {
 public:
  Ranking(const WhereQuery& query, size_t by, Ranked ranked)
      : query_(query),
        by_(by),
        from_(RowOf(query.from)),
        rows_(std::move(ranked.rows)),
        dropped_(ranked.dropped) {}

  Plan ToPlan() const {
    Plan plan;
    plan.verb = "where";
    plan.title =
        fmt::format("where to run {}, by {}", query_.job, kNames[by_].name);
    plan.inputs = {{"energy", EnergyText()},
                   {"from", from_.place.name},
                   {"sort", std::string(kNames[by_].name)}};
    plan.verdict = Verdict();
    AddFigures(plan, from_, "from_", ", " + from_.place.name);
    AddFigures(plan, rows_[0], "best_", ", " + rows_[0].place.name);
    plan.tables.push_back(Ranks());
    AddNotes(plan);
    plan.factors = from_.place.factors;
    return plan;
  }

 private:
  Spread Of(const PerKwh& metric) const {
    return query_.it_kwh * SpreadOf(metric.value);
  }

  std::string EnergyText() const {
    return FormatNumber(query_.it_kwh.mid, 4) + " kWh of the machines";
  }

  // Of the sorted figure, how many regions from the best on are not told from
  // it.
  size_t Tied() const {
    size_t n = 1;
    while (n < rows_.size() &&
           !ToldApart(RatioOf(rows_[n].metrics[by_], rows_[0].metrics[by_])))
      ++n;
    return n;
  }

  std::string Verdict() const {
    const Row& best = rows_[0];
    const size_t tied = Tied();
    std::string text =
        fmt::format("{} has the least {}", best.place.name, kNames[by_].name);
    if (tied > 1)
      text += fmt::format("; ranks 1 to {} are not told apart", tied);
    if (best.place.id == from_.place.id)
      text += ", and is the current region";
    else if (from_.metrics[by_].known)
      text += fmt::format("; against {}: {}", from_.place.name, Against(best));
    return text;
  }

  void AddFigures(Plan& plan, const Row& row, std::string_view key,
                  const std::string& label) const {
    for (size_t i = 0; i < kMetrics; ++i) {
      if (!row.metrics[i].known) continue;
      PlanFigure figure = FigureOf(fmt::format("{}{}", key, kNames[i].key),
                                   std::string(kNames[i].name) + label,
                                   std::string(kNames[i].unit),
                                   Of(row.metrics[i]), SourceOf(row.place, i));
      figure.origin = row.metrics[i].origin;
      plan.figures.push_back(std::move(figure));
    }
  }

  static std::string SourceOf(const Place& place, size_t metric) {
    constexpr std::array<std::string_view, kMetrics> kStarts{
        "grid intensity", "water of electricity", "electricity price"};
    for (const Factor& factor : place.factors)
      if (factor.name.starts_with(kStarts[metric]))
        return fmt::format("{}{}{}", factor.source,
                           factor.date.empty() ? "" : ", ", factor.date);
    return {};
  }

  // "1 to 9": the ranks whose figure this one's may equal.
  std::string TiesOf(size_t rank) const {
    size_t first = rank, last = rank;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (ToldApart(RatioOf(rows_[i].metrics[by_], rows_[rank].metrics[by_])))
        continue;
      first = std::min(first, i);
      last = std::max(last, i);
    }
    return first == last ? "-" : fmt::format("{} to {}", first + 1, last + 1);
  }

  std::vector<std::string> Cells(const Row& row) const {
    std::vector<std::string> cells{row.place.name, row.place.id};
    for (const PerKwh& metric : row.metrics) {
      if (!metric.known) {
        cells.insert(cells.end(), {"-", "-", "-"});
        continue;
      }
      const Range<double> range = Of(metric).range();
      cells.insert(cells.end(),
                   {FormatNumber(range.mid, 3),
                    fmt::format("{} to {}", FormatNumber(range.low),
                                FormatNumber(range.high)),
                    std::string(OriginName(metric.origin))});
    }
    cells.push_back(Against(row));
    return cells;
  }

  std::string Against(const Row& row) const {
    if (!from_.metrics[by_].known) return "-";
    const Spread ratio = RatioOf(row.metrics[by_], from_.metrics[by_]);
    return ratio.mid == 1 && ratio.sd == 0 ? "-" : Percent(ratio);
  }

  PlanTable Ranks() const {
    PlanTable table{
        "",
        {"rank", "region", "code", "kgCO2e", "P10 to P90", "origin", "water L",
         "water P10 to P90", "water origin", "USD", "USD P10 to P90",
         "USD origin", "against " + from_.place.name, "not told from ranks"},
        {}};
    const size_t shown =
        query_.top == 0 ? rows_.size() : std::min(query_.top, rows_.size());
    bool has_from = false;
    const auto add = [&](size_t i) {
      std::vector<std::string> cells = Cells(rows_[i]);
      cells.insert(cells.begin(), std::to_string(i + 1));
      cells.push_back(TiesOf(i));
      has_from = has_from || rows_[i].place.id == from_.place.id;
      table.rows.push_back(std::move(cells));
    };
    for (size_t i = 0; i < shown; ++i) add(i);
    for (size_t i = shown; i < rows_.size() && !has_from; ++i)
      if (rows_[i].place.id == from_.place.id) add(i);
    return table;
  }

  void AddNotes(Plan& plan) const {
    plan.notes.push_back(
        "yearly averages, location-based: the hours of the job, the marginal "
        "plant and contracts are not in them; PUE and WUE are one provider's "
        "everywhere and cancel between regions");
    if (from_.place.pue.origin == Origin::kAssumed)
      plan.notes.push_back(
          "the PUE of an unknown provider is assumed, and with it every "
          "figure: --provider gcp");
    if (by_ == 1)
      plan.notes.push_back(
          "water marked assumed is a stand-in, of the country or the world");
    if (by_ == 2 && from_.place.rented)
      plan.notes.push_back(
          "a rented machine's price already includes the electricity");
    if (dropped_ > 0)
      plan.notes.push_back(
          fmt::format("{} regions without a published {} are not ranked",
                      dropped_, kNames[by_].name));
    if (from_.place.assumed)
      plan.notes.push_back(
          "no current region was named: the world average stands in for it; "
          "--from PL");
  }

  const WhereQuery& query_;
  const size_t by_;
  const Row from_;
  const std::vector<Row> rows_;
  const size_t dropped_;
};

}  // namespace

Result<Plan> PlanPlaces(const WhereQuery& query) {
  if (query.from.intensity.mid.value() == 0)
    return Fail(ErrorCode::kInvalidInput,
                "an intensity of 0 g/kWh is missing data, not clean power",
                "give the average of the grid: --intensity 385");
  const auto by = static_cast<size_t>(query.sort);
  MODICUM_TRY(Ranked ranked, RankedRows(query, by));
  if (ranked.rows.empty())
    return Fail(ErrorCode::kInvalidInput,
                "none of these regions has a published price",
                "leave --among out, or --sort carbon");
  return Ranking(query, by, std::move(ranked)).ToPlan();
}

}  // namespace modicum
