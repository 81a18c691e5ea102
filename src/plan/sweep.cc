// SPDX-License-Identifier: Apache-2.0
#include "plan/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "base/suggest.h"
#include "plan/amount.h"

namespace modicum {
namespace {

constexpr std::array<std::string_view, 7> kTrainNames{
    "count", "tokens", "batch", "seq", "mfu", "power", "rent"};
constexpr std::array<std::string_view, 6> kServeNames{
    "qps", "prompt", "output", "p95", "busy-hours", "rent"};
constexpr std::array<std::string_view, 8> kTrainFigures{
    "days",       "gpus",  "memory_gb_per_gpu", "gpu_hours",
    "energy_mwh", "tco2e", "water_l",           "cost"};
constexpr std::array<std::string_view, 8> kServeFigures{"gpus",
                                                        "cost_per_query",
                                                        "p95_s",
                                                        "tpot_s",
                                                        "joules_per_token",
                                                        "wh_per_query",
                                                        "gco2e_per_query",
                                                        "water_ml_per_query"};

std::string List(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

size_t PointsOf(std::span<const SweepAxis> axes) {
  size_t points = 1;
  for (const SweepAxis& axis : axes)
    points = std::min(points * axis.values.size(), kMostSweepPoints + 1);
  return points;
}

Status CheckAxes(std::span<const SweepAxis> axes) {
  for (size_t i = 0; i < axes.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (axes[i].name == axes[j].name)
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("{} is swept twice", axes[i].name),
                    "one --sweep per input");
  if (PointsOf(axes) <= kMostSweepPoints) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("more than {} points to plan", kMostSweepPoints),
              "fewer steps: --sweep count=64..1024:9");
}

// Values of the axes at one of their combinations.
std::vector<double> At(std::span<const SweepAxis> axes, size_t point) {
  std::vector<double> values(axes.size());
  for (size_t i = axes.size(); i-- > 0;) {
    values[i] = axes[i].values[point % axes[i].values.size()];
    point /= axes[i].values.size();
  }
  return values;
}

int Whole(double value) {
  return static_cast<int>(std::lround(std::clamp(value, 1.0, 1e9)));
}

void Apply(std::string_view name, double value, TrainQuery& query) {
  if (name == "count") query.count = Whole(value);
  if (name == "tokens") query.tokens = value;
  if (name == "batch") query.setup.micro_batch = Whole(value);
  if (name == "seq") query.setup.sequence = Whole(value);
  if (name == "mfu") query.efficiency = value;
  if (name == "power") query.watts = value;
  if (name == "rent") query.rent_usd = value;
}

void Apply(std::string_view name, double value, ServeQuery& query) {
  if (name == "qps") query.qps = value;
  if (name == "prompt") query.prompt = value;
  if (name == "output") query.output = value;
  if (name == "p95") query.p95 = value;
  if (name == "busy-hours") query.busy_hours = std::min(value, 24.0);
  if (name == "rent") query.rent_usd = value;
}

// The inputs that change with the query; the rest is the base's.
void Update(const TrainQuery& query, int devices, TrainInputs& inputs) {
  const double per_token = query.setup.adapter.rank > 0 ? 4 : 6;
  inputs.flop = per_token * query.model.active * query.tokens;
  inputs.devices = devices;
  if (query.efficiency) inputs.efficiency = {*query.efficiency, 0};
  if (query.watts) inputs.watts = {*query.watts, 0};
  if (query.rent_usd) inputs.rent = {*query.rent_usd, 0};
}

Layout LayoutAt(const TrainQuery& query) {
  if (!query.parallel)
    return BestLayout(query.model, query.setup, query.chip,
                      query.count.value_or(1));
  Parallelism parallel = *query.parallel;
  // A fixed parallelism is of one replica; more devices are more replicas.
  const int parts = parallel.tensor * parallel.pipeline;
  if (query.count) parallel.data = std::max(1, *query.count / parts);
  const TrainMemory memory = TrainMemoryOf(query.model, query.setup, parallel);
  return {parallel, memory, memory.total() <= query.chip.memory.value()};
}

std::array<Range<double>, 8> Figures(const TrainPoint& point) {
  const auto exact = [](double value) {
    return Range<double>{value, value, value};
  };
  const TrainFigures& f = point.figures;
  return {f.days.range(),
          exact(point.devices),
          exact(point.memory / 1e9),
          f.gpu_hours.range(),
          f.energy_mwh.range(),
          f.tco2e.range(),
          f.water_l.range(),
          f.rent.mid > 0 ? f.rent.range() : f.own.range()};
}

Result<size_t> PlotIndex(std::string_view plot,
                         std::span<const std::string_view> figures) {
  if (plot.empty()) return 0;
  const auto found = std::ranges::find(figures, plot);
  if (found == figures.end())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("--plot {} is no figure of a sweep{}", plot,
                            DidYouMean(plot, figures)),
                "one of " + List(figures));
  return static_cast<size_t>(found - figures.begin());
}

constexpr double kPlotColumns = 30;

// Rows as they come, the plotted figure as a bar beside it.
class SweepTable {
 public:
  SweepTable(std::span<const SweepAxis> axes,
             std::span<const std::string_view> figures, size_t plot)
      : plot_(plot) {
    table_.title = "sweep";
    for (const SweepAxis& axis : axes) table_.columns.push_back(axis.name);
    table_.columns.emplace_back("fits");
    for (const std::string_view figure : figures)
      table_.columns.emplace_back(figure);
    table_.columns.push_back("P50 of " + std::string(figures[plot]));
  }

  void Add(const std::vector<double>& at, bool fits,
           std::span<const Range<double>> figures) {
    std::vector<std::string> row;
    row.reserve(at.size() + figures.size() + 2);
    for (const double value : at) row.push_back(FormatNumber(value, 4));
    row.emplace_back(fits ? "yes" : "no");
    for (const Range<double>& figure : figures)
      row.push_back(FormatNumber(figure.mid, 4));
    table_.rows.push_back(std::move(row));
    plotted_.push_back(figures.empty() ? 0 : figures[plot_].mid);
  }
  PlanTable Finish() {
    const double most = *std::ranges::max_element(plotted_);
    for (size_t i = 0; i < plotted_.size(); ++i) {
      const double share = most > 0 ? plotted_[i] / most : 0;
      table_.rows[i].resize(table_.columns.size() - 1);
      table_.rows[i].emplace_back(
          static_cast<size_t>(std::lround(kPlotColumns * share)), '#');
    }
    return std::move(table_);
  }

 private:
  size_t plot_;
  PlanTable table_;
  std::vector<double> plotted_;
};

PlanCurve CurveOf(std::span<const SweepAxis> axes, std::string_view figure) {
  return {fmt::format("{} over {}", figure, axes[0].name),
          axes[0].name,
          std::string(figure),
          {}};
}

Plan SweepPlan(std::string title, std::span<const SweepAxis> axes) {
  Plan plan;
  plan.verb = "sweep";
  plan.title = std::move(title);
  for (const SweepAxis& axis : axes)
    plan.inputs.emplace_back(axis.name,
                             fmt::format("{} values", axis.values.size()));
  return plan;
}

const PlanFigure* Find(const Plan& plan, std::string_view key) {
  const auto found = std::ranges::find(plan.figures, key, &PlanFigure::key);
  return found == plan.figures.end() ? nullptr : &*found;
}

}  // namespace

Result<SweepAxis> ParseSweep(std::string_view text,
                             std::span<const std::string_view> names) {
  const size_t equals = text.find('=');
  SweepAxis axis{std::string(text.substr(0, equals)), {}};
  const std::string flag = "--sweep " + axis.name;
  if (std::ranges::find(names, axis.name) == names.end())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("cannot sweep '{}'{}", axis.name,
                            DidYouMean(axis.name, names)),
                "--sweep NAME=64..1024 of " + List(names));
  std::string_view rest =
      equals == std::string_view::npos ? "" : text.substr(equals + 1);
  const size_t dots = rest.find("..");
  if (dots == std::string_view::npos) {
    do {
      const size_t end = std::min(rest.find(','), rest.size());
      MODICUM_TRY(const double value, ParseAmount(rest.substr(0, end), flag));
      axis.values.push_back(value);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return axis;
  }
  const size_t colon = std::min(rest.find(':', dots), rest.size());
  MODICUM_TRY(const double low, ParseAmount(rest.substr(0, dots), flag));
  MODICUM_TRY(const double high,
              ParseAmount(rest.substr(dots + 2, colon - dots - 2), flag));
  double steps = std::floor(std::log2(high / low) + 1e-9) + 1;
  double ratio = 2;
  if (colon < rest.size()) {
    MODICUM_TRY(steps, ParseAmount(rest.substr(colon + 1), flag));
    ratio = steps > 1 ? std::pow(high / low, 1 / (steps - 1)) : 1;
  }
  if (!(high >= low) || steps < 1 ||
      steps > static_cast<double>(kMostSweepPoints))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}={} is no range of at most {} steps", flag, rest,
                            kMostSweepPoints),
                "from low to high: --sweep count=64..1024 or count=64..1024:9");
  for (int i = 0; i < static_cast<int>(steps); ++i)
    axis.values.push_back(low * std::pow(ratio, i));
  return axis;
}

std::span<const std::string_view> TrainSweepNames() { return kTrainNames; }
std::span<const std::string_view> ServeSweepNames() { return kServeNames; }

std::vector<TrainPoint> SweepPoints(const TrainQuery& query,
                                    std::span<const SweepAxis> axes) {
  TrainInputs inputs = TrainInputsOf(query, 1);
  TrainQuery at = query;
  const size_t count = PointsOf(axes);
  std::vector<TrainPoint> points;
  points.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    size_t rest = i;
    for (size_t axis = axes.size(); axis-- > 0;) {
      const auto& values = axes[axis].values;
      Apply(axes[axis].name, values[rest % values.size()], at);
      rest /= values.size();
    }
    const Layout layout = LayoutAt(at);
    Update(at, layout.parallel.devices(), inputs);
    points.push_back({layout.fits, layout.parallel.devices(),
                      layout.memory.total(), EstimateTraining(inputs)});
  }
  return points;
}

Result<Plan> SweepTraining(const TrainQuery& query,
                           const std::vector<SweepAxis>& axes,
                           std::string_view plot) {
  MODICUM_RETURN_IF_ERROR(CheckAxes(axes));
  MODICUM_TRY(const size_t index, PlotIndex(plot, kTrainFigures));
  // Refuses what a single plan refuses.
  TrainQuery first = query;
  for (const SweepAxis& axis : axes) Apply(axis.name, axis.values[0], first);
  MODICUM_TRY(const Plan one, PlanTraining(first));
  TrainQuery base = query;
  const bool counted = std::ranges::any_of(
      axes, [](const SweepAxis& axis) { return axis.name == "count"; });
  if (!counted && !base.count && !base.parallel)
    base.count = Whole(Find(one, "gpus")->range.mid);
  Plan plan = SweepPlan(
      fmt::format("train {} on {}", query.model.name, query.chip.name), axes);
  plan.factors = one.factors;
  SweepTable table(axes, kTrainFigures, index);
  PlanCurve curve = CurveOf(axes, kTrainFigures[index]);
  const auto points = SweepPoints(base, axes);
  for (size_t i = 0; i < points.size(); ++i) {
    const auto figures = Figures(points[i]);
    const auto at = At(axes, i);
    table.Add(at, points[i].fits, figures);
    curve.points.push_back({at[0], figures[index]});
  }
  plan.tables.push_back(table.Finish());
  plan.curves.push_back(std::move(curve));
  plan.notes.push_back("the table has P50s; the page draws P10 to P90");
  return plan;
}

Result<Plan> SweepServing(const ServeQuery& query,
                          const std::vector<SweepAxis>& axes,
                          std::string_view plot) {
  MODICUM_RETURN_IF_ERROR(CheckAxes(axes));
  MODICUM_TRY(const size_t index, PlotIndex(plot, kServeFigures));
  Plan plan = SweepPlan(
      fmt::format("serve {} on {}", query.model.name, query.chip.name), axes);
  SweepTable table(axes, kServeFigures, index);
  PlanCurve curve = CurveOf(axes, kServeFigures[index]);
  for (size_t i = 0; i < PointsOf(axes); ++i) {
    const auto at = At(axes, i);
    ServeQuery own = query;
    for (size_t axis = 0; axis < axes.size(); ++axis)
      Apply(axes[axis].name, at[axis], own);
    MODICUM_TRY(const Plan one, PlanServing(own));
    std::vector<Range<double>> figures;
    for (const std::string_view key : kServeFigures)
      if (const PlanFigure* figure = Find(one, key))
        figures.push_back(figure->range);
    if (figures.size() < kServeFigures.size()) figures.clear();
    table.Add(at, *one.fits, figures);
    if (!figures.empty()) curve.points.push_back({at[0], figures[index]});
    plan.factors = one.factors;
  }
  plan.tables.push_back(table.Finish());
  plan.curves.push_back(std::move(curve));
  plan.notes.push_back("the table has P50s; the page draws P10 to P90");
  return plan;
}

}  // namespace modicum
