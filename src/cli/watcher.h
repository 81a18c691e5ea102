// SPDX-License-Identifier: Apache-2.0
// Who uses the watts, interval by interval: processes, or what they belong to.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/root_fs.h"
#include "meter/allot.h"
#include "meter/census.h"
#include "meter/charge_rules.h"
#include "meter/meter.h"
#include "meter/user_names.h"

namespace modicum {

// Who has not been there for so long begins anew.
inline constexpr Seconds kForgotten{600};

// What makes a row: process, command, cgroup, user, or the value of a tag that
// the charge rules give.
class WatchBy {
 public:
  enum Kind { kProcess, kCommand, kCgroup, kUser, kTag };
  WatchBy(Kind kind, std::string tag = "")  // NOLINT(google-explicit-*)
      : kind_(kind), tag_(std::move(tag)) {}
  static Result<WatchBy> Parse(std::string_view name, const ChargeRules& rules);

  Kind kind() const { return kind_; }
  std::string_view name() const;  // "process", ..., the tag's key
  // In turn, the tag last, where `tag` is one.
  WatchBy Next(const std::string& tag) const;
  friend bool operator==(const WatchBy&, const WatchBy&) = default;

 private:
  Kind kind_;
  std::string tag_;
};

// Whom to show; all others are then one row. An empty field does not restrict.
struct WatchFilter {
  std::optional<pid_t> root;  // and its descendants
  std::string cgroup;         // a path and all below it, or a part of its name
  std::optional<uid_t> user;
  bool restricts() const { return root || !cgroup.empty() || user; }
};

// One line of the table.
struct WatchRow {
  std::string name;  // "python3", "docker 4f3a0c12ab45", "alice"
  std::string user;  // of its first process
  std::string cgroup;
  std::vector<pid_t> pids;
  ChargeTags tags;  // of its first process, by the rules
  Seconds cpu;
  ConsumerEnergy energy;
  Estimate<Joules> total;  // of all intervals so far
};

// One interval. Conserved: rows + idle + unattributed = measured.
struct WatchFrame {
  WallTime at;  // its end
  Seconds wall;
  WallTime began() const { return at - wall; }
  Seconds watched;  // since the first interval
  std::vector<WatchRow> rows;
  Estimate<Joules> measured;
  Estimate<Joules> idle;  // charged to nobody
  Estimate<Joules> unattributed;
  Estimate<Joules> total;  // measured in all intervals so far
  std::vector<DomainEnergy> domains;
  std::vector<EnergySlice> slices;  // of the machine, as the reading has them
  std::vector<std::string> warnings;
  bool weighed = false;  // CPU time, by where it was spent: cpu_weights.h

  // `slices`, or the interval as a whole where it was not cut.
  std::vector<EnergySlice> used() const {
    if (!slices.empty()) return slices;
    return {{began(), wall, measured.mid}};
  }
};

// Not thread-safe.
// Lifetime: the file system outlives it.
class Watcher {
 public:
  Watcher(const RootFs& fs, WatchFilter filter, IdlePolicy policy,
          ChargeRules rules = {}, std::unique_ptr<ExitSource> exits = nullptr)
      : census_(fs, std::move(exits)),
        users_(fs),
        filter_(std::move(filter)),
        policy_(policy),
        rules_(std::move(rules)) {}

  // The beginning of the first interval. Fails when /proc cannot be listed;
  // kNotFound: no process is in the filter's cgroup.
  Status Start();
  // `reading`: of the window that began with the last call.
  Result<WatchFrame> Next(const WindowReading& reading, const WatchBy& by);
  // The filter's process and all below it have ended: nothing is to be shown
  // any more.
  bool ended() const { return filter_.root && tree_.empty(); }

 private:
  std::string NameOf(const ProcessCpuUse& process, const WatchBy& by) const;
  std::string KeyOf(const ProcessCpuUse& process, const WatchBy& by) const;
  bool Shows(const ProcessCpuUse& process) const;
  void FindTree(const std::vector<ProcessCpuUse>& processes);
  WatchRow RowOf(const Consumer& consumer, const ConsumerEnergy& energy,
                 const std::vector<ProcessCpuUse>& processes,
                 const WatchBy& by);

  Census census_;
  UserNames users_;
  const WatchFilter filter_;
  const IdlePolicy policy_;
  const ChargeRules rules_;
  std::set<pid_t> tree_;  // of filter_.root
  WatchBy by_{WatchBy::kProcess};
  struct Total {
    Estimate<Joules> energy;
    Seconds seen;  // of `watched_`, when it was there last
  };
  std::map<std::string, Total> totals_;  // by key, since `by_` is
  std::optional<Estimate<Joules>> total_;
  Seconds watched_;
};

}  // namespace modicum
