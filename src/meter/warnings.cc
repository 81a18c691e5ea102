// SPDX-License-Identifier: Apache-2.0
#include "meter/warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace modicum {
namespace {

bool Pressed(const Contention& c) {
  return c.pressure > kMaxPressure && c.others > kOthersPresent;
}

}  // namespace

bool Contention::contended() const {
  return others > kMaxOthers || steal > kMaxSteal || Pressed(*this);
}

Contention ContentionOf(const CpuUse& use, Seconds steal, Seconds pressure,
                        Seconds wall) {
  Contention contention;
  if (wall <= Seconds(0) || use.capacity <= Seconds(0)) return contention;
  const Seconds others = std::max(Seconds(0), use.others() - use.busy_sd * 2);
  contention.others = others / use.capacity;
  contention.steal = steal / use.capacity;
  contention.pressure = std::clamp(pressure / wall, 0.0, 1.0);
  return contention;
}

std::string ShortWindowWarning(std::string_view probe, Seconds wall,
                               Seconds update_period) {
  const double updates = std::floor(std::max(0.0, wall / update_period));
  return fmt::format(
      "window of {:.3g} s spans {:.0f} update{} of {}, fewer than {:.0f}: "
      "repeat the work to lengthen it",
      wall.value(), updates, updates == 1 ? "" : "s", probe, kMinUpdates);
}

std::string StuckWarning(std::string_view domain, Seconds wall) {
  return fmt::format(
      "{} has not moved in {}: what it covers is missing; `modicum doctor` "
      "watches it, --probe names another source",
      domain, FormatDuration(wall));
}

std::string GapWarning(std::string_view domain, int gaps) {
  return fmt::format(
      "{} gap{} in {}: the energy in between is missing, not guessed", gaps,
      gaps == 1 ? "" : "s", domain);
}

std::string ProbeFailedWarning(std::string_view probe,
                               std::string_view message) {
  return fmt::format(
      "{} failed at the end of the window ({}): its last energy is missing",
      probe, message);
}

std::string NoIdleWarning(std::string_view probe) {
  return fmt::format(
      "idle power of {} is not known yet: all energy counts as active; it is "
      "learned while the machine is quiet",
      probe);
}

std::string NoHostCpuWarning(std::string_view message) {
  return fmt::format(
      "CPU time of other processes is not known ({}): active energy is shared "
      "with nobody",
      message);
}

std::string UnattributedDomainWarning(std::string_view domain) {
  return fmt::format(
      "{} is not explained by CPU time: its energy stays unattributed", domain);
}

std::string SuspendedWarning(Seconds suspended) {
  return fmt::format(
      "the machine slept for {} in this window: neither that time nor what it "
      "drew meanwhile is in it",
      FormatDuration(suspended));
}

std::string UnknownTrafficWarning() {
  return "what was read and written here is not known (/proc/PID/io cannot be "
         "read): the disks' energy stays unattributed";
}

std::string UnattributedDeviceWarning(std::string_view why) {
  return fmt::format(
      "who kept a GPU busy is not known ({}): its active energy stays "
      "unattributed",
      why.empty() ? "no sample of its processes in this window" : why);
}

std::string SoleProcessWarning(std::string_view why) {
  return fmt::format(
      "a GPU's use by process is not known ({}): nobody else was on it, so all "
      "of its active energy is billed here",
      why);
}

std::vector<std::string> ContentionWarnings(const Contention& contention) {
  std::vector<std::string> warnings;
  if (contention.others > kMaxOthers)
    warnings.push_back(fmt::format(
        "other processes used {:.0f} % of the CPUs (limit {:.0f} %): stop "
        "them or repeat when the machine is quiet",
        100 * contention.others, 100 * kMaxOthers));
  if (contention.steal > kMaxSteal)
    warnings.push_back(fmt::format(
        "the hypervisor took {:.0f} % of the CPU time (limit {:.0f} %): "
        "repeat later or on a dedicated host",
        100 * contention.steal, 100 * kMaxSteal));
  if (Pressed(contention))
    warnings.push_back(fmt::format(
        "tasks waited for a CPU {:.0f} % of the time (limit {:.0f} %): stop "
        "other work or use fewer threads",
        100 * contention.pressure, 100 * kMaxPressure));
  return warnings;
}

}  // namespace modicum
