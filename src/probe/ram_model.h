// SPDX-License-Identifier: Apache-2.0
// Memory that no counter covers, by published watts per gigabyte: a constant
// power, whatever runs.
#pragma once

#include <memory>

#include "probe/probe.h"

namespace modicum {

Result<std::unique_ptr<Probe>> OpenRamModel(const ProbeContext& context);
ProbeReport ReportRamModel(const ProbeContext& context);

}  // namespace modicum
