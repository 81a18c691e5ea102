// SPDX-License-Identifier: Apache-2.0
#include "probe/seen_updates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"

namespace modicum {
namespace {

constexpr int kEnough = 50;
constexpr Seconds kBetweenReads = Milliseconds(0.1);

struct WatchedProbe {
  Probe& probe;
  SeenUpdates seen;
  MonotonicTime first;
};

bool Moved(Probe& probe, MonotonicTime now) {
  const auto deltas = probe.Read(now);
  return deltas && std::ranges::any_of(*deltas, [](const DomainDelta& delta) {
           return !delta.gap && delta.energy > Joules(0);
         });
}

void Look(WatchedProbe& watched, MonotonicTime now) {
  SeenUpdates& seen = watched.seen;
  if (seen.changes == kEnough || !Moved(watched.probe, now)) return;
  if (++seen.changes == 1)
    watched.first = now;
  else
    seen.period = (now - watched.first) / (seen.changes - 1);
}

}  // namespace

std::vector<SeenUpdates> WatchUpdates(
    std::span<const std::unique_ptr<Probe>> probes, Clock& clock,
    Seconds longest) {
  std::vector<WatchedProbe> all;
  for (const auto& probe : probes) all.push_back({*probe, {}, {}});
  const MonotonicTime began = clock.Now();
  const auto lacks = [](const WatchedProbe& watched) {
    return watched.seen.changes < kEnough;
  };
  MonotonicTime now = began;
  while (now - began < longest && std::ranges::any_of(all, lacks)) {
    clock.SleepUntil(now + kBetweenReads);
    now = clock.Now();
    for (WatchedProbe& watched : all) Look(watched, now);
  }
  std::vector<SeenUpdates> seen;
  for (WatchedProbe& watched : all) {
    watched.seen.watched = now - began;
    seen.push_back(watched.seen);
  }
  return seen;
}

std::string Describe(const SeenUpdates& seen) {
  const auto& [changes, watched, period] = seen;
  if (changes >= 2)
    return fmt::format("every {} ({} seen)", FormatDuration(period), changes);
  return fmt::format("{} in {}: it may be stuck", changes == 0 ? "none" : "one",
                     FormatDuration(watched));
}

}  // namespace modicum
