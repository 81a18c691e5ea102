// SPDX-License-Identifier: Apache-2.0
// From what a window's ends showed to its reading: pure arithmetic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meter/attribution.h"
#include "meter/device_use.h"
#include "meter/meter.h"

namespace modicum {

// CPU time explains what CPUs, memory and board draw, not accelerators.
bool ExplainedByCpuTime(const Domain& domain);
// And by where it was spent what CPUs draw: not memory, nor what is made of CPU
// time in the first place.
bool ExplainedByWeight(const Domain& domain);
bool AnyByWeight(const std::vector<DomainEnergy>& domains);

// One domain's part in a window, before attribution.
struct DomainUse {
  Domain domain;
  std::string probe;
  Seconds update_period;
  std::vector<Share> relative_errors;  // sorted by source
  Joules energy;
  int gaps = 0;
  std::optional<Estimate<Watts>> idle;
  // Models only: power per busy CPU. Ticks miss short work, the subject's own
  // CPU time does not: the model is applied to the larger of the two.
  std::optional<Watts> per_cpu;
  // Devices only: whose their energy is. CPU time does not tell.
  std::optional<DeviceShare> device{};
  // Models of memory and disks only: whose their energy is; absent: not known.
  std::optional<CpuUse> model{};
  Bytes passed{};  // of networks only
};

// Fills domains, lines, split, contention and warnings of `reading`, whose
// wall, cpu, host_busy, steal and pressure are set.
void Attribute(const std::vector<DomainUse>& domains, const CpuUse& use,
               IdlePolicy policy, WindowReading& reading);

}  // namespace modicum
