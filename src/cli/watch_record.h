// SPDX-License-Identifier: Apache-2.0
// What `modicum watch` saw, in the ledger: whom a shared machine's energy is
// charged to.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cli/watcher.h"
#include "meter/instruments.h"
#include "record/ledger.h"

namespace modicum {

// A run of kind "watch" for each row and each hour (UTC), one for what is idle
// and one for what is unattributed: together they are what was measured.
// Written every minute while it goes on, so that a crash loses no more.
// Not thread-safe.
// Lifetime: the instruments outlive it.
class WatchRecorder {
 public:
  WatchRecorder(std::unique_ptr<Ledger> ledger, const Instruments& instruments,
                std::string project, IdlePolicy policy)
      : ledger_(std::move(ledger)),
        instruments_(instruments),
        project_(std::move(project)),
        policy_(policy) {}

  // Where it fails, nothing is lost: a later call writes it too. Until one does
  // each fails alike.
  Status Add(const WatchFrame& frame, const WatchBy& by);
  // Closes the hour. Nothing may be added after it.
  Status Finish();

 private:
  // One row of an hour.
  struct Entry {
    Run run;
    Seconds wall;
    Seconds cpu;
    ConsumerEnergy energy;
    // Of the machine, since the entry began.
    Estimate<Joules> measured, idle, unattributed;
    std::vector<EnergySlice> slices = {};  // of `energy`, by the hour
    bool weighed = false;
  };
  // Of the machine, in one interval.
  void AddTo(const std::string& name, const WatchFrame& frame,
             const ChargeTags& tags, Seconds cpu, const ConsumerEnergy& energy);
  void Slice(const WatchFrame& frame, Joules energy, Entry& entry) const;
  Run NewRun(const std::string& name, const WatchFrame& frame,
             const ChargeTags& tags) const;
  Bill BillOf(const Entry& entry) const;
  Status Write(RunStatus status);

  const std::unique_ptr<Ledger> ledger_;
  const Instruments& instruments_;
  const std::string project_;
  const IdlePolicy policy_;
  std::map<std::string, Entry> entries_;  // by name, of this hour
  std::string cpu_probe_, device_probe_;
  int64_t hour_ = -1;  // since the epoch
  WallTime last_;      // end of the last interval
  WallTime written_;
  Status last_write_;
};

}  // namespace modicum
