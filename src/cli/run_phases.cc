// SPDX-License-Identifier: Apache-2.0
#include "cli/run_phases.h"

#include <algorithm>
#include <utility>

#include "base/trim.h"

namespace modicum {

RunPhases::RunPhases(Meter& meter, Subject subject, std::string prefix)
    : meter_(meter), subject_(subject), prefix_(std::move(prefix)) {
  if (!prefix_.empty()) Begin("start");
}

// Nobody wants these readings any more.
RunPhases::~RunPhases() {
  Stop();
  for (const WindowId window : stopped_) static_cast<void>(meter_.End(window));
}

void RunPhases::Line(std::string_view line) {
  if (prefix_.empty() || !line.starts_with(prefix_)) return;
  Stop();
  const std::string_view name = Trim(line.substr(prefix_.size()));
  Begin(name.empty() ? "unnamed" : std::string(name));
}

void RunPhases::Begin(std::string name) {
  window_ = meter_.Begin(std::move(name), subject_);
}

void RunPhases::Stop() {
  if (!window_) return;
  if (meter_.Stop(*window_)) stopped_.push_back(*window_);
  window_.reset();
}

std::vector<RunPhase> RunPhases::Finish() {
  Stop();
  std::vector<RunPhase> phases;
  for (const WindowId window : std::exchange(stopped_, {})) {
    const auto reading = meter_.End(window);
    if (!reading) continue;
    const auto same = std::ranges::find(phases, reading->name, &RunPhase::name);
    if (same == phases.end()) {
      phases.push_back({reading->name, 1, reading->wall, reading->cpu,
                        reading->split.own(), reading->began,
                        reading->contended, reading->domains});
      continue;
    }
    ++same->times;
    same->wall += reading->wall;
    same->cpu += reading->cpu;
    same->energy = same->energy + reading->split.own();
    same->contended |= reading->contended;
    AddDomains(reading->domains, same->domains);
  }
  return phases;
}

}  // namespace modicum
