// SPDX-License-Identifier: Apache-2.0
// The closed set of the meter's warnings, each with advice, and the limits
// that decide on contention.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "meter/attribution.h"

namespace modicum {

// A window with fewer updates of its counter than this is flagged: each end
// is uncertain by one update, so a tenth of the energy may be chance.
inline constexpr double kMinUpdates = 10;

// Contention limits, fixed before anything is measured and never moved by a
// result. Above them others visibly share caches, frequency and power with
// the subject.
inline constexpr double kMaxOthers = 0.10;    // of the CPUs' capacity
inline constexpr double kMaxSteal = 0.05;     // of the CPUs' capacity
inline constexpr double kMaxPressure = 0.10;  // of the window (PSI "some")
// Tasks of the subject may wait for each other: pressure counts only when
// others used at least this share of the capacity.
inline constexpr double kOthersPresent = 0.01;

// What decides on contention, as shares.
struct Contention {
  double others = 0;
  double steal = 0;
  double pressure = 0;
  bool contended() const;
};
// One tick per CPU of `use.busy` may be chance and is not held against it.
Contention ContentionOf(const CpuUse& use, Seconds steal, Seconds pressure,
                        Seconds wall);

std::string ShortWindowWarning(std::string_view probe, Seconds wall,
                               Seconds update_period);
// Of a counter: what it covers always draws something.
std::string StuckWarning(std::string_view domain, Seconds wall);
std::string GapWarning(std::string_view domain, int gaps);
std::string ProbeFailedWarning(std::string_view probe,
                               std::string_view message);
std::string NoIdleWarning(std::string_view probe);
std::string NoHostCpuWarning(std::string_view message);
std::string UnattributedDomainWarning(std::string_view domain);
std::string SuspendedWarning(Seconds suspended);
// Of disks: who moved what is not known.
std::string UnknownTrafficWarning();
// Of a GPU: who used it is not known, because of `why`.
std::string UnattributedDeviceWarning(std::string_view why);
// Of a GPU: all of it went to the subject, for nobody else was on it.
std::string SoleProcessWarning(std::string_view why);
// One for each limit that was passed.
std::vector<std::string> ContentionWarnings(const Contention& contention);

}  // namespace modicum
