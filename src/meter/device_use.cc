// SPDX-License-Identifier: Apache-2.0
#include "meter/device_use.h"

#include <algorithm>

#include "meter/warnings.h"

namespace modicum {

void DeviceUseTotals::Add(const DeviceUse& use, double part) {
  if (!use.asked) return;
  asked_ = true;
  busy_known_ &= use.busy.has_value();
  by_process_known_ &= use.by_process.has_value();
  present_known_ &= use.present.has_value();
  if (use.busy) busy_ += *use.busy * part;
  if (use.by_process)
    for (const ProcessUse& process : *use.by_process)
      processes_[process.pid].busy += process.busy * part;
  if (use.present)
    for (const pid_t pid : *use.present) processes_[pid];
  if (!use.unknown.empty()) unknown_ = use.unknown;
}

DeviceShare DeviceUseTotals::Share(Seconds wall) const {
  if (asked_ && by_process_known_ && SeenBusy()) return ByUtilisation(wall);
  if (asked_ && present_known_) return ByPresence(wall);
  DeviceShare share;
  share.use.capacity = wall;
  share.idle = asked_ && busy_known_ && busy_ == Seconds(0);
  if (share.idle)
    share.own = Seconds(0);
  else
    share.warning = UnattributedDeviceWarning(unknown_);
  return share;
}

bool DeviceUseTotals::SeenBusy() const {
  return std::any_of(
      processes_.begin(), processes_.end(),
      [](const auto& entry) { return entry.second.busy > Seconds(0); });
}

DeviceShare DeviceUseTotals::ByUtilisation(Seconds wall) const {
  DeviceShare share;
  share.use.capacity = wall;
  for (const auto& [pid, process] : processes_) {
    share.use.busy += process.busy;
    share.by_process[pid] = process.busy;
    if (process.own) share.use.own += process.busy;
  }
  share.own = share.use.own;
  return share;
}

DeviceShare DeviceUseTotals::ByPresence(Seconds wall) const {
  DeviceShare share;
  share.use.capacity = wall;
  const auto own = static_cast<size_t>(
      std::count_if(processes_.begin(), processes_.end(),
                    [](const auto& entry) { return entry.second.own; }));
  if (processes_.empty()) {
    share.idle = !busy_known_ || busy_ == Seconds(0);
    if (share.idle)
      share.own = Seconds(0);
    else
      share.warning = UnattributedDeviceWarning("no process is known on it");
    return share;
  }
  const Seconds busy = busy_known_ && busy_ > Seconds(0) ? busy_ : wall;
  if (processes_.size() == 1)
    share.by_process[processes_.begin()->first] = busy;
  if (own > 0 && own < processes_.size()) {
    share.warning = UnattributedDeviceWarning(unknown_);
    return share;
  }
  share.use.busy = busy;
  share.own = own == 0 ? Seconds(0) : busy;
  share.use.own = *share.own;
  if (own == 0) return share;
  if (!by_process_known_) share.warning = SoleProcessWarning(unknown_);
  return share;
}

}  // namespace modicum
