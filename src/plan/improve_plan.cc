// SPDX-License-Identifier: Apache-2.0
#include "plan/improve_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "place/place.h"
#include "place/tables.h"
#include "plan/amount.h"
#include "plan/scaling.h"

namespace modicum {
namespace {

constexpr std::string_view kSource = "Patterson et al. 2022";
// Of all four, carbon; of the first three, energy.
constexpr double kLeastProduct = 70, kMostProduct = 1000, kMostEnergy = 100;

// A step as published and as taken here.
struct Step {
  std::string_view name;
  double low = 1, high = 1;  // published factors of carbon
  std::string change = {};   // "H100 SXM instead of A100"; "" not taken
  Spread factor{1, 0};       // carbon before over carbon after
  double before_t = 0, after_t = 0;
  bool saves_energy = true;

  bool taken() const { return !change.empty(); }
};

// The run as it is after the steps so far.
struct State {
  TrainQuery query;

  TrainInputs inputs() const { return TrainInputsOf(query, 1); }
  TrainFigures figures() const { return EstimateTraining(inputs()); }
};

Spread Over(const Spread& a, const Spread& b) { return a * (1 / b); }

// What remains of hours that were given, when the work changes.
void SetWork(State& state, const Architecture& model, double tokens) {
  const double before = state.inputs().flop;
  state.query.model = model;
  state.query.tokens = tokens;
  if (state.query.gpu_hours)
    *state.query.gpu_hours *= state.inputs().flop / before;
}

// Compute of `sizing` over the least that reaches its loss.
double TooMuch(const ScalingLaw& law, const Sizing& sizing) {
  return sizing.training() /
         CheapestWithLoss(law, LossOf(law, sizing)).training();
}

// A model with too few tokens is too large for its loss. One with more than
// compute-optimal is left as it is: it was made small for those who use it.
void ToOptimal(State& state, Step& step, Plan& plan) {
  const ScalingLaw& law = ScalingLaws()[0];
  const Sizing now{state.query.model.active, state.query.tokens};
  const Sizing best = CheapestWithLoss(law, LossOf(law, now));
  if (best.parameters >= now.parameters) {
    plan.notes.push_back(
        "model: it has more tokens than compute-optimal, which makes it small "
        "for those who use it; name a better one with --to-model");
    return;
  }
  const ScalingLaw shifted = ShiftedLaw(law, now.training());
  const double factor = TooMuch(law, now);
  step.factor = {factor, std::abs(std::log(TooMuch(shifted, now) / factor))};
  step.change = fmt::format(
      "{} parameters on {} tokens, the same predicted "
      "loss",
      FormatBillions(best.parameters), FormatBillions(best.tokens));
  Architecture model = state.query.model;
  model.parameters *= best.parameters / now.parameters;
  model.active = best.parameters;
  SetWork(state, model, best.tokens);
}

void ToModel(State& state, const ImproveQuery& query, Step& step) {
  const double before = state.inputs().flop;
  const double tokens = query.tokens.value_or(state.query.tokens);
  step.change = fmt::format(
      "{}{}", query.model->name,
      query.tokens ? " on " + FormatBillions(tokens) + " tokens" : "");
  SetWork(state, *query.model, tokens);
  step.factor = {before / state.inputs().flop, 0};
}

// Joules of a FLOP that is useful.
Spread JoulesPerFlop(const TrainInputs& in) {
  return Over(in.watts, in.efficiency * in.peak);
}

// Of those that published runs trained on: the others' efficiency is a guess.
const Accelerator& BestChip() {
  const auto joules = [](const Accelerator& chip) {
    const bool trained = std::ranges::any_of(
        TrainingRuns(),
        [&](const TrainingRun& run) { return run.chip == chip.id; });
    if (!trained || !chip.rent_usd) return HUGE_VAL;
    return PowerPrior(chip).mid * chip.tdp.value() /
           (EfficiencyPrior(chip, false).mid * chip.Peak("bf16"));
  };
  return *std::ranges::min_element(Accelerators(), {}, joules);
}

void ToChip(State& state, const Accelerator& chip, Step& step) {
  if (chip.id == state.query.chip.id) return;
  const TrainInputs before = state.inputs();
  // Hours that were given say what this chip's energy was.
  const Spread was =
      before.gpu_hours
          ? Spread{*before.gpu_hours * 3600 / before.flop, 0} * before.watts
          : JoulesPerFlop(before);
  state.query.chip = chip;
  state.query.efficiency.reset();
  state.query.watts.reset();
  state.query.gpu_hours.reset();
  state.query.early_stack = false;
  step.factor = Over(was, JoulesPerFlop(state.inputs()));
  step.change = chip.name;
}

const Provider& BestProvider() {
  return *std::ranges::min_element(Providers(), {}, [](const Provider& p) {
    return p.id == "none" ? HUGE_VAL : p.pue.value;
  });
}

Status ToProvider(State& state, const std::string& provider, Step& step) {
  MODICUM_TRY(const Place there, FindPlace({.provider = provider}));
  Place& place = state.query.place;
  if (place.pue.mid == there.pue.mid) return {};
  step.factor = Over(SpreadOf(place.pue), SpreadOf(there.pue));
  place.pue = there.pue;
  place.water_onsite = there.water_onsite;
  step.change = fmt::format("PUE {:.2f}, {}", there.pue.mid.value(),
                            FindProvider(provider)->name);
  return {};
}

// Of those that publish their own water and prices: grids where machines are
// rented.
const Region& CleanestRegion() {
  return *std::ranges::min_element(Regions(), {}, [](const Region& region) {
    const bool real = region.code != "EU" && region.code != "world" &&
                      FindWater(region.code) && FindPrice(region.code);
    return real ? region.intensity.value : HUGE_VAL;
  });
}

Status ToRegion(State& state, const std::string& region, Step& step) {
  MODICUM_TRY(const Place there, FindPlace({.region = region}));
  Place& place = state.query.place;
  if (there.id == place.id) return {};
  step.factor = Over(SpreadOf(place.intensity), SpreadOf(there.intensity));
  place.intensity = there.intensity;
  place.water_offsite = there.water_offsite;
  place.name = there.name;
  step.change = fmt::format("{}, {:.0f} gCO2e/kWh", there.name,
                            there.intensity.mid.value());
  return {};
}

// Takes step `i`; true when the query names what to, false when it is chosen
// here.
Result<bool> Take(size_t i, const ImproveQuery& query, State& state, Step& step,
                  Plan& plan) {
  if (i == 0) {
    query.model ? ToModel(state, query, step) : ToOptimal(state, step, plan);
    return query.model.has_value();
  }
  if (i == 1) {
    ToChip(state, query.chip ? *query.chip : BestChip(), step);
    return query.chip.has_value();
  }
  if (i == 2) {
    MODICUM_RETURN_IF_ERROR(ToProvider(
        state, query.provider.empty() ? BestProvider().id : query.provider,
        step));
    return !query.provider.empty();
  }
  MODICUM_RETURN_IF_ERROR(ToRegion(
      state, query.region.empty() ? CleanestRegion().code : query.region,
      step));
  return !query.region.empty();
}

std::string Published(double low, double high) {
  return fmt::format("{:g} to {:g}", low, high);
}

std::string Judged(double factor, double low, double high) {
  return factor < low ? "below" : factor > high ? "above" : "within";
}

std::string RangeText(const Spread& factor) {
  if (factor.sd == 0) return "exact";
  const Range<double> range = factor.range();
  return fmt::format("{} to {}", FormatNumber(range.low, 3),
                     FormatNumber(range.high, 3));
}

PlanTable StepsTable(const std::array<Step, 4>& steps) {
  PlanTable table{"",
                  {"step", "to", "tCO2e before", "after", "factor",
                   "P10 to P90", "published", "it is"},
                  {}};
  for (const Step& step : steps)
    table.rows.push_back(
        {std::string(step.name), step.taken() ? step.change : "not taken",
         FormatNumber(step.before_t, 3), FormatNumber(step.after_t, 3),
         step.taken() ? FormatNumber(step.factor.mid, 3) : "-",
         step.taken() ? RangeText(step.factor) : "-",
         Published(step.low, step.high),
         step.taken() ? Judged(step.factor.mid, step.low, step.high) : "-"});
  return table;
}

// What there is now, taken apart: each step's share in turn, then the rest.
PlanBar Waterfall(const std::array<Step, 4>& steps) {
  PlanBar bar{"carbon, step by step", "tCO2e", {}, std::nullopt, ""};
  for (const Step& step : steps)
    if (step.taken() && step.before_t > step.after_t)
      bar.parts.push_back(
          {"less by " + std::string(step.name), step.before_t - step.after_t});
  bar.parts.push_back({"left", steps.back().after_t});
  return bar;
}

void AddFigures(Plan& plan, const TrainFigures& now, const TrainFigures& after,
                const std::array<Step, 4>& steps) {
  Spread carbon{1, 0}, energy{1, 0};
  for (const Step& step : steps) {
    carbon = carbon * step.factor;
    if (step.saves_energy) energy = energy * step.factor;
  }
  const auto add = [&plan](std::string key, std::string label, std::string unit,
                           const Spread& spread, std::string source) {
    plan.figures.push_back(FigureOf(std::move(key), std::move(label),
                                    std::move(unit), spread,
                                    std::move(source)));
  };
  add("now_tco2e", "carbon now", "tCO2e", now.tco2e, "as `plan train`");
  add("after_tco2e", "carbon after all steps", "tCO2e", after.tco2e,
      "as `plan train`");
  add("now_mwh", "energy now", "MWh", now.energy_mwh, "as `plan train`");
  add("after_mwh", "energy after all steps", "MWh", after.energy_mwh,
      "as `plan train`");
  add("carbon_factor", "carbon, all steps", "times", carbon,
      "product of the steps");
  add("energy_factor", "energy, all steps but map", "times", energy,
      "product of the steps");
  const bool all =
      std::ranges::all_of(steps, [](const Step& s) { return s.taken(); });
  plan.verdict =
      fmt::format("{} times less carbon, {} times less energy",
                  FormatNumber(carbon.mid, 3), FormatNumber(energy.mid, 3));
  plan.notes.push_back(fmt::format(
      "published for all four steps: {} times less carbon, up to {:g} times "
      "less energy ({}): this is {}{}{}",
      Published(kLeastProduct, kMostProduct), kMostEnergy, kSource,
      Judged(carbon.mid, kLeastProduct, kMostProduct),
      energy.mid > kMostEnergy ? ", its energy above" : "",
      all ? "" : "; not all four are taken"));
}

}  // namespace

Result<Plan> PlanImprovements(const ImproveQuery& query) {
  if (query.now.setup.adapter.rank > 0)
    return Fail(ErrorCode::kInvalidInput,
                "the steps are those of training a whole model, not adapters",
                "leave --lora and --qlora out");
  if (query.tokens && !query.model)
    return Fail(ErrorCode::kInvalidInput, "--to-tokens without a --to-model",
                "name the model that they train");
  // What `plan train` refuses is refused here.
  MODICUM_RETURN_IF_ERROR(PlanTraining(query.now));
  Plan plan;
  plan.verb = "improve";
  State state{query.now};
  const TrainFigures now = state.figures();
  std::array<Step, 4> steps{{{"model", 5, 10},
                             {"machine", 2, 5},
                             {"mechanization", 1.4, 2},
                             {"map", 5, 10}}};
  steps[3].saves_energy = false;
  for (size_t i = 0; i < steps.size(); ++i) {
    Step& step = steps[i];
    const State before = state;
    step.before_t = state.figures().tco2e.mid;
    MODICUM_TRY(const bool named, Take(i, query, state, step, plan));
    // What is chosen here must be better than what there is.
    if (!named && step.factor.mid <= 1) {
      state = before;
      step.factor = {1, 0};
      step.change.clear();
    }
    step.after_t = state.figures().tco2e.mid;
  }
  plan.title = "improve the training of " + query.now.model.name;
  plan.inputs = {
      {"model", query.now.model.name},
      {"tokens", FormatBillions(query.now.tokens)},
      {"chip", query.now.chip.name},
      {"PUE", fmt::format("{:.2f}", query.now.place.pue.mid.value())},
      {"place", query.now.place.name}};
  AddFigures(plan, now, state.figures(), steps);
  plan.bars.push_back(Waterfall(steps));
  plan.tables.push_back(StepsTable(steps));
  plan.notes.push_back(fmt::format(
      "published: {}, The Carbon Footprint of Machine Learning Training Will "
      "Plateau, Then Shrink; against models, chips and data centres of 2017",
      kSource));
  TrainInputsOf(query.now, 1, &plan.factors);
  return plan;
}

}  // namespace modicum
