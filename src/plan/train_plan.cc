// SPDX-License-Identifier: Apache-2.0
#include "plan/train_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace modicum {
namespace {

// BLOOM 2.45 (Luccioni et al. 2022), OLMo 1.5, Olmo 3 5.6: everything that a
// project computed over its final run; geometric mean and spread.
constexpr Spread kDevelopment{2.74, 0.66};
constexpr int kMostDevices = 1 << 20;

std::string Devices(const Accelerator& chip, int count) {
  return fmt::format("{} {}", FormatCount(static_cast<uint64_t>(count)),
                     chip.name);
}

PlanFigure ExactFigure(std::string key, std::string label, std::string unit,
                       double value, std::string source) {
  return {std::move(key),        std::move(label),  std::move(unit),
          {value, value, value}, Origin::kModelled, std::move(source)};
}

PlanBar MemoryBar(const TrainMemory& memory, const Accelerator& chip) {
  return {"memory per GPU",
          "GB",
          {{"weights", memory.weights / 1e9},
           {"gradients", memory.gradients / 1e9},
           {"optimizer", memory.optimizer / 1e9},
           {"activations", memory.activations / 1e9},
           {"logits", memory.logits / 1e9},
           {"runtime", memory.runtime / 1e9},
           {"fragmentation", memory.fragmentation / 1e9}},
          chip.memory.value() / 1e9,
          chip.name};
}

// The largest part of what does not fit, and what would make it smaller.
std::string WhyNot(const TrainMemory& memory, const TrainQuery& query) {
  const double limit = query.chip.memory.value();
  std::string why = fmt::format("{} of {} per GPU in the smallest layout",
                                FormatBytes(Bytes(memory.total())),
                                FormatBytes(query.chip.memory));
  const double states = memory.weights + memory.gradients + memory.optimizer;
  if (states > memory.activations + memory.logits)
    why += fmt::format(
        "; weights, gradients and optimizer alone take {}: more GPUs, "
        "--lora 16, --qlora 16 or --train-format adam8bit",
        FormatBytes(Bytes(states)));
  else if (memory.activations > limit / 4 || memory.logits > limit / 4)
    why += fmt::format(
        "; activations and logits take {}: a shorter --seq or more GPUs",
        FormatBytes(Bytes(memory.activations + memory.logits)));
  return why;
}

void AddChoices(Plan& plan, const TrainQuery& query, const Parallelism& p) {
  const auto add = [&plan](std::string_view name, std::string value) {
    plan.choices.emplace_back(name, std::move(value));
  };
  add("data", std::to_string(p.data));
  add("tensor", std::to_string(p.tensor));
  add("pipeline", std::to_string(p.pipeline));
  if (query.model.moe()) add("expert", std::to_string(p.expert));
  add("zero", std::to_string(p.zero));
  add("recompute", std::string(RecomputeName(p.recompute)));
  if (query.setup.adapter.rank > 0)
    add(query.setup.adapter.weight_bits < 16 ? "qlora" : "lora",
        fmt::format("rank {}", query.setup.adapter.rank));
}

void AddInputs(Plan& plan, const TrainQuery& query) {
  const auto add = [&plan](std::string_view name, std::string value) {
    plan.inputs.emplace_back(name, std::move(value));
  };
  const Architecture& model = query.model;
  add("model", model.name);
  add("parameters",
      FormatCount(static_cast<uint64_t>(std::llround(model.parameters))));
  if (model.active != model.parameters)
    add("active",
        FormatCount(static_cast<uint64_t>(std::llround(model.active))));
  add("tokens", FormatCount(static_cast<uint64_t>(query.tokens)));
  add("chip", query.chip.name);
  add("place", query.place.name);
  add("training", query.setup.format.name);
  add("sequence", std::to_string(query.setup.sequence));
  add("micro-batch", std::to_string(query.setup.micro_batch));
}

void AddMoney(Plan& plan, const TrainQuery& query, const TrainInputs& inputs,
              const TrainFigures& figures) {
  if (inputs.rent.mid > 0)
    plan.figures.push_back(FigureOf(
        "cost", "rent", "USD", figures.rent,
        fmt::format("{} USD per GPU-hour, {}", FormatNumber(inputs.rent.mid, 3),
                    query.rent_usd ? "given" : query.chip.price_source)));
  if (!(inputs.own.mid > 0)) return;
  plan.figures.push_back(
      FigureOf("own_cost", "cost on own hardware", "USD", figures.own,
               fmt::format("hardware over {:g} years at {:.0f} % use, and "
                           "electricity; no staff",
                           query.own.years, 100 * query.own.utilization)));
  plan.bars.push_back({"cost on own hardware",
                       "USD",
                       {{"hardware", figures.hardware.mid},
                        {"electricity", figures.electricity.mid}},
                       inputs.rent.mid > 0
                           ? std::optional<double>(figures.rent.mid)
                           : std::nullopt,
                       "rented instead"});
  // What a plan of a chip without a rent costs is its own cost.
  if (!(inputs.rent.mid > 0)) {
    PlanFigure cost = plan.figures.back();
    cost.key = "cost";
    cost.label = "cost";
    plan.figures.push_back(cost);
  }
}

std::string HoursSource(const TrainQuery& query, const TrainInputs& inputs) {
  if (query.gpu_hours) return "given";
  return fmt::format(
      "{} FLOP per parameter and token at {:.0f} % of {} "
      "TFLOP/s{}",
      query.setup.adapter.rank > 0 ? 4 : 6, 100 * inputs.efficiency.mid,
      FormatNumber(inputs.peak / 1e12, 4),
      query.efficiency ? " (given)" : ", of published runs");
}

void AddFigures(Plan& plan, const TrainQuery& query, const TrainInputs& inputs,
                const TrainFigures& figures) {
  const auto add = [&plan](std::string key, std::string label, std::string unit,
                           const Spread& spread, std::string source) {
    plan.figures.push_back(FigureOf(std::move(key), std::move(label),
                                    std::move(unit), spread,
                                    std::move(source)));
  };
  add("gpu_hours", "GPU-hours", "h", figures.gpu_hours,
      HoursSource(query, inputs));
  add("days", "time", "days", figures.days, "GPU-hours over the GPUs");
  add("energy_mwh", "energy", "MWh", figures.energy_mwh,
      fmt::format("{:.0f} W per GPU with its host{}, PUE {:.2f}",
                  inputs.watts.mid, query.watts ? " (given)" : "",
                  inputs.pue.mid));
  add("tco2e", "carbon, location-based", "tCO2e", figures.tco2e,
      fmt::format("{:.0f} g/kWh, {}", inputs.intensity.mid, query.place.name));
  if (figures.market_t)
    add("tco2e_market", "carbon, market-based", "tCO2e", *figures.market_t,
        fmt::format("{:g} g/kWh of its contracts, given",
                    query.place.market_intensity->mid.value()));
  add("tco2e_embodied", "carbon, embodied", "tCO2e", figures.embodied_t,
      "device and server over 6 years at 85 % use");
  add("water_l", "water", "L", figures.water_l, "WUE + PUE x EWIF");
  AddMoney(plan, query, inputs, figures);
  plan.figures.push_back(
      FigureOf("development_multiplier", "whole project over this run", "",
               inputs.development, "BLOOM 2.45, OLMo 1.5, Olmo 3 5.6"));
  add("project_energy_mwh", "energy, whole project", "MWh", figures.project_mwh,
      "energy x development multiplier");
  add("project_tco2e", "carbon, whole project", "tCO2e", figures.project_t,
      "carbon x development multiplier");
}

void AddNotes(Plan& plan, const TrainQuery& query) {
  if (query.model.shape_assumed)
    plan.notes.push_back(fmt::format(
        "the shape is assumed from the parameters: {} layers of {}; memory is "
        "closer with a config.json",
        query.model.layers, query.model.hidden));
  if (!query.place.market_intensity)
    plan.notes.push_back(
        "market-based carbon needs the contracts' intensity: "
        "--market-intensity");
  if (query.place.assumed)
    plan.notes.push_back("no place was named: the world average is assumed");
  if (query.setup.sequence > query.model.context && query.model.context > 0)
    plan.notes.push_back(
        fmt::format("the sequence is longer than the model's context of {}",
                    query.model.context));
  if (query.chip.kind != "gpu" && query.chip.kind != "tpu")
    plan.notes.push_back(
        "no published run trained on this kind of chip: its efficiency is "
        "assumed, with a wide interval");
}

void AddDeepSpeed(Plan& plan, const Architecture& model, int devices) {
  const auto gib = [](double bytes) {
    return FormatNumber(bytes / 1073741824.0, 3) + " GiB";
  };
  plan.tables.push_back(
      {"DeepSpeed's own estimates, states per GPU",
       {"layout", "memory"},
       {{"ZeRO-3, nothing offloaded",
         gib(DeepSpeedZero3(model.parameters, model.largest_layer, devices))},
        {"optimizer offloaded, one GPU",
         gib(DeepSpeedOffloadedOptimizer(model.parameters,
                                         model.largest_layer))},
        {"everything offloaded",
         gib(DeepSpeedOffloaded(model.largest_layer))}}});
}

Status Check(const TrainQuery& query) {
  if (query.place.intensity.mid.value() == 0)
    return Fail(ErrorCode::kInvalidInput,
                "an intensity of 0 g/kWh is missing data, not clean power",
                "give the average of the grid: --intensity 385, or --place "
                "SE; contracts go in --market-intensity");
  if (query.gpu_hours && query.efficiency)
    return Fail(ErrorCode::kInvalidInput,
                "--gpu-hours and --mfu contradict each other",
                "give one of them");
  const double flop = 6 * query.model.active * query.tokens;
  if (!(flop < 1e40))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{:g} FLOP are beyond any machine", flop),
                "are --tokens and the parameters in the right units?");
  return {};
}

Result<Layout> LayoutOf(const TrainQuery& query) {
  if (query.parallel) {
    Layout layout{*query.parallel,
                  TrainMemoryOf(query.model, query.setup, *query.parallel),
                  false};
    layout.fits = layout.memory.total() <= query.chip.memory.value();
    return layout;
  }
  if (query.count)
    return BestLayout(query.model, query.setup, query.chip, *query.count);
  if (const auto fewest = FewestDevices(query.model, query.setup, query.chip,
                                        kMostDevices / 16))
    return *fewest;
  return BestLayout(query.model, query.setup, query.chip, kMostDevices / 16);
}

}  // namespace

TrainInputs TrainInputsOf(const TrainQuery& query, double devices,
                          std::vector<Factor>* factors) {
  TrainInputs inputs;
  const double per_token = query.setup.adapter.rank > 0 ? 4 : 6;
  inputs.flop = per_token * query.model.active * query.tokens;
  inputs.peak =
      query.chip.Peak(query.setup.format.weight == 4 ? "tf32" : "bf16");
  inputs.devices = devices;
  inputs.efficiency = query.efficiency
                          ? Spread{*query.efficiency, 0}
                          : EfficiencyPrior(query.chip, query.early_stack);
  inputs.gpu_hours = query.gpu_hours;
  inputs.watts = query.watts ? Spread{*query.watts, 0}
                             : PowerPrior(query.chip) * query.chip.tdp.value();
  inputs.pue = SpreadOf(query.place.pue);
  inputs.intensity = SpreadOf(query.place.intensity);
  if (query.place.market_intensity)
    inputs.market = Spread{query.place.market_intensity->mid.value(), 0};
  inputs.water = WaterPerKwh(query.place);
  inputs.rent =
      query.rent_usd ? Spread{*query.rent_usd, 0} : RentOf(query.chip);
  inputs.own = HardwareOf(query.chip, query.own);
  inputs.tariff = TariffUsd(query.place);
  inputs.embodied = EmbodiedPerHour(query.chip);
  inputs.development = kDevelopment;
  if (factors == nullptr) return inputs;
  *factors = query.place.factors;
  const auto add = [&](std::string name, double value, std::string unit,
                       std::string source) {
    factors->push_back(
        {std::move(name), value, std::move(unit), std::move(source), ""});
  };
  add("dense peak, " + query.chip.name, inputs.peak / 1e12, "TFLOP/s",
      query.chip.source);
  add("share of peak (MFU x goodput)", inputs.efficiency.mid, "",
      query.efficiency ? "given by the user"
                       : "published_training.csv, by group of chip");
  add("power per GPU with its host", inputs.watts.mid, "W",
      query.watts ? "given by the user"
                  : "published runs with metered power on this chip; without "
                    "one 1.05 of TDP (TPU 1.27)");
  add("embodied carbon per GPU-hour", inputs.embodied.mid, "g",
      "Luccioni et al. 2022");
  if (inputs.rent.mid > 0)
    add("rent per GPU-hour", inputs.rent.mid, "USD",
        query.rent_usd ? "given by the user" : query.chip.price_source);
  return inputs;
}

Result<Plan> PlanTraining(const TrainQuery& query) {
  MODICUM_RETURN_IF_ERROR(Check(query));
  MODICUM_TRY(const Layout layout, LayoutOf(query));
  const int devices = layout.parallel.devices();
  Plan plan;
  plan.verb = "train";
  plan.title = fmt::format("train {} on {}", query.model.name,
                           Devices(query.chip, devices));
  AddInputs(plan, query);
  plan.fits = layout.fits;
  plan.verdict = layout.fits
                     ? fmt::format("{} of {} per GPU{}",
                                   FormatBytes(Bytes(layout.memory.total())),
                                   FormatBytes(query.chip.memory),
                                   query.count || query.parallel
                                       ? ""
                                       : "; the fewest GPUs that do")
                     : WhyNot(layout.memory, query);
  const Spread memory{layout.memory.total() / 1e9, 0.08};
  if (layout.fits && memory.range().high > query.chip.memory.value() / 1e9)
    plan.verdict += fmt::format("; at P90, {}, it would not fit",
                                FormatBytes(Bytes(memory.range().high * 1e9)));
  AddChoices(plan, query, layout.parallel);
  const TrainInputs inputs = TrainInputsOf(query, devices, &plan.factors);
  plan.figures.push_back(
      ExactFigure("gpus", "GPUs", "", devices,
                  query.count || query.parallel ? "given" : "fewest"));
  plan.figures.push_back(
      FigureOf("memory_gb_per_gpu", "memory per GPU", "GB", memory,
               "weights, gradients, optimizer, activations, runtime"));
  plan.bars.push_back(MemoryBar(layout.memory, query.chip));
  AddFigures(plan, query, inputs, EstimateTraining(inputs));
  AddDeepSpeed(plan, query.model, devices);
  AddNotes(plan, query);
  return plan;
}

}  // namespace modicum
