// SPDX-License-Identifier: Apache-2.0
#include "plan/when_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "plan/money.h"

namespace modicum {
namespace {

class Windows {
 public:
  Windows(const WhenQuery& query, const IntensitySeries& series,
          std::vector<StartWindow> windows)
      : query_(query), series_(series), windows_(std::move(windows)) {
    // What starting at once takes; a gap leaves the first that can start.
    now_ = *std::ranges::min_element(windows_, {}, &StartWindow::start);
  }

  Plan ToPlan() const {
    const StartWindow& best = windows_[0];
    Plan plan = BeginWhenPlan(query_);
    plan.inputs.emplace_back("series",
                             query_.series_name + ", " + series_.column());
    plan.verdict = Verdict(best);
    AddFigures(plan, best, "best_", "start " + FormatUtc(best.start));
    AddFigures(plan, now_, "now_", NowName());
    const double now = Kilograms(now_).mid, then = Kilograms(best).mid;
    const double saved = now - then;
    const double sd =
        std::hypot(WindowRatioSd(best, now_, query_.duration) *
                       std::hypot(now, then) / std::sqrt(2),
                   std::hypot(kFactorsSd, SpreadOf(query_.pue).sd) * saved);
    plan.figures.push_back(
        {"less_kgco2e",
         fmt::format("{} less than {}", marginal() ? "emitted" : "attributed",
                     NowName()),
         "kgCO2e",
         {saved - kZ80 * sd, saved, saved + kZ80 * sd},
         Origin::kAssumed,
         fmt::format("{} intensities of the two windows",
                     marginal() ? "marginal" : "average")});
    plan.tables.push_back(Table());
    AddNotes(plan);
    return plan;
  }

 private:
  double Kwh() const { return InKilowattHours(query_.it_energy); }
  bool marginal() const { return series_.kind() == IntensityKind::kMarginal; }

  Spread Kilograms(const StartWindow& window) const {
    return SpreadOf(query_.pue) * Spread{Kwh() * window.mean.value() * 1e-3,
                                         std::hypot(kHourSd, kFactorsSd)};
  }

  std::string NowName() const {
    return now_.start == query_.now ? "now" : "the first start";
  }

  bool ToldApart(const StartWindow& a, const StartWindow& b) const {
    return std::abs(std::log(a.mean / b.mean)) >
           kZ80 * WindowRatioSd(a, b, query_.duration);
  }

  std::string Against(const StartWindow& window) const {
    if (window.start == now_.start) return "-";
    return fmt::format("{:+.0f} %{}", 100 * (window.mean / now_.mean - 1),
                       ToldApart(window, now_) ? "" : ", not told apart");
  }

  std::string Verdict(const StartWindow& best) const {
    if (best.start == now_.start)
      return NowName() + " is the best of " + std::to_string(windows_.size()) +
             " starts";
    size_t tied = 1;
    while (tied < windows_.size() && !ToldApart(windows_[tied], best)) ++tied;
    return fmt::format(
        "start at {}, in {}: {} gCO2e/kWh on average against {} {} ({}){}",
        FormatUtc(best.start), WaitUntil(query_, best.start),
        FormatNumber(best.mean.value(), 3), FormatNumber(now_.mean.value(), 3),
        NowName(), Against(best),
        tied > 1 ? fmt::format("; ranks 1 to {} are not told apart", tied)
                 : "");
  }

  void AddFigures(Plan& plan, const StartWindow& window, std::string_view key,
                  const std::string& label) const {
    PlanFigure figure =
        FigureOf(fmt::format("{}kgco2e", key), "carbon, " + label, "kgCO2e",
                 Kilograms(window),
                 fmt::format("{} gCO2e/kWh, PUE {:.2f}",
                             FormatNumber(window.mean.value(), 4),
                             query_.pue.mid.value()));
    figure.origin = Origin::kAssumed;
    plan.figures.push_back(std::move(figure));
  }

  PlanTable Table() const {
    PlanTable table{"",
                    {"rank", "start", "in", "gCO2e/kWh", "kgCO2e", "P10 to P90",
                     "origin", "against " + NowName()},
                    {}};
    const size_t shown = query_.top == 0
                             ? windows_.size()
                             : std::min(query_.top, windows_.size());
    const auto add = [&](size_t i) {
      const Range<double> range = Kilograms(windows_[i]).range();
      table.rows.push_back({std::to_string(i + 1), FormatUtc(windows_[i].start),
                            WaitUntil(query_, windows_[i].start),
                            FormatNumber(windows_[i].mean.value(), 4),
                            FormatNumber(range.mid, 3),
                            fmt::format("{} to {}", FormatNumber(range.low),
                                        FormatNumber(range.high)),
                            "assumed", Against(windows_[i])});
    };
    for (size_t i = 0; i < shown; ++i) add(i);
    for (size_t i = shown; i < windows_.size(); ++i)
      if (windows_[i].start == now_.start) add(i);
    return table;
  }

  void AddNotes(Plan& plan) const {
    plan.notes.emplace_back(
        marginal()
            ? "consequential: what the plants that answer to one kWh more emit "
              "in these hours; no factor of a bill, which goes by the average"
            : "attributional: what the grid's average in these hours charges "
              "the job with; what plants do in response is another question");
    plan.notes.push_back(fmt::format(
        "an hour's intensity is taken to err by {:.0f} %, the series as a "
        "whole by {:.0f} % (assumed)",
        100 * kHourSd, 100 * kFactorsSd));
    if (series_.missing() > 0)
      plan.notes.push_back(
          fmt::format("steps that are missing, which no window touches: {}",
                      series_.missing()));
    if (series_.estimated() > 0)
      plan.notes.push_back(fmt::format(
          "steps that the source has estimated: {}", series_.estimated()));
    if (query_.now.micros +
            static_cast<int64_t>(query_.deadline.value() * 1e6) >
        series_.end().micros)
      plan.notes.push_back("the series ends " + FormatUtc(series_.end()) +
                           ", before the deadline");
  }

  const WhenQuery& query_;
  const IntensitySeries& series_;
  const std::vector<StartWindow> windows_;
  StartWindow now_;
};

}  // namespace

Plan BeginWhenPlan(const WhenQuery& query) {
  Plan plan;
  plan.verb = "when";
  plan.title =
      fmt::format("when to run {} within {}", FormatDuration(query.duration),
                  FormatDuration(query.deadline));
  plan.inputs = {{"energy", FormatNumber(InKilowattHours(query.it_energy), 4) +
                                " kWh of the machines"},
                 {"now", FormatUtc(query.now)}};
  return plan;
}

std::string WaitUntil(const WhenQuery& query, WallTime start) {
  return FormatDuration(
      Seconds(static_cast<double>(start.micros - query.now.micros) / 1e6));
}

// Hours that both have err alike.
double WindowRatioSd(const StartWindow& a, const StartWindow& b,
                     Seconds duration) {
  const double apart =
      std::abs(static_cast<double>(a.start.micros - b.start.micros)) / 1e6;
  return kHourSd * std::sqrt(2 * std::min(1.0, apart / duration.value()));
}

Result<Plan> PlanWindows(const WhenQuery& query,
                         const IntensitySeries& series) {
  MODICUM_TRY(std::vector<StartWindow> windows,
              StartWindows(series, query.now, query.duration, query.deadline));
  return Windows(query, series, std::move(windows)).ToPlan();
}

}  // namespace modicum
