// SPDX-License-Identifier: Apache-2.0
// CPU time of a subject: this process, or a tree of processes, dead ones
// included.
//
// What has ended and was waited for is exact: the kernel adds it to the parent,
// and to us at last. What still runs is read from /proc in jiffies.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/root_fs.h"
#include "meter/cpu_weights.h"
#include "meter/meter.h"
#include "meter/process_stat.h"
#include "probe/kept_file.h"

namespace modicum {

// CPU time so far of which it is told where it was spent, and the same weighed
// by that: cpu_weights.h. Only differences have a meaning.
struct WeighedCpu {
  Seconds cpu;
  Seconds weighed;
};

// The meter's view of subjects; tests pass their own.
class SubjectCpu {
 public:
  virtual ~SubjectCpu() = default;
  // CPU time of a process or tree so far; only differences have a meaning.
  // `thorough` looks for new processes first: for the edges of windows.
  // kThisProcess may be read by any thread at any time.
  virtual Seconds Read(const Subject& subject, bool thorough) = 0;
  // Of a tree, as it was last read: how many of it live. The kernel counts what
  // each of them has used in ticks, what the dead have exactly.
  virtual size_t Living(const Subject&) { return 0; }
  // Of a tree, as it was last read.
  virtual WeighedCpu Weighed(const Subject&) { return {}; }
  // Memory that it holds, as it was last read; 0: not known.
  virtual Bytes Memory(const Subject&) { return Bytes(0); }
  // Bytes to and from disks so far; only differences have a meaning. Of
  // kThisProcess the children that it waited for are part. nullopt: not known.
  virtual std::optional<Bytes> DiskBytes(const Subject&) { return {}; }
  // Whether process `pid`, alive, is part of the subject as it was last read.
  virtual bool Has(const Subject& subject, pid_t pid) = 0;
};

// The living members of one tree.
// Not thread-safe.
class ProcessTree {
 public:
  // `root` and its descendants, or when `root` is 0 those of `self` alone.
  ProcessTree(const RootFs& fs, pid_t self, pid_t root);

  // Finds members born since the last call.
  void Discover();
  // CPU time of the living and of the dead they waited for.
  Seconds LiveCpu();
  // Weighs what LiveCpu() saw the living use since the last call. Of several
  // threads it is not told where they ran: where the others did not.
  void Weigh();
  WeighedCpu weighed() const { return weighed_; }
  // Of the living, as LiveCpu() saw them. Memory that several share counts for
  // each of them.
  Bytes memory() const { return memory_; }
  // Of the living and of the dead they waited for; nullopt where one of them
  // may not be read.
  std::optional<Bytes> LiveDiskBytes() const;
  size_t size() const { return members_.size(); }
  bool Has(pid_t pid) const { return members_.contains(pid); }

 private:
  struct Member {
    uint64_t start = 0;
    KeptFile stat;
    // As of LiveCpu().
    uint64_t ticks = 0;
    uint64_t weighed_ticks = 0;  // of them
    int cpu = -1;                // -1: several threads
  };

  static KeptFile StatFile(const RootFs& fs, pid_t pid, bool keep);
  std::optional<ProcessStat> ReadStat(KeptFile& file);
  std::optional<ProcessStat> ReadStat(pid_t pid);
  bool HasChildrenFiles();
  void WalkChildren();
  void ScanAll();
  void Admit(pid_t pid);
  void Admit(pid_t pid, const ProcessStat& stat);
  bool IsMemberOf(pid_t parent) const;

  const RootFs& fs_;
  const pid_t self_;
  const pid_t root_;
  std::map<pid_t, Member> members_;
  std::set<pid_t> strangers_;  // seen before, not of this tree
  std::optional<bool> has_children_files_;
  Bytes memory_;
  CpuWeights weights_;
  WeighedCpu weighed_;
  std::string buffer_;
};

// Reads the machine. Not thread-safe.
class ProcessCpu final : public SubjectCpu {
 public:
  ProcessCpu(const RootFs& fs, Clock& clock);
  Seconds Read(const Subject& subject, bool thorough) override;
  size_t Living(const Subject& subject) override;
  WeighedCpu Weighed(const Subject& subject) override;
  Bytes Memory(const Subject& subject) override;
  std::optional<Bytes> DiskBytes(const Subject& subject) override;
  bool Has(const Subject& subject, pid_t pid) override;

 private:
  struct Watched {
    ProcessTree tree;
    MonotonicTime discovered;
    // Totals never fall.
    Seconds most = {};
    Bytes most_bytes = {};
    size_t living = 0;
  };
  Seconds ReadTree(pid_t root, bool thorough);
  std::optional<Bytes> ReapedDiskBytes() const;

  const RootFs& fs_;
  Clock& clock_;
  std::map<pid_t, Watched> trees_;
};

}  // namespace modicum
