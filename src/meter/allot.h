// SPDX-License-Identifier: Apache-2.0
// Splits what a machine used in a window among everybody on it, such that the
// shares, the idle and the unattributed energy sum to what was measured.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "meter/census.h"
#include "meter/meter.h"

namespace modicum {

// Processes that are billed together.
struct Consumer {
  std::string name;
  std::vector<pid_t> pids;
  Seconds cpu;
  Seconds weighed;  // as ProcessCpuUse has it
};

// By pid order of their first process: those of one name are one consumer.
// `name_of`: of a process; "" leaves it out, for the unattributed part.
std::vector<Consumer> GroupBy(
    std::span<const ProcessCpuUse> processes,
    const std::function<std::string(const ProcessCpuUse&)>& name_of);

struct ConsumerEnergy {
  Estimate<Joules> active;
  Estimate<Joules> idle;        // by the policy
  Estimate<Joules> of_devices;  // part of `active`
  Estimate<Joules> own() const { return active + idle; }
};
ConsumerEnergy operator+(const ConsumerEnergy& a, const ConsumerEnergy& b);

struct Allotment {
  Estimate<Joules> measured;
  std::vector<ConsumerEnergy> shares;  // one for each consumer
  Estimate<Joules> idle;               // charged to nobody
  // Drawn by what nobody saw: processes that no parent waited for, a device
  // whose driver does not tell its users.
  Estimate<Joules> unattributed;
};

// Active energy goes by CPU time (a CPU counter's by weighed time), a device's
// by time on it; idle by `policy`:
// none, by share of the machine's capacity, or all of it by share of the use.
// What consumers lack of the CPU time that the kernel counts of all is
// unattributed.
Allotment Allot(const WindowReading& reading,
                std::span<const Consumer> consumers, IdlePolicy policy);

}  // namespace modicum
