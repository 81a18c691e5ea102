// SPDX-License-Identifier: Apache-2.0
// Disks, by what passes through them: idle power of each, and published energy
// per byte and per seek.
#pragma once

#include <memory>

#include "probe/probe.h"

namespace modicum {

Result<std::unique_ptr<Probe>> OpenDiskModel(const ProbeContext& context);
ProbeReport ReportDiskModel(const ProbeContext& context);

}  // namespace modicum
