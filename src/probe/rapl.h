// SPDX-License-Identifier: Apache-2.0
// RAPL energy counters through Linux's powercap files, and what the other ways
// to the same counters share with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/sensor_probe.h"

namespace modicum {

// kUnavailable where there is no RAPL, kPermission where it may not be read.
// All packages are readable on success, or the platform that holds them.
Result<std::unique_ptr<Probe>> OpenRapl(const ProbeContext& context);
ProbeReport ReportRapl(const ProbeContext& context);

// `name`: "package-0", "dram-0", "psys"; `component`: "cpu", "dram",
// "platform", or a part of a package, such as "core".
Domain RaplDomain(std::string name, std::string component);
// No package draws more: twice the chip's TDP, or what no package reaches.
Watts RaplCap(const HostFacts& host, std::string_view component);
// A package or what lies outside of them, without which half a machine is
// missing.
bool IsRaplOuter(std::string_view component);
// Exactly the outermost of what contains one another; the platform only where
// `platform` says that its counter is alive.
void CountOutermost(std::vector<Sensor>& sensors, bool platform);
// Whether powercap shows a platform counter that moves.
bool HasLivePlatform(const RootFs& fs);
std::vector<Share> RaplErrors();

// What two ways to the same counters made of the same span, by domain they
// both have. Differences of more than a tenth, as a sentence; "" where there
// are none.
std::string CompareRapl(const Probe& one,
                        const std::vector<DomainDelta>& by_one,
                        const Probe& other,
                        const std::vector<DomainDelta>& by_other);

}  // namespace modicum
