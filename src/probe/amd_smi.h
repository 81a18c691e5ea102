// SPDX-License-Identifier: Apache-2.0
// AMD's GPUs by AMD SMI or ROCm SMI: the energy counter of Instinct MI200 and
// newer, else the power of the socket, integrated over time.
#pragma once

#include "probe/probe.h"

namespace modicum {

// kUnavailable without the library, the driver or a GPU that tells its energy
// or power; kPermission where it may not be asked. MODICUM_AMD_SMI names
// another library. Graphics that shares its package with the CPU is left to
// `hwmon`, which counts it as the package.
Result<std::unique_ptr<Probe>> OpenAmdSmi(const ProbeContext& context);
ProbeReport ReportAmdSmi(const ProbeContext& context);

}  // namespace modicum
