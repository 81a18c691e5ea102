// SPDX-License-Identifier: Apache-2.0
#include "meter/process_cpu.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "meter/host_cpu.h"
#include "meter/words.h"

namespace modicum {
namespace {

// How often a tree is searched for new members between window edges. What is
// born and dies in between is counted all the same, by whoever waits for it.
// Its CPU time is weighed as often.
constexpr Seconds kDiscoverEvery(1);

// Files of members that stay open; those of more are opened for each read, so
// that a big tree does not use up our descriptors.
constexpr size_t kMostKeptProcesses = 256;

Seconds ThisProcessCpu() {
  timespec ts{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return Seconds(static_cast<double>(ts.tv_sec) +
                 static_cast<double>(ts.tv_nsec) / 1e9);
}

Seconds FromTimeval(const timeval& time) {
  return Seconds(static_cast<double>(time.tv_sec) +
                 static_cast<double>(time.tv_usec) / 1e6);
}

// Every descendant that ended and was waited for, by us in the end.
Seconds ReapedCpu() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return FromTimeval(usage.ru_utime) + FromTimeval(usage.ru_stime);
}

Bytes PageSize() {
  static const Bytes size(static_cast<double>(sysconf(_SC_PAGESIZE)));
  return size;
}

// Of /proc/PID/io or /proc/PID/task/TID/io. One that has ended has none: its
// parent has them.
Result<std::optional<Bytes>> ReadDiskBytes(const RootFs& fs,
                                           const std::string& path) {
  const auto text = fs.Read(path);
  if (!text && (text.error().code == ErrorCode::kNotFound ||
                text.error().code == ErrorCode::kEnded))
    return std::optional<Bytes>();
  if (!text) return Fail(text.error());
  const auto bytes = ParseDiskBytes(*text);
  if (!bytes) return Fail(ErrorCode::kRetry, path + " is cut short");
  return std::optional<Bytes>(static_cast<double>(*bytes));
}

// Not those that ended and were waited for.
bool HaveChildren() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

ProcessTree::ProcessTree(const RootFs& fs, pid_t self, pid_t root)
    : fs_(fs), self_(self), root_(root), weights_(fs) {
  weights_.Look();
}

std::optional<ProcessStat> ProcessTree::ReadStat(KeptFile& file) {
  if (!file.ReadInto(buffer_)) return std::nullopt;
  return ParseProcessStat(buffer_);
}

std::optional<ProcessStat> ProcessTree::ReadStat(pid_t pid) {
  KeptFile file = StatFile(fs_, pid, false);
  return ReadStat(file);
}

KeptFile ProcessTree::StatFile(const RootFs& fs, pid_t pid, bool keep) {
  return {fs, PidPath(pid, "/stat"), keep};
}

bool ProcessTree::IsMemberOf(pid_t parent) const {
  return (root_ == 0 && parent == self_) || members_.contains(parent);
}

void ProcessTree::Admit(pid_t pid) {
  if (members_.contains(pid)) return;
  if (const auto stat = ReadStat(pid)) Admit(pid, *stat);
}

void ProcessTree::Admit(pid_t pid, const ProcessStat& stat) {
  const bool keep = members_.size() < kMostKeptProcesses;
  members_.emplace(pid, Member{stat.start, StatFile(fs_, pid, keep), 0, 0, -1});
}

// Kernels without CONFIG_PROC_CHILDREN lack the file.
bool ProcessTree::HasChildrenFiles() {
  if (!has_children_files_) {
    const std::string pid = std::to_string(self_);
    has_children_files_ =
        fs_.Exists("/proc/" + pid + "/task/" + pid + "/children");
  }
  return *has_children_files_;
}

void ProcessTree::Discover() {
  if (root_ != 0) Admit(root_);
  if (HasChildrenFiles())
    WalkChildren();
  else
    ScanAll();
}

void ProcessTree::WalkChildren() {
  std::vector<pid_t> todo;
  if (root_ == 0) todo.push_back(self_);
  for (const auto& [pid, member] : members_) todo.push_back(pid);
  while (!todo.empty()) {
    const std::string tasks = PidPath(todo.back(), "/task");
    todo.pop_back();
    const auto threads = fs_.List(tasks);
    if (!threads) continue;  // it ended
    for (const std::string& thread : *threads) {
      const auto children = fs_.Read(tasks + "/" + thread + "/children");
      if (!children) continue;
      std::string_view rest = *children;
      pid_t child = 0;
      while (ParseNumber(TakeWord(rest), child)) {
        if (members_.contains(child)) continue;
        Admit(child);
        todo.push_back(child);
      }
    }
  }
}

// Reads only processes not seen before, until no more of them join.
void ProcessTree::ScanAll() {
  const auto names = fs_.List("/proc");
  if (!names) return;
  std::map<pid_t, ProcessStat> unknown;
  std::set<pid_t> alive;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    if (!ParseNumber(name, pid)) continue;
    alive.insert(pid);
    if (members_.contains(pid) || strangers_.contains(pid)) continue;
    if (const auto stat = ReadStat(pid)) unknown.emplace(pid, *stat);
  }
  bool joined = true;
  while (joined) {
    joined = std::erase_if(unknown, [this](const auto& entry) {
               if (!IsMemberOf(entry.second.parent)) return false;
               Admit(entry.first, entry.second);
               return true;
             }) > 0;
  }
  for (const auto& [pid, stat] : unknown) strangers_.insert(pid);
  std::erase_if(strangers_,
                [&alive](pid_t pid) { return !alive.contains(pid); });
}

Seconds ProcessTree::LiveCpu() {
  uint64_t ticks = 0;
  uint64_t pages = 0;
  for (auto it = members_.begin(); it != members_.end();) {
    const auto stat = ReadStat(it->second.stat);
    if (stat && stat->start == it->second.start) {
      ticks += stat->ticks + stat->waited;
      pages += stat->resident;
      it->second.ticks = stat->ticks;
      it->second.cpu = stat->threads == 1 ? stat->cpu : -1;
      ++it;
    } else {
      it = members_.erase(it);
    }
  }
  memory_ = PageSize() * static_cast<double>(pages);
  return HostCpuReader::FromTicks(ticks);
}

void ProcessTree::Weigh() {
  if (!weights_.known()) return;
  weights_.Look();
  const auto since = [](const Member& member) {
    const uint64_t before = std::min(member.weighed_ticks, member.ticks);
    return HostCpuReader::FromTicks(member.ticks - before);
  };
  for (const auto& [pid, member] : members_)
    weights_.Spend(member.cpu, since(member));
  const double rest = weights_.OfRest();
  for (auto& [pid, member] : members_) {
    const Seconds cpu = since(member);
    weighed_.cpu += cpu;
    weighed_.weighed += cpu * (member.cpu < 0 ? rest : weights_.Of(member.cpu));
    member.weighed_ticks = member.ticks;
  }
}

std::optional<Bytes> ProcessTree::LiveDiskBytes() const {
  Bytes sum;
  for (const auto& [pid, member] : members_) {
    const auto bytes = ReadDiskBytes(fs_, PidPath(pid, "/io"));
    if (!bytes) return std::nullopt;
    sum += bytes->value_or(Bytes(0));
  }
  return sum;
}

ProcessCpu::ProcessCpu(const RootFs& fs, Clock& clock)
    : fs_(fs), clock_(clock) {}

Seconds ProcessCpu::Read(const Subject& subject, bool thorough) {
  if (subject.kind == Subject::Kind::kThisProcess) return ThisProcessCpu();
  return ReadTree(subject.root, thorough);
}

size_t ProcessCpu::Living(const Subject& subject) {
  const auto found = trees_.find(subject.root);
  return found == trees_.end() ? 0 : found->second.living;
}

WeighedCpu ProcessCpu::Weighed(const Subject& subject) {
  const auto found = trees_.find(subject.root);
  return found == trees_.end() ? WeighedCpu{} : found->second.tree.weighed();
}

Bytes ProcessCpu::Memory(const Subject& subject) {
  using enum Subject::Kind;
  Bytes held;
  if (subject.kind != kTree)
    if (const auto text = fs_.Read(PidPath(getpid(), "/stat")))
      if (const auto stat = ParseProcessStat(*text))
        held += PageSize() * static_cast<double>(stat->resident);
  const auto found = trees_.find(subject.root);
  if (subject.kind != kThisProcess && found != trees_.end())
    held += found->second.tree.memory();
  return held;
}

// The kernel adds those of a child that was waited for to the process, and not
// to any of its threads. What our own ended threads moved cannot be told from
// that.
std::optional<Bytes> ProcessCpu::ReapedDiskBytes() const {
  const auto all = ReadDiskBytes(fs_, PidPath(getpid(), "/io"));
  const std::string tasks = PidPath(getpid(), "/task");
  const auto threads = fs_.List(tasks);
  if (!all || !*all || !threads) return std::nullopt;
  Bytes own;
  for (const std::string& thread : *threads) {
    const auto bytes = ReadDiskBytes(fs_, tasks + "/" + thread + "/io");
    if (!bytes) return std::nullopt;
    own += bytes->value_or(Bytes(0));
  }
  return std::max(Bytes(0), **all - own);
}

// As of CPU time the dead come first.
std::optional<Bytes> ProcessCpu::DiskBytes(const Subject& subject) {
  using enum Subject::Kind;
  std::optional<Bytes> sum = Bytes(0);
  if (subject.kind == kTree) {
    if (subject.root == 0) sum = ReapedDiskBytes();
  } else {
    const auto own = ReadDiskBytes(fs_, PidPath(getpid(), "/io"));
    if (!own || !*own) return std::nullopt;
    sum = *own;
  }
  const auto found = trees_.find(subject.root);
  if (!sum || subject.kind == kThisProcess || found == trees_.end()) return sum;
  Watched& watched = found->second;
  const auto alive = watched.tree.LiveDiskBytes();
  if (!alive) return std::nullopt;
  if (subject.kind == kThisTree) return *sum + *alive;
  watched.most_bytes = std::max(watched.most_bytes, *sum + *alive);
  return watched.most_bytes;
}

bool ProcessCpu::Has(const Subject& subject, pid_t pid) {
  using enum Subject::Kind;
  if (subject.kind == kMachine) return true;
  if (subject.kind != kTree && pid == getpid()) return true;
  if (subject.kind == kThisProcess) return false;
  const auto found = trees_.find(subject.root);
  return found != trees_.end() && found->second.tree.Has(pid);
}

Seconds ProcessCpu::ReadTree(pid_t root, bool thorough) {
  auto found = trees_.find(root);
  thorough |= found == trees_.end();
  // The usual case at both edges of a command: nothing is alive to look for.
  if (root == 0 && thorough && !HaveChildren()) {
    if (found != trees_.end()) found->second.living = 0;
    return ReapedCpu();
  }
  const MonotonicTime now = clock_.Now();
  if (found == trees_.end()) {
    found = trees_.emplace(root, Watched{ProcessTree(fs_, getpid(), root), now})
                .first;
  }
  Watched& watched = found->second;
  thorough |= now - watched.discovered >= kDiscoverEvery;
  if (thorough) {
    watched.tree.Discover();
    watched.discovered = now;
  }
  // The dead first: one that ends in between is then missed for a moment, not
  // counted twice.
  const Seconds reaped = root == 0 ? ReapedCpu() : Seconds(0);
  const Seconds total = reaped + watched.tree.LiveCpu();
  if (thorough) watched.tree.Weigh();
  watched.living = watched.tree.size();
  watched.most = std::max(watched.most, total);
  return watched.most;
}

}  // namespace modicum
