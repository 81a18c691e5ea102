// SPDX-License-Identifier: Apache-2.0
// RAPL energy counters through the kernel's perf events: 64 bits wide, so they
// never wrap, and readable with a capability instead of as root.
#pragma once

#include "probe/perf_counters.h"
#include "probe/probe.h"

namespace modicum {

// kUnavailable where the kernel has no such events, kPermission where they may
// not be opened. All packages are readable on success.
Result<std::unique_ptr<Probe>> OpenRaplPerf(const ProbeContext& context,
                                            const PerfCounters& counters);
ProbeReport ReportRaplPerf(const ProbeContext& context,
                           const PerfCounters& counters);
// On the machine itself, never on a recorded one.
Result<std::unique_ptr<Probe>> OpenRaplPerf(const ProbeContext& context);
ProbeReport ReportRaplPerf(const ProbeContext& context);

}  // namespace modicum
