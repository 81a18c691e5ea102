// SPDX-License-Identifier: Apache-2.0
#include "cli/watcher.h"

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "meter/cgroup.h"
#include "meter/reading.h"

namespace modicum {
namespace {

// In the order of WatchBy::Kind.
constexpr std::array<std::string_view, 4> kNames = {"process", "command",
                                                    "cgroup", "user"};

// What the filter leaves out.
constexpr std::string_view kOthers = "(others)";

// A path and what is below it; else a part of what people call it.
bool InCgroup(const std::string& path, const std::string& wanted) {
  if (wanted.starts_with('/'))
    return path == wanted || wanted == "/" ||
           (path.starts_with(wanted) &&
            (wanted.ends_with('/') || path[wanted.size()] == '/'));
  return CgroupName(path).find(wanted) != std::string::npos;
}

void Accumulate(const Estimate<Joules>& part,
                std::optional<Estimate<Joules>>& total) {
  total = total ? *total + part : part;
}

}  // namespace

std::string_view WatchBy::name() const {
  return kind_ == kTag ? tag_ : kNames[kind_];
}

WatchBy WatchBy::Next(const std::string& tag) const {
  const int next = kind_ + 1;
  if (next < kTag) return static_cast<Kind>(next);
  return kind_ == kTag || tag.empty() ? WatchBy(kProcess) : WatchBy(kTag, tag);
}

Result<WatchBy> WatchBy::Parse(std::string_view name,
                               const ChargeRules& rules) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found != kNames.end())
    return WatchBy(static_cast<Kind>(found - kNames.begin()));
  if (rules.Has(name)) return WatchBy(kTag, std::string(name));
  std::vector<std::string_view> names(kNames.begin(), kNames.end());
  for (const std::string_view tag : rules.Tags()) names.push_back(tag);
  return Fail(
      ErrorCode::kInvalidInput,
      "--by: unknown '" + std::string(name) + "'" + DidYouMean(name, names),
      "use process, command, cgroup, user, or a tag that "
      "--charge-rules gives");
}

Status Watcher::Start() {
  MODICUM_TRY(const auto processes, census_.Take());
  FindTree(processes);
  const std::string& cgroup = filter_.cgroup;
  if (cgroup.empty() ||
      std::ranges::any_of(processes, [&](const ProcessCpuUse& process) {
        return InCgroup(process.cgroup, cgroup);
      }))
    return {};
  return Fail(ErrorCode::kNotFound,
              "--cgroup: there is no process in '" + cgroup + "'",
              "`modicum watch --by cgroup --once` shows those that there are");
}

// Members stay so when their parent ends and they are taken in by another.
void Watcher::FindTree(const std::vector<ProcessCpuUse>& processes) {
  if (!filter_.root) return;
  std::set<pid_t> alive;
  for (const ProcessCpuUse& process : processes) alive.insert(process.pid);
  std::erase_if(tree_, [&](pid_t pid) { return !alive.contains(pid); });
  if (alive.contains(*filter_.root)) tree_.insert(*filter_.root);
  for (size_t before = 0; before != tree_.size();) {
    before = tree_.size();
    for (const ProcessCpuUse& process : processes)
      if (tree_.contains(process.parent)) tree_.insert(process.pid);
  }
}

bool Watcher::Shows(const ProcessCpuUse& process) const {
  return (!filter_.root || tree_.contains(process.pid)) &&
         (!filter_.user || process.user == *filter_.user) &&
         (filter_.cgroup.empty() || InCgroup(process.cgroup, filter_.cgroup));
}

std::string Watcher::NameOf(const ProcessCpuUse& process,
                            const WatchBy& by) const {
  switch (by.kind()) {
    case WatchBy::kProcess:
    case WatchBy::kCommand:
      return process.name;
    case WatchBy::kCgroup:
      return CgroupName(process.cgroup);
    case WatchBy::kUser:
      return users_.NameOf(process.user);
    case WatchBy::kTag: {
      const ChargeTags& tags = rules_.TagsOf(process, users_);
      const auto tag = tags.find(std::string(by.name()));
      return tag == tags.end() ? "(no " + std::string(by.name()) + ")"
                               : tag->second;
    }
  }
  return process.name;
}

std::string Watcher::KeyOf(const ProcessCpuUse& process,
                           const WatchBy& by) const {
  if (!Shows(process)) return std::string(kOthers);
  return by == WatchBy::kProcess
             ? std::to_string(process.pid) + "/" + std::to_string(process.start)
             : NameOf(process, by);
}

WatchRow Watcher::RowOf(const Consumer& consumer, const ConsumerEnergy& energy,
                        const std::vector<ProcessCpuUse>& processes,
                        const WatchBy& by) {
  WatchRow row;
  row.name = consumer.name;
  row.pids = consumer.pids;
  row.cpu = consumer.cpu;
  row.energy = energy;
  const auto first = std::find_if(processes.begin(), processes.end(),
                                  [&](const auto& process) {
                                    return process.pid == consumer.pids.front();
                                  });
  if (first != processes.end() && consumer.name != kOthers) {
    row.name = NameOf(*first, by);
    row.user = users_.NameOf(first->user);
    row.cgroup = first->cgroup;
    row.tags = rules_.TagsOf(*first, users_);
  }
  const auto [total, fresh] =
      totals_.emplace(consumer.name, Total{energy.own(), watched_});
  if (!fresh) total->second = {total->second.energy + energy.own(), watched_};
  row.total = total->second.energy;
  return row;
}

Result<WatchFrame> Watcher::Next(const WindowReading& reading,
                                 const WatchBy& by) {
  MODICUM_TRY(const auto processes, census_.Take());
  FindTree(processes);
  if (!(by == by_)) totals_.clear();
  by_ = by;
  const auto consumers = GroupBy(processes, [&](const ProcessCpuUse& process) {
    return KeyOf(process, by);
  });
  const Allotment allotment = Allot(reading, consumers, policy_);
  watched_ += reading.wall;
  Accumulate(allotment.measured, total_);
  WatchFrame frame;
  frame.at = reading.began + reading.wall;
  frame.wall = reading.wall;
  frame.watched = watched_;
  for (size_t i = 0; i < consumers.size(); ++i)
    frame.rows.push_back(
        RowOf(consumers[i], allotment.shares[i], processes, by));
  std::erase_if(totals_, [this](const auto& entry) {
    return watched_ - entry.second.seen > kForgotten;
  });
  std::stable_sort(frame.rows.begin(), frame.rows.end(),
                   [](const WatchRow& a, const WatchRow& b) {
                     return a.energy.own().mid > b.energy.own().mid;
                   });
  frame.measured = allotment.measured;
  frame.idle = allotment.idle;
  frame.unattributed = allotment.unattributed;
  frame.total = *total_;
  frame.domains = reading.domains;
  frame.slices = reading.slices;
  frame.warnings = reading.warnings;
  frame.weighed = census_.weighs() && AnyByWeight(reading.domains);
  return frame;
}

}  // namespace modicum
