// SPDX-License-Identifier: Apache-2.0
// The batch that traffic gives a replica, and the fewest devices in time.
//
// With continuous batching a replica of batch b finishes b / L(b) queries a
// second, where L(b) = output x t(b) + b x prefill: every query waits for the
// prefills of those beside it (Little's law). Arrivals are Poisson: the 95th
// percentile sees b + 1.645 sqrt(b) sequences.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/format.h"
#include "plan/serve_plan.h"

namespace modicum {
namespace {

constexpr double kMostBatch = 4096;  // what servers are configured for
constexpr int kMostMachines = 4;     // of one replica
constexpr double kMostReplicas = 1e6;

Replica ReplicaOf(const ServeQuery& query, int devices) {
  Replica replica{&query.model,
                  &query.chip,
                  devices,
                  FindDataType(query.weights)->bits,
                  FindDataType(query.cache)->bits,
                  query.chip.Peak(query.weights)};
  if (query.fit) {
    replica.decode_factor = query.fit->decode.mid;
    replica.prefill_factor = query.fit->prefill.mid;
    replica.energy_factor = query.fit->energy.mid;
  }
  return replica;
}

class Traffic {
 public:
  Traffic(const ServeQuery& query, const Replica& replica)
      : query_(query),
        replica_(replica),
        prefill_(Prefill(replica, query.prompt - query.cached)),
        context_(query.prompt + query.output / 2) {}

  double Latency(double batch) const {
    return query_.output * Step(batch) + batch * prefill_.seconds;
  }
  double Rate(double batch) const { return batch / Latency(batch); }
  double Step(double batch) const {
    return DecodeIteration(replica_, std::max(batch, 1.0), context_).seconds;
  }
  // The batch at which `rate` queries a second are finished; nullopt: more
  // than `most` allow.
  std::optional<double> BatchFor(double rate, double most) const {
    if (Rate(most) < rate) return std::nullopt;
    double low = 0;
    double high = most;
    for (int i = 0; i < 50; ++i) {
      const double middle = (low + high) / 2;
      (middle / Latency(middle) >= rate ? high : low) = middle;
    }
    return high;
  }
  const Iteration& prefill() const { return prefill_; }
  double context() const { return context_; }

 private:
  const ServeQuery& query_;
  const Replica& replica_;
  Iteration prefill_;
  double context_;
};

double Busy95(double batch) { return batch + 1.645 * std::sqrt(batch); }

std::optional<ServePoint> PointOf(const ServeQuery& query,
                                  const Replica& replica,
                                  const Traffic& traffic, int replicas,
                                  double most) {
  const auto batch = traffic.BatchFor(query.qps / replicas, most);
  if (!batch) return std::nullopt;
  const double busy = std::max(1.0, Busy95(*batch));
  if (busy > most) return std::nullopt;
  ServePoint point;
  point.devices = replica.devices;
  point.replicas = replicas;
  point.batch = *batch;
  point.most = most;
  point.prefill = traffic.prefill();
  point.decode =
      DecodeIteration(replica, std::max(1.0, *batch), traffic.context());
  point.tpot = traffic.Latency(std::max(1.0, *batch)) / query.output;
  // The prompt waits for the step at work and half of a prefill before it.
  point.ttft = point.prefill.seconds * 1.5 + point.decode.seconds / 2;
  point.p95_ttft = point.prefill.seconds * 3 + traffic.Step(busy);
  point.p95 = traffic.Latency(busy) + point.p95_ttft;
  if (query.p95 && point.p95 > *query.p95) return std::nullopt;
  if (query.ttft && point.p95_ttft > *query.ttft) return std::nullopt;
  return point;
}

// The fewest replicas: more of them only make each emptier and faster.
std::optional<ServePoint> FewestReplicas(const ServeQuery& query, int devices) {
  const Replica replica = ReplicaOf(query, devices);
  const double most =
      std::min(kMostBatch, MostSequences(replica, query.prompt + query.output));
  if (most < 1) return std::nullopt;
  const Traffic traffic(query, replica);
  double high = std::max(1.0, std::floor(query.qps / traffic.Rate(most)));
  double low = 0;
  const auto at = [&](double replicas) {
    return PointOf(query, replica, traffic, static_cast<int>(replicas), most);
  };
  while (!at(high)) {
    low = high;
    high *= 2;
    if (high > kMostReplicas) return std::nullopt;
  }
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2);
    if (at(middle))
      high = middle;
    else
      low = middle;
  }
  return at(high);
}

std::string WhyNot(const ServeQuery& query, int most_devices) {
  const Replica replica = ReplicaOf(query, most_devices);
  if (MostSequences(replica, query.prompt + query.output) < 1)
    return fmt::format(
        "{} of weights and {} of cache for one query are more than 90 % of {} "
        "x {}",
        FormatBytes(Bytes(replica.WeightBytes())),
        FormatBytes(Bytes(KvBytes(query.model, query.prompt + query.output,
                                  replica.kv_bits))),
        most_devices, FormatBytes(query.chip.memory));
  const Traffic traffic(query, replica);
  return fmt::format(
      "one query alone takes {} on {} devices: prefill {}, {:g} tokens of {}",
      FormatWithUnit(traffic.Latency(1), "s", 3), most_devices,
      FormatWithUnit(traffic.prefill().seconds, "s"), query.output,
      FormatWithUnit(traffic.Step(1), "s"));
}

}  // namespace

std::optional<ServePoint> ChooseServing(const ServeQuery& query,
                                        std::string* why) {
  std::optional<ServePoint> best;
  int most_devices = 1;
  // Over machines only where the weights leave no choice.
  const bool one_machine = MostSequences(ReplicaOf(query, query.chip.per_node),
                                         query.prompt + query.output) >= 1;
  const int limit = query.chip.per_node * (one_machine ? 1 : kMostMachines);
  for (int devices = 1; devices <= limit; devices *= 2) {
    if (query.tensor && devices != *query.tensor) continue;
    most_devices = devices;
    const auto point = FewestReplicas(query, devices);
    if (point && (!best || point->gpus() < best->gpus())) best = point;
  }
  if (!best && why != nullptr) *why = WhyNot(query, most_devices);
  return best;
}

}  // namespace modicum
