// SPDX-License-Identifier: Apache-2.0
// The phases that a command's own output opens: one window each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meter/meter.h"

namespace modicum {

// All windows of one name together.
struct RunPhase {
  std::string name;
  int times = 0;
  Seconds wall;
  Seconds cpu;
  Estimate<Joules> energy;  // the command's
  // For the ledger: when it first began, what the whole machine used.
  WallTime began;
  bool contended = false;
  std::vector<DomainEnergy> domains;
};

// Not thread-safe.
class RunPhases {
 public:
  // What runs before the first marker is the phase "start". With an empty
  // prefix there are no phases.
  RunPhases(Meter& meter, Subject subject, std::string prefix);
  ~RunPhases();
  RunPhases(const RunPhases&) = delete;
  RunPhases& operator=(const RunPhases&) = delete;

  void Line(std::string_view line);
  // The last one ends.
  void Stop();
  // In the order in which they came first. After the window around them all is
  // ended, they have its idle power.
  std::vector<RunPhase> Finish();

 private:
  void Begin(std::string name);

  Meter& meter_;
  const Subject subject_;
  const std::string prefix_;
  std::optional<WindowId> window_;  // the phase that is open
  std::vector<WindowId> stopped_;
};

}  // namespace modicum
