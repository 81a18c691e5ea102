// SPDX-License-Identifier: Apache-2.0
// The whole machine's power by its BMC, asked in a thread of its own: the
// sampler takes the last answer and never waits.
#pragma once

#include <memory>
#include <string_view>

#include "probe/bmc.h"
#include "probe/probe.h"

namespace modicum {

// BMCs renew their reading about every second.
inline constexpr Seconds kAskBmcEvery{1};

// The first answer is waited for. A later one that fails, or that is older
// than ten askings, is a failed reading.
Result<std::unique_ptr<Probe>> MakeBmcProbe(std::string_view name,
                                            std::unique_ptr<BmcMeter> meter,
                                            MonotonicTime now,
                                            Seconds every = kAskBmcEvery);

// kUnavailable without the module, without an address (MODICUM_REDFISH_URL;
// MODICUM_IPMI_HOST or /dev/ipmi0), without a power reading, or where other
// sources count already what the machine as a whole holds.
Result<std::unique_ptr<Probe>> OpenRedfish(const ProbeContext& context);
ProbeReport ReportRedfish(const ProbeContext& context);
Result<std::unique_ptr<Probe>> OpenIpmi(const ProbeContext& context);
ProbeReport ReportIpmi(const ProbeContext& context);

}  // namespace modicum
