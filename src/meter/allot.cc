// SPDX-License-Identifier: Apache-2.0
#include "meter/allot.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "meter/attribution.h"
#include "meter/host_cpu.h"
#include "meter/reading.h"

namespace modicum {
namespace {

// What is left of a whole by rounding is none of it.
constexpr double kRounding = 1e-9;

// Time that explains a domain's energy: each consumer's, and everybody's.
struct Times {
  std::vector<Seconds> own;
  std::vector<Seconds> weighed;  // active energy goes by it
  Seconds sum;                   // of `own`
  Seconds busy;                  // no less than the sum of either
  Seconds capacity;
  Seconds own_sd;  // of one consumer's time, by the step it is counted in
};

Times CpuTimes(std::span<const Consumer> consumers, Seconds busy,
               Seconds capacity, Seconds Consumer::*weighed) {
  Times times;
  Seconds sum;
  for (const Consumer& consumer : consumers) {
    times.own.push_back(consumer.cpu);
    times.weighed.push_back(consumer.*weighed);
    times.sum += consumer.cpu;
    sum += consumer.*weighed;
  }
  times.busy = std::max({busy, times.sum, sum});
  times.capacity = std::max(capacity, times.busy);
  times.own_sd = HostCpuReader::Tick() / 2;
  return times;
}

Times DeviceTimesOf(std::span<const Consumer> consumers,
                    const DeviceTimes& device, Seconds wall) {
  Times times;
  for (const Consumer& consumer : consumers) {
    Seconds own;
    for (const pid_t pid : consumer.pids)
      if (const auto found = device.by_process.find(pid);
          found != device.by_process.end())
        own += found->second;
    times.own.push_back(own);
    times.weighed.push_back(own);
    times.sum += own;
  }
  for (const auto& [pid, busy] : device.by_process) times.busy += busy;
  times.busy = std::max(times.busy, times.sum);
  times.capacity = std::max(wall, times.busy);
  return times;
}

double Part(Seconds part, Seconds whole) {
  return whole > Seconds(0) ? part / whole : 0;
}

double IdleShare(const Times& times, Seconds own, IdlePolicy policy) {
  switch (policy) {
    case IdlePolicy::kMarginal:
      return 0;
    case IdlePolicy::kProportional:
      return Part(own, times.capacity);
    case IdlePolicy::kFull:
      return Part(own, times.sum);
  }
  return 0;
}

// Where one domain's idle and active energy go.
struct DomainSplit {
  Estimate<Joules> idle;
  Estimate<Joules> active;
};

DomainSplit SplitOf(const DomainEnergy& domain, Seconds wall) {
  DomainSplit split;
  const bool all_idle = domain.device && domain.device->idle;
  split.idle =
      all_idle ? domain.energy : IdlePart(domain.energy, domain.idle, wall);
  split.active = domain.energy - split.idle;
  split.active.difference = false;  // the idle part is at most all of it
  return split;
}

// Adds without a say in origin and scope.
Estimate<Joules> Nothing() {
  return Exactly(Joules(0), Origin::kCounter, Scope::kWall);
}

void Add(const DomainEnergy& domain, const DomainSplit& split,
         const Times& times, IdlePolicy policy, Allotment& sums) {
  sums.measured = sums.measured + domain.energy;
  double active_left = 1;
  double idle_left = 1;
  for (size_t i = 0; i < times.own.size(); ++i) {
    if (times.own[i] <= Seconds(0)) continue;
    const double share = Part(times.weighed[i], times.busy);
    const double idle_share = IdleShare(times, times.own[i], policy);
    Estimate<Joules> active = split.active * share;
    active.own_sd =
        std::hypot(active.own_sd,
                   split.active.mid.value() * Part(times.own_sd, times.busy));
    ConsumerEnergy& consumer = sums.shares[i];
    consumer.active = consumer.active + active;
    consumer.idle = consumer.idle + split.idle * idle_share;
    if (domain.device) consumer.of_devices = consumer.of_devices + active;
    active_left -= share;
    idle_left -= idle_share;
  }
  sums.unattributed =
      sums.unattributed + split.active * std::max(0.0, active_left);
  sums.idle = sums.idle + split.idle * std::max(0.0, idle_left);
}

// Domains lie side by side: together they cover what the widest does. Nothing
// of a measured whole is as measured as the whole.
void Finish(const EnergySplit& whole, Allotment& sums) {
  const auto finish = [&](Estimate<Joules>& part) {
    if (part.mid <= sums.measured.mid * kRounding) part = sums.measured * 0;
    part.WithScope(whole.measured.scope);
  };
  sums.measured.WithScope(whole.measured.scope);
  for (ConsumerEnergy& consumer : sums.shares) {
    finish(consumer.active);
    finish(consumer.idle);
    finish(consumer.of_devices);
  }
  finish(sums.idle);
  finish(sums.unattributed);
}

}  // namespace

ConsumerEnergy operator+(const ConsumerEnergy& a, const ConsumerEnergy& b) {
  return {a.active + b.active, a.idle + b.idle, a.of_devices + b.of_devices};
}

std::vector<Consumer> GroupBy(
    std::span<const ProcessCpuUse> processes,
    const std::function<std::string(const ProcessCpuUse&)>& name_of) {
  std::vector<Consumer> consumers;
  std::map<std::string, size_t> index;
  for (const ProcessCpuUse& process : processes) {
    std::string name = name_of(process);
    if (name.empty()) continue;
    const auto [at, fresh] = index.emplace(name, consumers.size());
    if (fresh) consumers.push_back({std::move(name), {}, {}, {}});
    Consumer& consumer = consumers[at->second];
    consumer.pids.push_back(process.pid);
    consumer.cpu += process.cpu;
    consumer.weighed += process.weighed;
  }
  return consumers;
}

Allotment Allot(const WindowReading& reading,
                std::span<const Consumer> consumers, IdlePolicy policy) {
  const auto times = [&](Seconds Consumer::*weighed) {
    return CpuTimes(consumers, reading.host_busy, reading.capacity, weighed);
  };
  const Times by_cpu = times(&Consumer::cpu);
  const Times by_weight = times(&Consumer::weighed);
  Times nobody;
  nobody.own.resize(consumers.size());
  Allotment sums{Nothing(), {}, Nothing(), Nothing()};
  sums.shares.resize(consumers.size(), {Nothing(), Nothing(), Nothing()});
  for (const DomainEnergy& domain : reading.domains) {
    if (!domain.domain.counted) continue;
    const DomainSplit split = SplitOf(domain, reading.wall);
    if (domain.device)
      Add(domain, split, DeviceTimesOf(consumers, *domain.device, reading.wall),
          policy, sums);
    else
      Add(domain, split,
          ExplainedByWeight(domain.domain)    ? by_weight
          : ExplainedByCpuTime(domain.domain) ? by_cpu
                                              : nobody,
          policy, sums);
  }
  Finish(reading.split, sums);
  return sums;
}

}  // namespace modicum
