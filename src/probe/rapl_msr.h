// SPDX-License-Identifier: Apache-2.0
// RAPL energy counters straight from the processor's registers, by the msr
// driver (/dev/cpu/N/msr): for kernels that offer them in no other way.
#pragma once

#include "probe/probe.h"

namespace modicum {

// kUnavailable where the processor has none or the hypervisor shows none,
// kPermission where they may not be read. All packages are readable on success.
Result<std::unique_ptr<Probe>> OpenRaplMsr(const ProbeContext& context);
ProbeReport ReportRaplMsr(const ProbeContext& context);

}  // namespace modicum
