// SPDX-License-Identifier: Apache-2.0
// CPU time of the whole machine as the kernel counts it: busy, stolen by a
// hypervisor, and the time in which some task waited for a CPU.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/root_fs.h"
#include "base/units.h"
#include "probe/kept_file.h"

namespace modicum {

// Totals since boot.
struct HostCpu {
  Seconds busy;   // user, nice, system, irq, softirq; all CPUs
  Seconds steal;  // the hypervisor ran somebody else
};

// Of one line, since boot.
struct CpuTicks {
  uint64_t busy = 0;  // as HostCpu::busy
  uint64_t steal = 0;
  uint64_t total = 0;  // with idle and steal
};
// The columns behind "cpu" or "cpu0"; nullopt: not those of proc(5).
std::optional<CpuTicks> ParseCpuTicks(std::string_view columns);

// Not thread-safe.
class HostCpuReader {
 public:
  explicit HostCpuReader(const RootFs& fs)
      : stat_(fs, "/proc/stat"), pressure_(fs, "/proc/pressure/cpu") {}

  Result<HostCpu> Read();
  // PSI "some" since boot; stays 0 on kernels without PSI.
  Seconds ReadPressure();
  // CPUs /proc/stat sums over; 0 when it cannot be read.
  int CountCpus();
  // The step in which the kernel counts CPU time (a jiffy).
  static Seconds Tick();
  static Seconds FromTicks(uint64_t ticks) {
    return Tick() * static_cast<double>(ticks);
  }

 private:
  KeptFile stat_;
  KeptFile pressure_;
  std::string buffer_;
  bool has_pressure_ = true;
};

}  // namespace modicum
