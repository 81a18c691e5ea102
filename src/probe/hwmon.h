// SPDX-License-Identifier: Apache-2.0
// Energy counters and power sensors of Linux's hwmon class: AMD's CPU and GPU
// drivers, Intel's GPUs, ACPI power meters (NVIDIA Grace among them), sensors
// on the board.
#pragma once

#include "probe/probe.h"

namespace modicum {

// Counts what lies outermost and nothing better counts. kUnavailable where no
// sensor covers a CPU, a GPU, a module or the board; kPermission where it may
// not be read.
Result<std::unique_ptr<Probe>> OpenHwmon(const ProbeContext& context);
ProbeReport ReportHwmon(const ProbeContext& context);

}  // namespace modicum
