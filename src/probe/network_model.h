// SPDX-License-Identifier: Apache-2.0
// What networks draw for the bytes that pass this machine's interfaces, by
// published figures. It is outside of the machine: shown, never counted.
#pragma once

#include <memory>

#include "probe/probe.h"

namespace modicum {

Result<std::unique_ptr<Probe>> OpenNetworkModel(const ProbeContext& context);
ProbeReport ReportNetworkModel(const ProbeContext& context);

}  // namespace modicum
