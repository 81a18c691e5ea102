// SPDX-License-Identifier: Apache-2.0
#include "plan/when_price.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "plan/money.h"

namespace modicum {
namespace {

constexpr int64_t kMinuteOfMicros = 60'000'000;
constexpr int64_t kQuarter = 15 * kMinuteOfMicros;
// Of a window that the series does not cover: after all others.
constexpr double kUnknownGrams = std::numeric_limits<double>::infinity();
constexpr Seconds kFurthestDeadline = Hours(366 * 24);

// Price times minutes from a moment on, minute by minute: any window is then
// a difference.
class PriceIntegral {
 public:
  PriceIntegral(const Tariff& tariff, WallTime from, WallTime to)
      : begin_(from.micros / kMinuteOfMicros * kMinuteOfMicros) {
    sums_.push_back(0);
    for (int64_t at = begin_; at < to.micros; at += kMinuteOfMicros)
      sums_.push_back(sums_.back() + tariff.At({at}).price);
    sums_.push_back(sums_.back());  // `to` itself, which may be a minute's end
  }

  double MeanOver(WallTime from, Seconds duration) const {
    const auto micros = static_cast<int64_t>(duration.value() * 1e6);
    return (UpTo(from.micros + micros) - UpTo(from.micros)) /
           (static_cast<double>(micros) / kMinuteOfMicros);
  }

 private:
  double UpTo(int64_t micros) const {
    const int64_t into = micros - begin_;
    const auto whole = static_cast<size_t>(into / kMinuteOfMicros);
    const double part =
        static_cast<double>(into % kMinuteOfMicros) / kMinuteOfMicros;
    return sums_[whole] + part * (sums_[whole + 1] - sums_[whole]);
  }

  const int64_t begin_;
  std::vector<double> sums_;
};

struct PricedStart {
  WallTime start;
  double price = 0;             // mean, per kWh
  std::optional<double> grams;  // mean, per kWh
};

std::vector<PricedStart> PricedStarts(const WhenQuery& query,
                                      const Tariff& tariff,
                                      const IntensitySeries* series) {
  const auto last =
      query.now.micros +
      static_cast<int64_t>((query.deadline - query.duration).value() * 1e6);
  const PriceIntegral prices(
      tariff, query.now,
      {last + static_cast<int64_t>(query.duration.value() * 1e6)});
  std::vector<PricedStart> starts;
  const auto add = [&](WallTime start) {
    PricedStart one{start, prices.MeanOver(start, query.duration), {}};
    if (series != nullptr)
      if (const auto mean = series->MeanOver(start, query.duration))
        one.grams = mean->value();
    starts.push_back(one);
  };
  add(query.now);
  for (int64_t at = (query.now.micros / kQuarter + 1) * kQuarter; at <= last;
       at += kQuarter)
    add({at});
  return starts;
}

// Sums of the same prices in another order differ in their last bits.
bool SamePrice(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max(a, b);
}

void Rank(std::vector<PricedStart>& starts) {
  std::ranges::stable_sort(starts, {}, &PricedStart::price);
  for (auto first = starts.begin(); first != starts.end();) {
    auto end = first;
    while (end != starts.end() && SamePrice(end->price, first->price)) ++end;
    std::ranges::sort(first, end, [](const auto& a, const auto& b) {
      const double left = a.grams.value_or(kUnknownGrams);
      const double right = b.grams.value_or(kUnknownGrams);
      return left != right ? left < right : a.start < b.start;
    });
    first = end;
  }
}

class PricePlan {
 public:
  PricePlan(const WhenQuery& query, const Tariff& tariff, bool has_series,
            std::vector<PricedStart> starts)
      : query_(query),
        tariff_(tariff),
        has_series_(has_series),
        now_(starts.front()),
        starts_(std::move(starts)) {
    Rank(starts_);
  }

  Plan ToPlan() const {
    const PricedStart& best = starts_[0];
    Plan plan = BeginWhenPlan(query_);
    plan.inputs.emplace_back("tariff",
                             tariff_.source() + ", " + tariff_.zone());
    if (has_series_) plan.inputs.emplace_back("series", query_.series_name);
    plan.verdict = Verdict(best);
    plan.figures = {
        Figure("best_cost", "cost, start " + FormatUtc(best.start), best.price),
        Figure("now_cost", "cost, now", now_.price),
        Figure("less_cost", "less than now", now_.price - best.price)};
    plan.tables.push_back(Table());
    for (const Tariff::Band& band : tariff_.bands())
      plan.factors.push_back({"electricity price, " + band.name, band.price,
                              Unit(), tariff_.source(), tariff_.date()});
    plan.notes.emplace_back(
        "the job is taken to draw the same all the time that it runs");
    if (has_series_)
      plan.notes.emplace_back("of starts of one price the greener is first");
    return plan;
  }

 private:
  double Kwh() const { return InKilowattHours(query_.it_energy); }
  std::string Unit() const {
    return std::string(tariff_.currency().view()) + "/kWh";
  }
  Spread Cost(double price) const {
    return SpreadOf(query_.pue) * (Kwh() * price);
  }

  PlanFigure Figure(std::string key, std::string label, double price) const {
    PlanFigure figure =
        FigureOf(std::move(key), std::move(label),
                 std::string(tariff_.currency().view()), Cost(price),
                 fmt::format("{} {}, PUE {:.2f}", FormatNumber(price, 3),
                             Unit(), query_.pue.mid.value()));
    figure.origin = Origin::kAssumed;
    return figure;
  }

  std::string Against(const PricedStart& start) const {
    if (start.start == now_.start) return "-";
    if (SamePrice(start.price, now_.price)) return "the same";
    return now_.price > 0
               ? fmt::format("{:+.0f} %", 100 * (start.price / now_.price - 1))
               : "dearer";
  }

  std::string Verdict(const PricedStart& best) const {
    if (SamePrice(best.price, now_.price))
      return fmt::format("now is the cheapest of {} starts: {} {} on average",
                         starts_.size(), FormatNumber(now_.price, 3), Unit());
    const auto tied = std::ranges::count_if(starts_, [&](const auto& start) {
      return SamePrice(start.price, best.price);
    });
    return fmt::format(
        "start at {}, in {}: {} {} on average against {} now ({}){}",
        FormatUtc(best.start), WaitUntil(query_, best.start),
        FormatNumber(best.price, 3), Unit(), FormatNumber(now_.price, 3),
        Against(best),
        tied > 1 ? fmt::format("; ranks 1 to {} cost the same", tied) : "");
  }

  PlanTable Table() const {
    PlanTable table{
        "",
        {"rank", "start", "in", Unit(), std::string(tariff_.currency().view()),
         "P10 to P90", "origin", "against now"},
        {}};
    if (has_series_) table.columns.emplace_back("gCO2e/kWh");
    const size_t shown =
        query_.top == 0 ? starts_.size() : std::min(query_.top, starts_.size());
    for (size_t i = 0; i < shown; ++i) table.rows.push_back(RowOf(i));
    for (size_t i = shown; i < starts_.size(); ++i)
      if (starts_[i].start == now_.start) table.rows.push_back(RowOf(i));
    return table;
  }

  std::vector<std::string> RowOf(size_t i) const {
    const PricedStart& start = starts_[i];
    const Range<double> range = Cost(start.price).range();
    std::vector<std::string> row = {
        std::to_string(i + 1),
        FormatUtc(start.start),
        WaitUntil(query_, start.start),
        FormatNumber(start.price, 3),
        FormatNumber(range.mid, 3),
        fmt::format("{} to {}", FormatNumber(range.low),
                    FormatNumber(range.high)),
        "assumed",
        Against(start)};
    if (has_series_)
      row.push_back(start.grams ? FormatNumber(*start.grams, 4) : "not known");
    return row;
  }

  const WhenQuery& query_;
  const Tariff& tariff_;
  const bool has_series_;
  const PricedStart now_;
  std::vector<PricedStart> starts_;
};

}  // namespace

Result<Plan> PlanPrices(const WhenQuery& query, const Tariff& tariff,
                        const IntensitySeries* series) {
  if (query.duration > query.deadline)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} do not fit before a deadline of {}",
                            FormatDuration(query.duration),
                            FormatDuration(query.deadline)),
                "a later deadline or a shorter job");
  if (query.deadline > kFurthestDeadline)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("a deadline in {} is over a year away",
                            FormatDuration(query.deadline)),
                "no tariff is known for that long");
  return PricePlan(query, tariff, series != nullptr,
                   PricedStarts(query, tariff, series))
      .ToPlan();
}

}  // namespace modicum
