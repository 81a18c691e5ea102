// SPDX-License-Identifier: Apache-2.0
// A laptop's battery while it discharges: all that the machine draws, screen
// included.
#pragma once

#include "probe/probe.h"

namespace modicum {

// kUnavailable without a battery, or while it does not discharge. Several
// batteries are one source: machines drain them one after the other.
Result<std::unique_ptr<Probe>> OpenBattery(const ProbeContext& context);
ProbeReport ReportBattery(const ProbeContext& context);

}  // namespace modicum
