// SPDX-License-Identifier: Apache-2.0
#include "meter/census.h"

#include <algorithm>

#include "meter/cgroup.h"
#include "meter/host_cpu.h"
#include "meter/words.h"

namespace modicum {
namespace {

// A container's runtime moves a process into its group after it was born: its
// identity is read at the first looks, and then now and then.
constexpr uint32_t kYoung = 3;
constexpr uint32_t kEvery = 30;

// Files that stay open: a look then costs one system call for each. A big
// machine does not use up our descriptors.
constexpr size_t kMostKept = 768;

// Times of the dead are of two counts, each of whole ticks.
constexpr double kTicksApart = 2;

// Of what two sums of times differ by, rounded.
constexpr Seconds kLeast{1e-6};

// "Uid:\treal\teffective\t...".
uid_t UserOf(std::string_view status) {
  const size_t at = status.find("\nUid:");
  uid_t user = 0;
  if (at == std::string_view::npos) return user;
  status.remove_prefix(at + 5);
  ParseNumber(TakeWord(status), user);
  return user;
}

bool Same(const ProcessStat& a, const ProcessStat& b) {
  return a.start == b.start;
}

Seconds In(const std::map<pid_t, Seconds>& times, pid_t pid) {
  const auto found = times.find(pid);
  return found == times.end() ? Seconds(0) : found->second;
}

uint64_t Since(uint64_t before, uint64_t now) {
  return now > before ? now - before : 0;
}

}  // namespace

// False when it has ended. The open file of a dead process cannot be read, also
// when its pid is another's by now.
bool Census::ReadKept(pid_t pid, std::string_view name, Files& files) {
  const auto kept = files.find(pid);
  if (kept != files.end()) {
    if (kept->second.ReadInto(buffer_)) return true;
    files.erase(kept);
  }
  if (stats_.size() + schedules_.size() >= kMostKept)
    return fs_.ReadInto(PidPath(pid, name), buffer_).has_value();
  KeptFile file(fs_, PidPath(pid, name));
  if (!file.ReadInto(buffer_)) return false;
  files.emplace(pid, std::move(file));
  return true;
}

std::optional<ProcessSchedule> Census::ReadSchedule(pid_t pid) {
  if (!ReadKept(pid, "/schedstat", schedules_)) return std::nullopt;
  return ParseProcessSchedule(buffer_);
}

// False when it has ended meanwhile. `thoroughly`: although it is quiet.
bool Census::Look(pid_t pid, Known& now, bool thoroughly) {
  const auto found = known_.find(pid);
  const Known* before = found == known_.end() ? nullptr : &found->second;
  now.schedule.reset();
  if (before != nullptr && before->stat.threads == 1)
    now.schedule = ReadSchedule(pid);
  now.quiet = !thoroughly && now.schedule && !before->stat.running &&
              before->schedule == now.schedule;
  if (now.quiet) {
    stats_.erase(pid);
    now.stat = before->stat;
  } else if (!LookAtStat(pid, before, now)) {
    return false;
  }
  if (before != nullptr && !Same(before->stat, now.stat)) before = nullptr;
  now.user = before ? before->user : 0;
  now.cgroup = before ? before->cgroup : "";
  now.looks = before ? before->looks + 1 : 1;
  if (now.looks <= kYoung || now.looks % kEvery == 0 ||
      (before && before->stat.name != now.stat.name))
    LookAtIdentity(pid, now);
  return true;
}

bool Census::LookAtStat(pid_t pid, const Known* before, Known& now) {
  if (!ReadKept(pid, "/stat", stats_)) return false;
  auto stat = ParseProcessStat(buffer_);
  if (!stat) return false;
  now.stat = *std::move(stat);
  if (first_) return true;
  const bool same = before != nullptr && Same(before->stat, now.stat);
  now.ticks = Since(same ? before->stat.ticks : 0, now.stat.ticks);
  now.waited = Since(same ? before->stat.waited : 0, now.stat.waited);
  return true;
}

// The kernel gives its children another parent then; they need not run for it.
bool Census::LostItsParent(const Known& known, const Processes& now) const {
  const auto before = known_.find(known.stat.parent);
  if (before == known_.end()) return false;
  const auto alive = now.find(known.stat.parent);
  return alive == now.end() || !Same(alive->second.stat, before->second.stat);
}

void Census::LookAtOrphans(Processes& now) {
  for (auto at = now.begin(); at != now.end();) {
    Known& known = at->second;
    const bool ended = known.quiet && LostItsParent(known, now) &&
                       !Look(at->first, known, /*thoroughly=*/true);
    at = ended ? now.erase(at) : std::next(at);
  }
}

void Census::LookAtIdentity(pid_t pid, Known& known) {
  if (fs_.ReadInto(PidPath(pid, "/status"), buffer_))
    known.user = UserOf(buffer_);
  if (fs_.ReadInto(PidPath(pid, "/cgroup"), buffer_))
    known.cgroup = CgroupPath(buffer_);
  if (known.cgroup.empty()) known.cgroup = "/";
}

ProcessCpuUse Census::UseOf(pid_t pid, const Known& known, uint64_t ticks) {
  return {pid,
          known.stat.parent,
          known.stat.start,
          known.stat.name,
          known.user,
          known.cgroup,
          HostCpuReader::FromTicks(ticks),
          {}};
}

// Takes what was charged to the dead before off what their ancestors waited
// for: the nearest first, for an orphan is waited for further up. Returns the
// last entries of the dead.
std::vector<ProcessCpuUse> Census::Settle(Processes& now) const {
  // Pids that were used again may make a ring; a line is never longer.
  const size_t longest = known_.size() + now.size();
  std::vector<std::pair<pid_t, Known*>> waited_for;  // dead, its heir
  for (const auto& [pid, dead] : known_) {
    const auto heir = now.find(pid);
    if (heir != now.end() && Same(heir->second.stat, dead.stat)) continue;
    uint64_t charged = dead.stat.ticks + dead.stat.waited;
    pid_t at = dead.stat.parent;
    for (size_t step = 0; charged > 0 && step < longest; ++step) {
      const auto alive = now.find(at);
      const auto before = known_.find(at);
      if (alive != now.end()) {
        const uint64_t paid = std::min(charged, alive->second.waited);
        alive->second.waited -= paid;
        charged -= paid;
        if (charged == 0) waited_for.emplace_back(pid, &alive->second);
        at = alive->second.stat.parent;
      } else if (before != known_.end()) {
        at = before->second.stat.parent;
      } else {
        break;
      }
    }
  }
  std::vector<ProcessCpuUse> last;
  for (const auto& [pid, heir] : waited_for) {
    if (now.contains(pid)) continue;  // its pid is another's by now
    const Known& dead = known_.at(pid);
    const uint64_t ticks = std::min(heir->waited, dead.ticks + dead.waited);
    heir->waited -= ticks;
    if (ticks > 0) last.push_back(UseOf(pid, dead, ticks));
  }
  return last;
}

// Whether all exits since the last look are known.
bool Census::Listen() {
  if (exits_ == nullptr) return false;
  const auto told = exits_->Drain();
  if (!told) return false;
  for (const ThreadExit& exit : *told) {
    Ended& ended = ended_[exit.process];
    // Its pid was used again within one look.
    if (ended.whole) continue;
    const Seconds before = ended.exit.cpu;
    ended.exit = exit;
    ended.exit.cpu = before + exit.cpu;
    ended.whole = exit.last;
  }
  return true;
}

// Its group and name are as at the last look; of who was never seen the group
// is that of the nearest ancestor who was.
ProcessCpuUse Census::UseOfEnded(const ThreadExit& exit) const {
  ProcessCpuUse use{exit.process, exit.parent, 0,        exit.name,
                    exit.user,    "/",         exit.cpu, {}};
  const auto seen = known_.find(exit.process);
  if (seen != known_.end()) {
    use = UseOf(exit.process, seen->second, 0);
    const Seconds charged = HostCpuReader::FromTicks(seen->second.stat.ticks);
    use.cpu = std::max(Seconds(0), exit.cpu - charged);
    return use;
  }
  pid_t at = exit.parent;
  for (size_t step = 0; step <= ended_.size(); ++step) {
    if (const auto known = known_.find(at); known != known_.end()) {
      use.cgroup = known->second.cgroup;
      break;
    }
    const auto older = ended_.find(at);
    if (older == ended_.end()) break;
    at = older->second.exit.parent;
  }
  return use;
}

// Whether it is gone. A zombie is there until it is waited for, with all it
// used; of a process that lives on only threads ended.
bool Census::Left(pid_t pid, const Ended& ended, const Processes& now) const {
  return ended.whole && !now.contains(pid) && !first_;
}

std::vector<ProcessCpuUse> Census::TakeEnded(const Processes& now) {
  std::vector<ProcessCpuUse> uses;
  for (const auto& [pid, ended] : ended_) {
    if (!Left(pid, ended, now)) continue;
    if (ProcessCpuUse use = UseOfEnded(ended.exit); use.cpu > kLeast)
      uses.push_back(std::move(use));
  }
  return uses;
}

// Who waits for a child of `parent`; 0: not known.
pid_t Census::HeirOf(pid_t parent, const Processes& now) const {
  for (size_t step = 0; step <= ended_.size() + known_.size(); ++step) {
    if (now.contains(parent)) return parent;
    const auto ended = ended_.find(parent);
    const auto known = known_.find(parent);
    if (ended != ended_.end())
      parent = ended->second.exit.parent;
    else if (known != known_.end())
      parent = known->second.stat.parent;
    else
      break;
  }
  return 0;
}

// CPU time that was told, or charged, of who is gone: theirs, and of their own
// dead as far as they waited for them. By who waits for them.
std::map<pid_t, Seconds> Census::ToldByHeir(const Processes& now) const {
  std::map<pid_t, Seconds> told;
  const auto of_its_dead = [this](pid_t pid, const Known& dead) {
    return HostCpuReader::FromTicks(dead.stat.waited) - In(owed_, pid);
  };
  for (const auto& [pid, gone] : ended_) {
    if (!Left(pid, gone, now)) continue;
    Seconds& of_heir = told[HeirOf(gone.exit.parent, now)];
    of_heir += gone.exit.cpu;
    if (const auto seen = known_.find(pid); seen != known_.end())
      of_heir += of_its_dead(pid, seen->second);
  }
  // Nobody told of their end, but they were charged while they were seen.
  for (const auto& [pid, dead] : known_) {
    const auto gone = ended_.find(pid);
    if (now.contains(pid) || (gone != ended_.end() && gone->second.whole))
      continue;
    told[HeirOf(dead.stat.parent, now)] +=
        HostCpuReader::FromTicks(dead.stat.ticks) + of_its_dead(pid, dead);
  }
  return told;
}

// `ended`: the entries of those who are gone, which ended_ still has.
void Census::ShareRests(Processes& now, std::vector<ProcessCpuUse>& ended) {
  const auto told = ToldByHeir(now);
  std::map<pid_t, std::vector<ProcessCpuUse*>> entries;
  for (ProcessCpuUse& use : ended)
    entries[HeirOf(use.parent, now)].push_back(&use);
  std::map<pid_t, Seconds> owed_now;
  for (auto& [pid, known] : now) {
    const Seconds just_told = In(told, pid);
    Seconds owed =
        In(owed_, pid) + HostCpuReader::FromTicks(known.waited) - just_told;
    known.waited = 0;
    if (owed > kTicksApart * HostCpuReader::Tick()) {
      Seconds sum;
      for (const ProcessCpuUse* use : entries[pid]) sum += use->cpu;
      for (ProcessCpuUse* use : entries[pid])
        use->cpu += owed * (use->cpu / sum);
      if (sum == Seconds(0)) {  // told of earlier, or by nobody
        known.waited = static_cast<uint64_t>(owed / HostCpuReader::Tick());
        owed -= HostCpuReader::FromTicks(known.waited);
      } else {
        owed = Seconds(0);
      }
    }
    // What is not waited for by the next look never will be.
    owed = std::max(owed, Seconds(0) - just_told);
    if (owed != Seconds(0)) owed_now.emplace(pid, owed);
  }
  owed_ = std::move(owed_now);
}

void Census::Weigh(const Processes& now, std::vector<ProcessCpuUse>& uses) {
  weights_.Look();
  const auto time = [](uint64_t ticks) {
    return HostCpuReader::FromTicks(ticks);
  };
  for (const auto& [pid, known] : now)
    if (known.stat.threads == 1)
      weights_.Spend(known.stat.cpu, time(known.ticks));
  const double rest = weights_.OfRest();
  for (ProcessCpuUse& use : uses) {
    use.weighed = use.cpu * rest;
    const auto alive = now.find(use.pid);
    if (alive == now.end() || alive->second.stat.threads != 1) continue;
    const Known& known = alive->second;
    use.weighed += std::min(use.cpu, time(known.ticks)) *
                   (weights_.Of(known.stat.cpu) - rest);
  }
}

Result<std::vector<ProcessCpuUse>> Census::Take() {
  MODICUM_TRY(const auto names, fs_.List("/proc"));
  Processes now;
  for (const std::string& name : names) {
    pid_t pid = 0;
    Known known;
    if (ParseNumber(name, pid) && Look(pid, known))
      now.emplace(pid, std::move(known));
  }
  LookAtOrphans(now);
  for (Files* files : {&stats_, &schedules_})
    std::erase_if(
        *files, [&now](const auto& file) { return !now.contains(file.first); });
  const bool exact = Listen();
  std::vector<ProcessCpuUse> uses = TakeEnded(now);
  if (exact) {
    ShareRests(now, uses);
  } else {
    uses = Settle(now);
    owed_.clear();
  }
  std::erase_if(
      ended_, [&now](const auto& ended) { return !now.contains(ended.first); });
  uses.reserve(uses.size() + now.size());
  for (const auto& [pid, known] : now)
    uses.push_back(UseOf(pid, known, known.ticks + known.waited));
  Weigh(now, uses);
  known_ = std::move(now);
  first_ = false;
  return uses;
}

}  // namespace modicum
