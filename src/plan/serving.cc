// SPDX-License-Identifier: Apache-2.0
#include "plan/serving.h"

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "data/published_inference.h"

namespace modicum {
namespace {

// Fits to the H100 (227) and B200 configurations of ML.ENERGY v3, non-negative
// least squares; held-out models were missed by 16 % (energy) and 19 % (time)
// on H100, by 29 % (time) on B200: a mean absolute error of 0.798 sd.
constexpr ServingCoefficients kH100{
    1.41,    0.61,   0.99,
    1.11e-3, 4.7e-3, 67e-6,
    0.24,    0.20,   "fitted to ML.ENERGY v3 on H100"};
constexpr ServingCoefficients kB200{
    2.05,    2.76,   0.90,
    1.61e-3, 2.5e-3, 39e-6,
    0.36,    0.37,   "fitted to ML.ENERGY v3 on B200"};
// The same machine's terms on another chip: wider, assumed.
constexpr ServingCoefficients kOther{
    1.41,    0.61,   0.99,
    1.11e-3, 4.7e-3, 67e-6,
    0.45,    0.5,    "H100's coefficients on another chip"};

// Of the memory left beside weights, what a server gives to the cache.
constexpr double kUsableMemory = 0.9;
constexpr double kPrefillMfu = 0.6;
constexpr double kPrefillJoules = 1.1e-12;  // per FLOP, H100 at 60 %
// Median of power over TDP while serving, ML.ENERGY v3 (0.29 to 0.99).
constexpr double kServingPower = 0.73;

bool IsHopper(const Accelerator& chip) {
  return chip.id == "h100" || chip.id == "h200" || chip.id == "h800";
}

double WeightsRead(const Replica& replica, double batch) {
  const Architecture& model = *replica.model;
  double read = model.parameters;
  if (model.moe()) {
    const double missed = std::pow(
        1 - static_cast<double>(model.experts_per_token) / model.experts,
        batch);
    read -= model.expert_parameters * missed;
  }
  return read * replica.weight_bits / 8;
}

// Joules of H100's fit: watts per second of streaming and of waiting, and per
// byte and FLOP. Collinear: good together, not one by one.
double HopperJoules(const Replica& replica, double weights, double kv,
                    double flop, double batch) {
  const double n = replica.devices;
  const double rate = n * replica.chip->bandwidth;
  const double parallel = replica.devices > 1 ? 0.92 : 0;
  return n * (532 * weights / rate + 356 * kv / rate + 0.32 + parallel +
              0.035 * batch) +
         48e-12 * (weights + kv) + 0.96e-12 * flop;
}

std::vector<ServedRow> ReadRows() {
  const EmbeddedTable table(kPublishedInferenceCsv);
  std::vector<ServedRow> rows;
  for (size_t row = 0; row < table.size(); ++row)
    rows.push_back({table.at(row, "model"), table.at(row, "chip"),
                    table.at(row, "weights"),
                    static_cast<int>(table.number(row, "devices").value()),
                    table.number(row, "batch").value(),
                    table.number(row, "joules_per_token").value(),
                    table.number(row, "context").value()});
  return rows;
}

}  // namespace

ServingCoefficients CoefficientsOf(const Accelerator& chip) {
  if (IsHopper(chip)) return kH100;
  return chip.id == "b200" ? kB200 : kOther;
}

Iteration DecodeIteration(const Replica& replica, double batch,
                          double context) {
  const ServingCoefficients c = CoefficientsOf(*replica.chip);
  const double n = replica.devices;
  const double rate = n * replica.chip->bandwidth;
  const double weights = WeightsRead(replica, batch);
  const double kv = batch * KvBytes(*replica.model, context, replica.kv_bits);
  Iteration out;
  out.bytes = weights + kv;
  out.flop = batch * ForwardFlop(*replica.model, context);
  out.seconds = c.weights * weights / rate + c.kv * kv / rate +
                c.flop * out.flop / (n * replica.peak) + c.fixed +
                (replica.devices > 1 ? c.parallel : 0) + c.sequence * batch;
  out.joules =
      IsHopper(*replica.chip)
          ? HopperJoules(replica, weights, kv, out.flop, batch)
          : n * kServingPower * replica.chip->tdp.value() * out.seconds;
  out.seconds *= replica.decode_factor;
  out.joules *= replica.energy_factor;
  return out;
}

Iteration Prefill(const Replica& replica, double tokens) {
  Iteration out;
  const double n = replica.devices;
  out.flop = tokens * ForwardFlop(*replica.model, tokens / 2);
  out.bytes = replica.WeightBytes();
  // Short prompts wait for the weights.
  out.seconds = std::max(out.flop / (n * replica.peak * kPrefillMfu),
                         out.bytes / (n * replica.chip->bandwidth));
  const double watts = replica.chip->tdp.value();
  out.joules = IsHopper(*replica.chip)
                   ? kPrefillJoules * out.flop
                   : std::min(n * watts * out.seconds,
                              kPrefillJoules * out.flop * watts / 700 * 989e12 /
                                  replica.peak);
  out.seconds *= replica.prefill_factor;
  out.joules *= replica.energy_factor;
  return out;
}

double MostSequences(const Replica& replica, double context) {
  const double left =
      replica.devices * replica.chip->memory.value() * kUsableMemory -
      replica.WeightBytes();
  const double each = KvBytes(*replica.model, context, replica.kv_bits);
  if (left <= 0) return 0;
  return each > 0 ? std::floor(left / each) : 1e6;
}

const std::vector<ServedRow>& ServedRows() {
  static const std::vector<ServedRow> rows = ReadRows();
  return rows;
}

}  // namespace modicum
