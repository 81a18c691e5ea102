// SPDX-License-Identifier: Apache-2.0
// What a second of CPU time draws, by the CPU that it was spent on, where the
// kernel tells the CPUs' frequencies.
//
// A cycle is taken to draw the same on every CPU: a second counts in proportion
// to the frequency. A core with both hardware threads busy draws about 15 %
// more than with one (Weigell et al., METRION, arXiv 2512.06806, 2025), so a
// second on either is 1.15 / 2 of one that had the core for itself. When two
// threads were busy at once is not told: they are taken to be so independently.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/root_fs.h"
#include "base/units.h"
#include "probe/kept_file.h"
#include "record/types.h"

namespace modicum {

// For the bill of what was weighed.
Factor SharedCoreFactor();

// Not thread-safe. Lifetime: the file system outlives it.
class CpuWeights {
 public:
  explicit CpuWeights(const RootFs& fs);

  // False where no CPU's frequency can be read: every weight is 1 then.
  bool known() const { return !cpus_.empty(); }
  // Of the time since the last look; at the first, since boot.
  void Look();
  // Relative to the mean of all CPU time since the look before.
  double Of(int cpu);
  // Takes time of which the CPU is known from what is left.
  void Spend(int cpu, Seconds time);
  // The mean over what is left: of time of which the CPU is not known.
  double OfRest() const;

 private:
  struct Cpu {
    int id = 0;
    size_t core = 0;  // the first of its hardware threads in cpus_
    KeptFile frequency;
    uint64_t busy = 0, total = 0;  // ticks since boot
    Seconds left{};                // busy since the look before, not yet spent
    double share = 0;              // of that time, busy
    double khz = 0;
    double weight = 1;
  };

  Cpu* Find(int id);
  void ReadTimes();
  void ReadFrequencies();

  KeptFile stat_;
  std::string buffer_;
  std::vector<Cpu> cpus_;  // by id
  bool has_frequency_ = true;
};

}  // namespace modicum
