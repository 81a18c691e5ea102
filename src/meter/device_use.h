// SPDX-License-Identifier: Apache-2.0
// Whose a device's active energy is: what a window saw of the processes that
// used it, and the rule that follows from what is known.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "meter/attribution.h"
#include "probe/probe.h"

namespace modicum {

// What a device did in a window, and by what rule.
struct DeviceShare : DeviceTimes {
  // The subject's and everybody's time on it; both zero where nobody's are
  // known: its active energy is then unattributed.
  CpuUse use;
  std::string warning;  // the rule, where it is not that of utilisation
};

// Not thread-safe.
class DeviceUseTotals {
 public:
  // `part` of the span that `use` covers lies in the window.
  void Add(const DeviceUse& use, double part);
  // Marks as the subject's own the processes for which `is_own` holds. They
  // stay so when they have ended, and nobody could tell any more.
  template <class IsOwn>
  void Claim(IsOwn is_own) {
    for (auto& [pid, process] : processes_)
      if (!process.own) process.own = is_own(pid);
  }
  bool asked() const { return asked_; }
  bool Knows(pid_t pid) const { return processes_.contains(pid); }

  // By utilisation where the driver tells it of each process. Else all of it
  // to the subject when nobody else held the device, nothing when it did not
  // hold it itself, and nobody's when both did or that is not known.
  DeviceShare Share(Seconds wall) const;

 private:
  struct Process {
    Seconds busy;
    bool own = false;
  };
  DeviceShare ByUtilisation(Seconds wall) const;
  DeviceShare ByPresence(Seconds wall) const;
  bool SeenBusy() const;

  std::map<pid_t, Process> processes_;
  Seconds busy_;
  bool asked_ = false;
  // Known in all of what was seen.
  bool busy_known_ = true;
  bool by_process_known_ = true;
  bool present_known_ = true;
  std::string unknown_;
};

}  // namespace modicum
