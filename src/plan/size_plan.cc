// SPDX-License-Identifier: Apache-2.0
#include "plan/size_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "plan/amount.h"

namespace modicum {
namespace {

constexpr Flops kLeast{1e15}, kMost{1e32};
// Text that people wrote and published: 300 (100 to 1,000) trillion tokens,
// Villalobos et al. 2024, Will we run out of data?
constexpr double kAllText = 3e14;

// What the budget buys: of its own unit exactly itself.
struct Bought {
  Spread flop;
  Spread gpu_hours, kwh, usd;  // where there is a chip
};

// USD per GPU-hour: the rent, or hardware and electricity where no rent is
// known.
Spread PricePerHour(const TrainInputs& in) {
  if (in.rent.mid > 0) return in.rent;
  return in.own + in.watts * in.pue * in.tariff * 1e-3;
}

Bought Buy(const TrainBudget& budget, const TrainInputs* in) {
  const auto* flop = std::get_if<Flops>(&budget);
  if (in == nullptr) return {{flop->value(), 0}, {}, {}, {}};
  Bought b;
  const Spread rate = in->efficiency * (3600 * in->peak);  // FLOP per GPU-hour
  const Spread kwh_per_hour = in->watts * in->pue * 1e-3;
  const Spread price = PricePerHour(*in);
  if (flop != nullptr) {
    b.gpu_hours = flop->value() / rate;
  } else if (const auto* usd = std::get_if<Amount>(&budget)) {
    b.gpu_hours = usd->value() / price;
  } else {
    b.gpu_hours = InKilowattHours(std::get<Joules>(budget)) / kwh_per_hour;
  }
  b.flop = b.gpu_hours * rate;
  b.kwh = b.gpu_hours * kwh_per_hour;
  b.usd = b.gpu_hours * price;
  if (flop != nullptr) b.flop = {flop->value(), 0};
  if (const auto* usd = std::get_if<Amount>(&budget)) b.usd = {usd->value(), 0};
  if (const auto* energy = std::get_if<Joules>(&budget))
    b.kwh = {InKilowattHours(*energy), 0};
  return b;
}

std::string BudgetText(const TrainBudget& budget) {
  if (const auto* flop = std::get_if<Flops>(&budget))
    return fmt::format("{:g} FLOP", flop->value());
  if (const auto* usd = std::get_if<Amount>(&budget))
    return FormatNumber(usd->value(), 6) + " USD";
  return FormatNumber(InKilowattHours(std::get<Joules>(budget)), 6) + " kWh";
}

// What is sized, with how sure it is.
struct Sized {
  Sizing sizing;
  double loss = 0, loss_sd = 0;
  Spread parameters, tokens, ratio;
};

Sized SizedAt(const ScalingLaw& law, const Sizing& sizing, const Spread& flop) {
  Sized s;
  s.sizing = sizing;
  s.loss = LossOf(law, sizing);
  // An error of the budget moves parameters and tokens together, one of the
  // law apart.
  const double share = law.beta / (law.alpha + law.beta);
  const double sd = SizeSd(Flops(flop.mid));
  s.parameters = {sizing.parameters, std::hypot(share * flop.sd, sd)};
  s.tokens = {sizing.tokens, std::hypot((1 - share) * flop.sd, sd)};
  s.ratio = {sizing.tokens / sizing.parameters,
             std::hypot((1 - 2 * share) * flop.sd, 2 * sd)};
  s.loss_sd = std::hypot(LossSd(law, sizing),
                         law.alpha * share * (s.loss - law.e) * flop.sd);
  return s;
}

void AddSized(Plan& plan, const Sized& s, const ScalingLaw& law,
              const std::string& key, const std::string& label) {
  const std::string source(law.source);
  const auto add = [&](std::string_view name, std::string_view text,
                       std::string unit, const Spread& spread) {
    plan.figures.push_back(FigureOf(key + std::string(name),
                                    fmt::format("{}{}", text, label),
                                    std::move(unit), spread, source));
  };
  add("parameters_billion", "parameters", "billion", s.parameters * 1e-9);
  add("tokens_billion", "tokens", "billion", s.tokens * 1e-9);
  add("tokens_per_parameter", "tokens per parameter", "", s.ratio);
  const double half = kZ80 * s.loss_sd;
  plan.figures.push_back({key + "loss",
                          "predicted loss" + label,
                          "nats/token",
                          {s.loss - half, s.loss, s.loss + half},
                          Origin::kModelled,
                          "standard errors of the refit's constants"});
}

// Training of the model that is cheapest over its life, over the budget.
double MoreTraining(const ScalingLaw& law, Flops budget, double served) {
  const double loss = LossOf(law, ComputeOptimal(law, budget));
  return CheapestOverLife(law, loss, served).training() / budget;
}

void AddLifetime(Plan& plan, const SizeQuery& query, const Sized& optimal,
                 const Spread& flop) {
  const double served = *query.lifetime_tokens;
  const Sizing sizing = CheapestOverLife(*query.law, optimal.loss, served);
  const Flops budget = optimal.sizing.training();
  const double more = MoreTraining(*query.law, budget, served);
  const double apart =
      MoreTraining(ShiftedLaw(*query.law, budget), budget, served);
  const Spread training = flop * Spread{more, std::abs(std::log(apart / more))};
  const Sized life = SizedAt(*query.law, sizing, training);
  AddSized(plan, life, *query.law, "lifetime_", ", over its life");
  const auto add = [&](std::string key, std::string label, const Spread& value,
                       std::string source) {
    plan.figures.push_back(FigureOf(std::move(key), std::move(label), "FLOP",
                                    value, std::move(source)));
  };
  add("lifetime_training_flop", "training, over its life", training,
      fmt::format("6ND; {:.0f} % more than the budget", 100 * (more - 1)));
  const auto total = [&](const Sized& s, const Spread& trained) {
    return trained + s.parameters * (2 * served);
  };
  add("total_flop", "training and serving, compute-optimal",
      total(optimal, flop), "6ND + 2N x lifetime tokens");
  add("lifetime_total_flop", "training and serving, over its life",
      total(life, training), "6ND + 2N x lifetime tokens");
  const double before = total(optimal, flop).mid;
  const double after = total(life, training).mid;
  plan.verdict += fmt::format(
      "; serving {} tokens, {} parameters on {} tokens reach the same loss "
      "with {:.0f} % less compute in all",
      FormatBillions(served), FormatBillions(sizing.parameters),
      FormatBillions(sizing.tokens), 100 * (1 - after / before));
  if (sizing.tokens > kAllText)
    plan.notes.push_back(
        "over its life: more text than people have published (about 3e14 "
        "tokens, Villalobos et al. 2024); tokens shown again teach less");
}

void AddChip(Plan& plan, const SizeQuery& query, const TrainInputs& in,
             const Bought& bought) {
  const TrainQuery& train = *query.train;
  const auto add = [&plan](std::string key, std::string label, std::string unit,
                           const Spread& spread, std::string source) {
    plan.figures.push_back(FigureOf(std::move(key), std::move(label),
                                    std::move(unit), spread,
                                    std::move(source)));
  };
  add("gpu_hours", "GPU-hours", "h", bought.gpu_hours,
      fmt::format("{} TFLOP/s at {:.0f} %, {}", FormatNumber(in.peak / 1e12, 4),
                  100 * in.efficiency.mid, train.chip.name));
  if (train.count)
    add("days", "time", "days", bought.gpu_hours * (1.0 / *train.count / 24),
        fmt::format("on {} GPUs", *train.count));
  add("energy_mwh", "energy", "MWh", bought.kwh * 1e-3,
      fmt::format("{:.0f} W per GPU with its host, PUE {:.2f}", in.watts.mid,
                  in.pue.mid));
  add("tco2e", "carbon, location-based", "tCO2e",
      bought.kwh * in.intensity * 1e-6, train.place.name);
  add("cost", "cost", "USD", bought.usd,
      in.rent.mid > 0 ? "rent" : "hardware and electricity");
}

void AddNotes(Plan& plan, const SizeQuery& query, const Spread& flop) {
  if (flop.mid > kLargestFitted.value())
    plan.notes.push_back(fmt::format(
        "the law was fitted to runs of up to 1.3e22 FLOP; this is {} times "
        "as much",
        FormatNumber(flop.mid / kLargestFitted.value())));
  if (query.law->id == "hoffmann") {
    const Sizing printed = ComputeOptimal(*query.law, Flops(flop.mid));
    const Sizing whole = ComputeOptimal(ScalingLaws()[2], Flops(flop.mid));
    plan.notes.push_back(fmt::format(
        "the printed exponents 0.34 and 0.28 are rounded from 0.3392 and "
        "0.2849: {} tokens per parameter instead of {}; the published "
        "intervals are implausibly narrow (Besiroglu et al. 2024), so that "
        "the refit's are used",
        FormatNumber(printed.tokens / printed.parameters),
        FormatNumber(whole.tokens / whole.parameters)));
  }
  if (!query.lifetime_tokens)
    plan.notes.push_back(
        "a model that answers much is better smaller and trained for longer: "
        "--lifetime-tokens 1T");
}

void AddFactors(Plan& plan, const ScalingLaw& law) {
  const std::pair<std::string_view, double> constants[] = {{"E", law.e},
                                                           {"A", law.a},
                                                           {"alpha", law.alpha},
                                                           {"B", law.b},
                                                           {"beta", law.beta}};
  for (const auto& [name, value] : constants)
    plan.factors.push_back({"scaling law, " + std::string(name), value, "",
                            std::string(law.source), ""});
}

}  // namespace

Result<TrainBudget> ParseBudget(std::string_view text, std::string_view flag) {
  MODICUM_TRY(const UnitAmount amount, ParseBudgetAmount(text, flag));
  if (amount.unit == "usd") return TrainBudget(Amount(amount.value));
  if (amount.unit == "kWh") return TrainBudget(KilowattHours(amount.value));
  return TrainBudget(Flops(amount.value));
}

Result<Plan> PlanSizing(const SizeQuery& query) {
  if (!query.train && !std::holds_alternative<Flops>(query.budget))
    return Fail(ErrorCode::kInvalidInput,
                "how much compute the budget buys depends on the chip",
                "--gpu h100; `modicum plan chips` lists them");
  Plan plan;
  plan.verb = "size";
  std::optional<TrainInputs> inputs;
  if (query.train)
    inputs = TrainInputsOf(*query.train, query.train->count.value_or(1),
                           &plan.factors);
  const Bought bought = Buy(query.budget, inputs ? &*inputs : nullptr);
  const Spread& flop = bought.flop;
  if (!(flop.mid >= kLeast.value() && flop.mid <= kMost.value()))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("a budget of {}{} is no language model's",
                            BudgetText(query.budget),
                            std::holds_alternative<Flops>(query.budget)
                                ? ""
                                : fmt::format(" ({:g} FLOP)", flop.mid)),
                "from 1e15 to 1e32 FLOP; is the budget in the right unit?");
  const Sized optimal =
      SizedAt(*query.law, ComputeOptimal(*query.law, Flops(flop.mid)), flop);
  plan.title = fmt::format("the best model for {}", BudgetText(query.budget));
  plan.inputs = {{"budget", BudgetText(query.budget)},
                 {"constants", std::string(query.law->id)}};
  if (query.lifetime_tokens)
    plan.inputs.emplace_back("lifetime tokens",
                             FormatBillions(*query.lifetime_tokens));
  if (query.train) {
    plan.inputs.emplace_back("chip", query.train->chip.name);
    plan.inputs.emplace_back("place", query.train->place.name);
  }
  plan.verdict = fmt::format("compute-optimal: {} parameters on {} tokens",
                             FormatBillions(optimal.sizing.parameters),
                             FormatBillions(optimal.sizing.tokens));
  plan.figures.push_back(
      FigureOf("flop", "compute", "FLOP", flop,
               flop.sd == 0 ? "given" : "what the budget buys, 6ND"));
  AddSized(plan, optimal, *query.law, "", "");
  if (query.lifetime_tokens) AddLifetime(plan, query, optimal, flop);
  if (query.train) AddChip(plan, query, *inputs, bought);
  AddFactors(plan, *query.law);
  AddNotes(plan, query, flop);
  return plan;
}

}  // namespace modicum
