// SPDX-License-Identifier: Apache-2.0
#include "cli/run_phases.h"

#include <algorithm>

#include "base/trim.h"

namespace modicum {

RunPhases::RunPhases(Meter& meter, Subject subject, std::string prefix)
    : meter_(meter), subject_(subject), prefix_(std::move(prefix)) {
  if (!prefix_.empty()) Begin("start");
}

RunPhases::~RunPhases() { End(); }

void RunPhases::Line(std::string_view line) {
  if (prefix_.empty() || !line.starts_with(prefix_)) return;
  End();
  const std::string_view name = Trim(line.substr(prefix_.size()));
  Begin(name.empty() ? "unnamed" : std::string(name));
}

std::vector<RunPhase> RunPhases::Finish() {
  End();
  return std::move(phases_);
}

void RunPhases::Begin(std::string name) {
  window_ = meter_.Begin(std::move(name), subject_);
  open_ = true;
}

void RunPhases::End() {
  if (!open_) return;
  open_ = false;
  const auto reading = meter_.End(window_);
  if (!reading) return;
  const auto same = std::find_if(
      phases_.begin(), phases_.end(),
      [&](const RunPhase& phase) { return phase.name == reading->name; });
  if (same == phases_.end()) {
    phases_.push_back(
        {reading->name, 1, reading->wall, reading->cpu, reading->split.own()});
    return;
  }
  ++same->times;
  same->wall += reading->wall;
  same->cpu += reading->cpu;
  same->energy = same->energy + reading->split.own();
}

}  // namespace modicum
