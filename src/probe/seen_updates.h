// SPDX-License-Identifier: Apache-2.0
// How often a counter shows a new value, by watching it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "probe/probe.h"

namespace modicum {

struct SeenUpdates {
  int changes = 0;
  Seconds watched;
  Seconds period;  // between the first change and the last; of two at least
};

// Reads all in turn until each has changed often enough, or for `longest`. One
// entry a probe; what fails to be read has not changed.
std::vector<SeenUpdates> WatchUpdates(
    std::span<const std::unique_ptr<Probe>> probes, Clock& clock,
    Seconds longest);

// "every 0.98 ms (51 seen)", "none in 500 ms: it may be stuck".
std::string Describe(const SeenUpdates& seen);

}  // namespace modicum
