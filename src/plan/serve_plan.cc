// SPDX-License-Identifier: Apache-2.0
#include "plan/serve_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/suggest.h"
#include "plan/amount.h"

namespace modicum {
namespace {

// Host beside active accelerators: 0.06 Wh to 0.14 Wh (Elsworth et al. 2025).
constexpr Spread kHost{1 + 0.06 / 0.14, 0.1};

// What one query takes, and the site in a second.
struct ServeFigures {
  Spread joules_per_token, prefill_joules, decode_joules;
  Spread kwh, grams, market, embodied, litres, cost, electricity;
  Spread tokens_per_second, ttft, tpot;
};

// How far the serving model is off, as a logarithm's standard deviation, and
// where it is from.
struct ServingError {
  double decode = 0, prefill = 0, energy = 0;
  std::string source;
};
ServingError ErrorOf(const ServeQuery& query) {
  const ServingCoefficients c = CoefficientsOf(query.chip);
  if (!query.fit)
    return {c.time_sd, c.time_sd, c.energy_sd, std::string(c.source)};
  return {
      query.fit->decode.sd, query.fit->prefill.sd, query.fit->energy.sd,
      fmt::format("corrected by {} run{} of {} model{} on {}", query.fit->runs,
                  query.fit->runs == 1 ? "" : "s", query.fit->models,
                  query.fit->models == 1 ? "" : "s", query.machine)};
}

ServeFigures FiguresOf(const ServeQuery& query, const ServePoint& point) {
  const ServingError error = ErrorOf(query);
  ServeFigures f;
  const double batch = std::max(1.0, point.batch);
  f.decode_joules = {point.decode.joules / batch, error.energy};
  f.prefill_joules = {point.prefill.joules, error.energy};
  const Spread answer{f.decode_joules.mid * query.output + f.prefill_joules.mid,
                      error.energy};
  f.joules_per_token = answer * (1 / query.output);
  f.tokens_per_second = {query.qps * query.output, 0};
  f.ttft = {point.ttft, error.prefill};
  f.tpot = {point.tpot, error.decode};
  // Seconds of a device per query while busy, and idle over the day.
  const double device_seconds = point.gpus() / query.qps;
  const double idle_seconds =
      device_seconds * (24 - query.busy_hours) / query.busy_hours;
  const double idle_joules = idle_seconds * query.chip.idle.value();
  // A replica with less than one query in flight waits between them.
  const double waiting =
      std::max(0.0, 1 - point.batch) * device_seconds * query.chip.idle.value();
  const Spread it_kwh =
      (answer + Spread{idle_joules + waiting, 0.2}) * kHost * (1 / 3.6e6);
  f.kwh = it_kwh * SpreadOf(query.place.pue);
  f.grams = f.kwh * SpreadOf(query.place.intensity);
  if (query.place.market_intensity)
    f.market = f.kwh * query.place.market_intensity->mid.value();
  f.litres = it_kwh * WaterPerKwh(query.place);
  const double hours = (device_seconds + idle_seconds) / 3600;
  f.embodied = EmbodiedPerHour(query.chip) * hours;
  const Spread rent = query.rent_usd        ? Spread{*query.rent_usd, 0}
                      : query.chip.rent_usd ? RentOf(query.chip)
                                            : HardwareOf(query.chip, OwnCost{});
  f.cost = rent * hours;
  f.electricity = f.kwh * TariffUsd(query.place);
  if (!query.rent_usd && !query.chip.rent_usd) f.cost = f.cost + f.electricity;
  return f;
}

class Rows {
 public:
  explicit Rows(Plan& plan) : plan_(plan) {}
  void Add(std::string key, std::string label, std::string unit,
           const Spread& value, std::string source) {
    plan_.figures.push_back(FigureOf(std::move(key), std::move(label),
                                     std::move(unit), value,
                                     std::move(source)));
  }

 private:
  Plan& plan_;
};

void AddCapacity(Plan& plan, const ServeQuery& query, const ServePoint& point,
                 const ServeFigures& f) {
  const std::string model = ErrorOf(query).source;
  const double kv_bits = FindDataType(query.cache)->bits;
  Rows rows(plan);
  rows.Add("gpus", "GPUs", "", {static_cast<double>(point.gpus()), 0},
           fmt::format("{} replicas of {}", point.replicas, point.devices));
  rows.Add("batch", "queries in flight per replica", "", {point.batch, 0},
           fmt::format("Little's law; the cache holds {:g}", point.most));
  rows.Add("kv_bytes_per_token", "cache per token", "B",
           {KvBytesPerToken(query.model, kv_bits), 0},
           "heads x head size x layers, exact");
  rows.Add("kv_bytes_per_query", "cache per query", "B",
           {KvBytes(query.model, query.prompt + query.output, kv_bits), 0},
           "windows and state-space layers counted, exact");
  rows.Add("ttft_s", "time to the first token", "s", f.ttft,
           "prefill at 60 % of peak; " + model);
  rows.Add("tpot_s", "time per output token", "s", f.tpot, model);
  rows.Add("p95_s", "95th percentile of an answer", "s",
           {point.p95, ErrorOf(query).decode},
           "Poisson arrivals, batch + 1.645 sqrt(batch)");
  rows.Add("tokens_per_second", "output tokens per second", "/s",
           f.tokens_per_second, "queries per second x output");
}

void AddEnergy(Plan& plan, const ServeQuery& query, const ServeFigures& f) {
  const std::string model = ErrorOf(query).source;
  Rows rows(plan);
  rows.Add("joules_per_token", "accelerators, per output token", "J",
           f.joules_per_token, "prefill and decode; " + model);
  rows.Add("decode_joules_per_token", "decode, per output token", "J",
           f.decode_joules, model);
  rows.Add("prefill_joules_per_token", "prefill, per prompt token", "J",
           f.prefill_joules * (1 / std::max(1.0, query.prompt - query.cached)),
           "1.1 pJ per FLOP on H100");
  rows.Add("wh_per_query", "energy per query", "Wh", f.kwh * 1e3,
           "with host, idle hours and PUE");
  rows.Add("gco2e_per_query", "carbon per query, location-based", "gCO2e",
           f.grams, query.place.name);
  if (query.place.market_intensity)
    rows.Add("gco2e_market_per_query", "carbon per query, market-based",
             "gCO2e", f.market, "contracts, given");
  rows.Add("gco2e_embodied_per_query", "carbon per query, embodied", "gCO2e",
           f.embodied, "device and server over 6 years");
  rows.Add("water_ml_per_query", "water per query", "mL", f.litres * 1e3,
           "WUE + PUE x EWIF");
}

// 1 - cost / price, whose interval mirrors the cost's.
void AddMargin(Plan& plan, const ServeQuery& query, const ServeFigures& f) {
  if (!query.price) {
    plan.notes.push_back(
        "the gross margin needs a price per query: --price 0.002");
    return;
  }
  const Range<double> cost = f.cost.range();
  const double price = *query.price;
  plan.figures.push_back(
      {"gross_margin",
       "gross margin",
       "",
       {1 - cost.high / price, 1 - cost.mid / price, 1 - cost.low / price},
       Origin::kModelled,
       fmt::format("1 - cost / {:g} USD", price)});
}

// "1 GPU", "2 GPUs".
template <class Number>
std::string Counted(Number count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void AddBreakEven(Plan& plan, const ServeQuery& query, const ServePoint& point,
                  const ServeFigures& f) {
  if (!query.api_output) return;
  const double api = (query.prompt * query.api_input.value_or(0) +
                      query.output * *query.api_output) /
                     1e6;
  Rows rows(plan);
  rows.Add("api_cost_per_query", "the API's price per query", "USD", {api, 0},
           "given");
  const Spread site = f.cost * (query.qps * 3600 * query.busy_hours);
  rows.Add("break_even_queries_per_day",
           "queries a day from which own is cheaper", "", site * (1 / api),
           fmt::format("{} a day over the API's price",
                       Counted(point.gpus(), "GPU")));
  plan.notes.push_back(fmt::format(
      "at {:g} queries per second the API costs {} USD a query, the own "
      "machines {} (P50)",
      query.qps, FormatNumber(api, 3), FormatNumber(f.cost.mid, 3)));
}

void AddMoney(Plan& plan, const ServeQuery& query, const ServePoint& point,
              const ServeFigures& f) {
  Rows rows(plan);
  rows.Add("cost_per_query", "cost per query (COGS)", "USD", f.cost,
           query.rent_usd || query.chip.rent_usd
               ? "rent of all GPUs, idle hours included, over the queries"
               : "hardware and electricity over the queries");
  rows.Add("cost_per_million_tokens", "cost per million output tokens", "USD",
           f.cost * (1e6 / query.output), "cost per query over its output");
  AddMargin(plan, query, f);
  AddBreakEven(plan, query, point, f);
}

// A query on the machine where models were measured, one at a time.
Spread MeasuredCost(const ServeQuery& query, const MeasuredModel& model) {
  const Spread kwh = model.Joules(query.prompt, query.output) * (1 / 3.6e6) *
                     SpreadOf(query.place.pue);
  const double hours = model.Seconds(query.prompt, query.output) / 3600;
  return kwh * TariffUsd(query.place) +
         Spread{query.machine_rent.value_or(0) * hours, 0};
}

std::string WithRange(const Spread& spread) {
  const Range<double> range = spread.range();
  return fmt::format("{} [{}, {}]", FormatNumber(range.mid, 3),
                     FormatNumber(range.low, 3), FormatNumber(range.high, 3));
}

// Own models, as they were measured, beside the plan.
void AddMeasured(Plan& plan, const ServeQuery& query, const ServeFigures& f) {
  if (query.measured.empty()) return;
  PlanTable table{"measured on " + query.machine,
                  {"model", "runs", "reads /s", "writes /s",
                   "J a token written", "s a query", "J a query", "USD a query",
                   "planned cheaper from queries/day"},
                  {}};
  const Spread site = f.cost * (query.qps * 3600 * query.busy_hours);
  for (const MeasuredModel& model : query.measured) {
    const Spread cost = MeasuredCost(query, model);
    table.rows.push_back(
        {model.model, std::to_string(model.runs),
         FormatNumber(1 / model.prefill_s, 3),
         FormatNumber(1 / model.decode_s, 3),
         WithRange({model.decode_j, model.energy_sd}),
         FormatNumber(model.Seconds(query.prompt, query.output), 3),
         WithRange(model.Joules(query.prompt, query.output)), WithRange(cost),
         cost.mid > 0 ? WithRange(site * (1 / cost)) : "-"});
  }
  plan.tables.push_back(std::move(table));
  plan.notes.push_back(fmt::format(
      "measured: one sequence at a time, times grow with the context; [ ] are "
      "P10 to P90; USD is {} without idle hours",
      query.machine_rent ? "electricity and --machine-rent"
                         : "electricity alone (--machine-rent adds the "
                           "machine)"));
}

void AddFit(Plan& plan, const ServeQuery& query) {
  if (!query.fit) return;
  const ServingFit& fit = *query.fit;
  plan.notes.push_back(fmt::format(
      "{}: decoding takes {} times what the model says, reading {}, energy {}",
      ErrorOf(query).source, WithRange(fit.decode), WithRange(fit.prefill),
      WithRange(fit.energy)));
  const double size = query.model.parameters;
  if (size > 3 * fit.most || size < fit.least / 3)
    plan.notes.push_back(fmt::format(
        "the measured models have {} to {} parameters: {} is far from these",
        FormatBillions(fit.least), FormatBillions(fit.most),
        FormatBillions(size)));
}

void AddBars(Plan& plan, const ServeQuery& query, const ServePoint& point) {
  const double n = point.devices;
  const double weights =
      query.model.parameters * FindDataType(query.weights)->bits / 8 / n / 1e9;
  const double each = KvBytes(query.model, query.prompt + query.output,
                              FindDataType(query.cache)->bits) /
                      n / 1e9;
  plan.bars.push_back({"memory per GPU",
                       "GB",
                       {{"weights", weights},
                        {"cache in use", each * point.batch},
                        {"runtime, a tenth", query.chip.memory.value() / 1e10}},
                       query.chip.memory.value() / 1e9,
                       query.chip.name});
  plan.bars.push_back(
      {"accelerator energy of a query",
       "J",
       {{"prefill", point.prefill.joules},
        {"decode",
         point.decode.joules / std::max(1.0, point.batch) * query.output}},
       std::nullopt,
       ""});
}

void AddInputs(Plan& plan, const ServeQuery& query) {
  const auto add = [&plan](std::string_view name, std::string value) {
    plan.inputs.emplace_back(name, std::move(value));
  };
  add("model", query.model.name);
  add("chip", query.chip.name);
  add("weights", query.weights);
  add("cache", query.cache);
  add("queries per second", FormatNumber(query.qps, 4));
  add("prompt", FormatNumber(query.prompt, 6));
  if (query.cached > 0) add("of it cached", FormatNumber(query.cached, 6));
  add("output", FormatNumber(query.output, 6));
  if (query.p95) add("p95", FormatDuration(Seconds(*query.p95)));
  add("busy hours a day", FormatNumber(query.busy_hours, 3));
  add("place", query.place.name);
}

void AddFactors(Plan& plan, const ServeQuery& query) {
  plan.factors = query.place.factors;
  const Accelerator& chip = query.chip;
  const auto add = [&plan](std::string name, double value, std::string unit,
                           std::string source) {
    plan.factors.push_back(
        {std::move(name), value, std::move(unit), std::move(source), ""});
  };
  const ServingCoefficients c = CoefficientsOf(chip);
  add("bandwidth, " + chip.name, chip.bandwidth / 1e9, "GB/s", chip.source);
  add("dense peak, " + chip.name, chip.Peak(query.weights) / 1e12, "TFLOP/s",
      chip.source);
  add("time of weights over bandwidth", c.weights, "", std::string(c.source));
  add("time of the cache over bandwidth", c.kv, "", std::string(c.source));
  add("host over accelerators", kHost.mid, "", "Elsworth et al. 2025");
  if (query.rent_usd || chip.rent_usd)
    add("rent per GPU-hour", query.rent_usd.value_or(chip.rent_usd.value_or(0)),
        "USD", query.rent_usd ? "given by the user" : chip.price_source);
}

Result<const DataType*> TypeOf(const std::string& name) {
  if (const DataType* type = FindDataType(name)) return type;
  std::vector<std::string_view> names;
  for (const DataType& type : DataTypes()) names.push_back(type.name);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("unknown number format '{}'{}", name,
                          DidYouMean(name, names)),
              "bf16, fp8, int8, int4, nf4, q4_k, ...: `modicum plan "
              "precision` lists them");
}

Status Check(const ServeQuery& query) {
  MODICUM_RETURN_IF_ERROR(TypeOf(query.weights).map([](auto) {}));
  MODICUM_RETURN_IF_ERROR(TypeOf(query.cache).map([](auto) {}));
  if (query.place.intensity.mid.value() == 0)
    return Fail(ErrorCode::kInvalidInput,
                "an intensity of 0 g/kWh is missing data, not clean power",
                "give the average of the grid: --intensity 385, or --place SE");
  if (query.cached >= query.prompt && query.cached > 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{:g} cached tokens of a prompt of {:g}",
                            query.cached, query.prompt),
                "at least one token of a prompt is new");
  if (query.tensor && (*query.tensor > query.chip.per_node ||
                       (*query.tensor & (*query.tensor - 1)) != 0))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("--tensor {} is not a power of two up to {}",
                            *query.tensor, query.chip.per_node),
                "a replica stays within one machine");
  if (query.model.type == "bert")
    return Fail(ErrorCode::kInvalidInput,
                query.model.name + " encodes: it generates no tokens",
                "plan serve is for models that generate");
  return {};
}

}  // namespace

Result<Plan> PlanServing(const ServeQuery& query) {
  MODICUM_RETURN_IF_ERROR(Check(query));
  Plan plan;
  plan.verb = "serve";
  plan.title = fmt::format("serve {} at {:g} queries per second on {}",
                           query.model.name, query.qps, query.chip.name);
  AddInputs(plan, query);
  std::string why;
  const auto point = ChooseServing(query, &why);
  plan.fits = point.has_value();
  AddFactors(plan, query);
  if (!point) {
    plan.verdict = why;
    Rows(plan).Add(
        "kv_bytes_per_token", "cache per token", "B",
        {KvBytesPerToken(query.model, FindDataType(query.cache)->bits), 0},
        "heads x head size x layers, exact");
    return plan;
  }
  plan.verdict = fmt::format("{}: {} of {}, {:.1f} queries in flight each",
                             Counted(point->gpus(), "GPU"),
                             Counted(point->replicas, "replica"),
                             point->devices, point->batch);
  plan.choices = {{"replicas", std::to_string(point->replicas)},
                  {"tensor", std::to_string(point->devices)}};
  const ServeFigures figures = FiguresOf(query, *point);
  AddCapacity(plan, query, *point, figures);
  AddEnergy(plan, query, figures);
  AddMoney(plan, query, *point, figures);
  AddBars(plan, query, *point);
  AddMeasured(plan, query, figures);
  AddFit(plan, query);
  if (query.model.shape_assumed)
    plan.notes.push_back("the shape is assumed from the parameters");
  if (point->devices > query.chip.per_node)
    plan.notes.push_back(
        "a replica spans machines: the time between them is not measured");
  if (query.prompt + query.output > query.model.context &&
      query.model.context > 0)
    plan.notes.push_back(
        fmt::format("prompt and output are longer than the model's context of "
                    "{}",
                    query.model.context));
  return plan;
}

}  // namespace modicum
