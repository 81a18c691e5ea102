// SPDX-License-Identifier: Apache-2.0
// Counters of the kernel's perf subsystem, behind a seam: tests count what
// they like.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "probe/sensor_probe.h"

namespace modicum {

class PerfCounters {
 public:
  virtual ~PerfCounters() = default;
  // `config` of the performance monitoring unit `type`, as it counts on `cpu`
  // whoever runs there; from 0. kPermission, kUnavailable.
  virtual Result<std::unique_ptr<CountReader>> Open(uint32_t type,
                                                    uint64_t config,
                                                    int cpu) const = 0;
};

// This kernel's, by perf_event_open(2).
const PerfCounters& SystemPerfCounters();

}  // namespace modicum
