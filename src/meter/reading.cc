// SPDX-License-Identifier: Apache-2.0
#include "meter/reading.h"

#include <algorithm>
#include <cmath>

#include "meter/cpu_weights.h"
#include "meter/warnings.h"

namespace modicum {
namespace {

// Two ends, two readers of the same ticks: standard deviations to allow.
constexpr double kTickSlack = 4;

// What a linear model makes of the CPU time that the window saw. Ticks reach
// the probe and the meter at slightly different moments, and miss short work:
// this takes the meter's count, and the subject's exact one where it is more.
// nullopt when the probe disagrees by more than ticks explain: then it is not
// linear, or has gaps, and its own figure stands.
std::optional<Joules> LinearEnergy(const DomainUse& use, const CpuUse& cpu,
                                   Seconds wall) {
  if (!use.per_cpu || !use.idle || use.gaps > 0) return std::nullopt;
  const Watts per_cpu = *use.per_cpu;
  const Joules seen = use.idle->mid * wall + per_cpu * cpu.busy;
  const double apart = std::abs((seen - use.energy).value());
  if (apart > (per_cpu * cpu.busy_sd * kTickSlack).value()) return std::nullopt;
  return use.idle->mid * wall + per_cpu * std::max(cpu.own, cpu.busy);
}

Estimate<Joules> EstimateOf(const DomainUse& use, Joules energy) {
  Estimate<Joules> measured =
      Exactly(energy, use.domain.origin, use.domain.scope);
  for (const Share& error : use.relative_errors)
    measured.WithShared(error.source, error.delta);
  return measured;
}

EnergySplit SplitDevice(const DomainUse& use, Seconds wall, IdlePolicy policy) {
  std::optional<Estimate<Watts>> idle = use.idle;
  // More than it drew: all of that is then idle.
  if (use.device->idle && wall > Seconds(0))
    idle = Exactly(use.energy / wall * 2, use.domain.origin, use.domain.scope);
  return Split(EstimateOf(use, use.energy), idle, wall, use.device->use,
               policy);
}

EnergySplit SplitDomain(const DomainUse& use, const CpuUse& cpu, Seconds wall,
                        IdlePolicy policy) {
  if (use.device) return SplitDevice(use, wall, policy);
  if (use.model)
    return Split(EstimateOf(use, use.energy), use.idle, wall, *use.model,
                 policy);
  if (!ExplainedByCpuTime(use.domain))
    return Unattributed(EstimateOf(use, use.energy), policy);
  CpuUse by_time = cpu;
  if (!ExplainedByWeight(use.domain)) by_time.weight.reset();
  const auto linear = LinearEnergy(use, cpu, wall);
  if (!linear)
    return Split(EstimateOf(use, use.energy), use.idle, wall, by_time, policy);
  // The subject's part comes from its exact CPU time: ticks leave only the
  // others' part open.
  CpuUse exact = by_time;
  exact.busy_sd = Seconds(0);
  EnergySplit split =
      Split(EstimateOf(use, *linear), use.idle, wall, exact, policy);
  const double open = (*use.per_cpu * cpu.busy_sd).value();
  split.measured.own_sd = open;
  split.other_active.own_sd = open;
  return split;
}

// Packages share a line; each device has its own: "nvml gpu-0".
void AddLine(const DomainUse& use, const EnergySplit& split,
             std::vector<BillLine>& lines) {
  const std::string probe =
      use.device ? use.probe + " " + use.domain.name : use.probe;
  const auto same = [&use, &probe](const BillLine& line) {
    return line.component == use.domain.component && line.probe == probe;
  };
  const auto line = std::find_if(lines.begin(), lines.end(), same);
  if (line == lines.end())
    lines.push_back({use.domain.component, probe, split.own()});
  else
    line->energy = line->energy + split.own();
}

// Counted domains lie side by side: together they cover what the widest does,
// a package and its GPUs no less than the package.
void AddSplit(const EnergySplit& split, EnergySplit& total) {
  const bool first = total.idle_policy.empty();
  const Scope scope =
      first ? split.measured.scope
            : std::max(total.measured.scope, split.measured.scope);
  total = first ? split : total + split;
  for (auto* part :
       {&total.measured, &total.own_active, &total.own_idle,
        &total.other_active, &total.other_idle, &total.unattributed})
    part->WithScope(scope);
}

void WarnOnce(std::string warning, std::vector<std::string>& warnings) {
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end())
    warnings.push_back(std::move(warning));
}

bool LooksStuck(const DomainUse& use, Seconds wall) {
  constexpr double kUpdates = 100;
  return use.domain.origin == Origin::kCounter && use.gaps == 0 &&
         use.energy <= Joules(0) &&
         wall >= std::max(Seconds(1), use.update_period * kUpdates);
}

// Whose the energy is needs no warning where it is everybody's.
void WarnOf(const DomainUse& use, bool everybody, WindowReading& reading) {
  auto& warnings = reading.warnings;
  if (use.gaps > 0) warnings.push_back(GapWarning(use.domain.name, use.gaps));
  if (LooksStuck(use, reading.wall))
    warnings.push_back(StuckWarning(use.domain.name, reading.wall));
  if (reading.wall < use.update_period * kMinUpdates) {
    reading.short_window = true;
    WarnOnce(ShortWindowWarning(use.probe, reading.wall, use.update_period),
             warnings);
  }
  if (everybody) return;
  if (use.device && !use.device->warning.empty())
    WarnOnce(use.device->warning, warnings);
  if (use.domain.shared_by == SharedBy::kTraffic) {
    if (!use.model) warnings.push_back(UnknownTrafficWarning());
    return;
  }
  if (!use.device && !ExplainedByCpuTime(use.domain))
    warnings.push_back(UnattributedDomainWarning(use.domain.name));
  else if (!use.idle && !(use.device && use.device->idle))
    WarnOnce(NoIdleWarning(use.probe), warnings);
}

// Outside of the machine: beside its energy, never in it.
void AddNetwork(const DomainUse& use, const Estimate<Joules>& energy,
                WindowReading& reading) {
  reading.network = NetworkUse{use.passed, energy};
  if (use.gaps > 0)
    reading.warnings.push_back(GapWarning(use.domain.name, use.gaps));
}

}  // namespace

bool ExplainedByCpuTime(const Domain& domain) {
  return domain.component == "cpu" || domain.component == "dram" ||
         domain.component == "platform" || domain.component == "wall";
}

bool ExplainedByWeight(const Domain& domain) {
  return ExplainedByCpuTime(domain) && domain.component != "dram" &&
         domain.origin != Origin::kModelled;
}

bool AnyByWeight(const std::vector<DomainEnergy>& domains) {
  return std::ranges::any_of(domains, [](const DomainEnergy& domain) {
    return domain.domain.counted && ExplainedByWeight(domain.domain);
  });
}

void Attribute(const std::vector<DomainUse>& domains, const CpuUse& use,
               IdlePolicy policy, WindowReading& reading) {
  for (const DomainUse& domain : domains) {
    EnergySplit split = SplitDomain(domain, use, reading.wall, policy);
    if (use.everybody) split = WholeOf(split);
    reading.domains.push_back({domain.domain, domain.probe, split.measured,
                               domain.gaps, domain.idle, domain.device});
    if (domain.domain.scope == Scope::kNetwork)
      AddNetwork(domain, split.measured, reading);
    if (!domain.domain.counted) continue;
    AddSplit(split, reading.split);
    AddLine(domain, split, reading.lines);
    WarnOf(domain, use.everybody, reading);
  }
  if (use.weight && AnyByWeight(reading.domains))
    reading.factors.push_back(SharedCoreFactor());
  reading.split.idle_policy = IdlePolicyName(policy);
  const Contention contention = ContentionOf(
      use, reading.steal, Seconds(reading.pressure * reading.wall.value()),
      reading.wall);
  reading.contended = contention.contended();
  for (std::string& warning : ContentionWarnings(contention))
    reading.warnings.push_back(std::move(warning));
}

}  // namespace modicum
