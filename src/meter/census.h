// SPDX-License-Identifier: Apache-2.0
// Who used the CPUs between two looks at /proc: every process of the machine,
// those that ended included.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/root_fs.h"
#include "base/units.h"
#include "meter/cpu_weights.h"
#include "meter/exits.h"
#include "meter/process_stat.h"
#include "probe/kept_file.h"

namespace modicum {

struct ProcessCpuUse {
  pid_t pid = 0;
  pid_t parent = 0;
  uint64_t start = 0;  // ticks since boot: tells a reused pid
  std::string name;    // as the kernel keeps it, at most 15 bytes
  uid_t user = 0;      // real
  std::string cgroup;  // path: of v2, else of the CPU controller; "/" unknown
  Seconds cpu;         // own, and of children too short-lived to be seen
  Seconds weighed;     // `cpu` by the CPU that it was spent on: cpu_weights.h
};

// A process that lives and dies between two looks is charged to its parent, by
// whom the kernel accounts it when it is waited for. One that was seen has a
// last entry in the look after its death: what its parent was left with for it,
// at most what it used between the two looks before; the rest is its parent's.
// What was charged to the dead already is not charged again. What nobody waits
// for (a parent that ignores SIGCHLD) stays unseen.
// Where the kernel tells of every exit, nobody is charged for another: who
// ended has an entry of his own, unseen or not. It tells so before it takes
// their memory down, which is theirs, too: what their heir waited for beyond
// what was told is shared by them. A look whose exits were lost goes by the
// rule above. Of a process with one thread that did not run since its last look
// nothing is new, which its schedstat says for a quarter of what its stat
// costs. Its parent may have died meanwhile: then it is read all the same. What
// a process with one thread used it used on the CPU where it ran last. On which
// CPUs several threads ran is not told, nor of the dead: theirs is what the
// others leave. Not thread-safe. Lifetime: the file system outlives it.
class Census {
 public:
  explicit Census(const RootFs& fs, std::unique_ptr<ExitSource> exits = nullptr)
      : fs_(fs), exits_(std::move(exits)), weights_(fs) {}

  // CPU time since the last call, of all that are alive and of who ended since;
  // at the first call none. Fails when /proc cannot be listed.
  Result<std::vector<ProcessCpuUse>> Take();
  // Whether CPU time is weighed on this machine.
  bool weighs() const { return weights_.known(); }

 private:
  struct Known {
    ProcessStat stat;
    uint64_t ticks = 0;   // since the last look: its own
    uint64_t waited = 0;  // since the last look: of the dead it waited for
    uid_t user = 0;
    std::string cgroup;
    uint32_t looks = 0;
    // Read before `stat`; of a process with one thread.
    std::optional<ProcessSchedule> schedule;
    bool quiet = false;  // did not run since the last look: `stat` is of then
  };
  using Processes = std::map<pid_t, Known>;
  // Of a process: its threads that ended, as far as they were told.
  struct Ended {
    ThreadExit exit;  // of the last of them; `cpu` of all
    bool whole = false;
  };

  using Files = std::map<pid_t, KeptFile>;

  // Into buffer_.
  bool ReadKept(pid_t pid, std::string_view name, Files& files);
  std::optional<ProcessSchedule> ReadSchedule(pid_t pid);
  bool Look(pid_t pid, Known& now, bool thoroughly = false);
  bool LookAtStat(pid_t pid, const Known* before, Known& now);
  bool LostItsParent(const Known& known, const Processes& now) const;
  void LookAtOrphans(Processes& now);
  void LookAtIdentity(pid_t pid, Known& known);
  static ProcessCpuUse UseOf(pid_t pid, const Known& known, uint64_t ticks);
  std::vector<ProcessCpuUse> Settle(Processes& now) const;
  bool Listen();
  std::vector<ProcessCpuUse> TakeEnded(const Processes& now);
  bool Left(pid_t pid, const Ended& ended, const Processes& now) const;
  pid_t HeirOf(pid_t parent, const Processes& now) const;
  std::map<pid_t, Seconds> ToldByHeir(const Processes& now) const;
  void ShareRests(Processes& now, std::vector<ProcessCpuUse>& ended);
  ProcessCpuUse UseOfEnded(const ThreadExit& exit) const;
  void Weigh(const Processes& now, std::vector<ProcessCpuUse>& uses);

  const RootFs& fs_;
  const std::unique_ptr<ExitSource> exits_;
  std::map<pid_t, Ended> ended_;  // since the last look, or not wholly
  // By the living: what they waited for, less what was told of it.
  std::map<pid_t, Seconds> owed_;
  bool first_ = true;
  Processes known_;  // as of the last look
  Files stats_;      // open files of some of them
  Files schedules_;
  CpuWeights weights_;
  std::string buffer_;
};

}  // namespace modicum
