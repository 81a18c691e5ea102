// SPDX-License-Identifier: Apache-2.0
// Sums this process's CPU time by phase. Cheap enough (two clock reads a
// phase) to leave a measured repeat undisturbed; a repeat's joules are then
// split over its phases by CPU-time share.
#pragma once

#include <map>

#include "base/phase.h"
#include "base/units.h"

namespace modicum {

// CPU time of all threads of this process so far.
Seconds ProcessCpuTime();

// Not thread-safe.
class PhaseClock final : public PhaseSink {
 public:
  void Begin(Phase phase) override;
  void Step(Phase, std::span<const SeqWork>) override {}
  // Ends the current phase; CPU seconds by phase since construction.
  std::map<Phase, Seconds> Finish();

 private:
  void Close();

  bool open_ = false;
  Phase phase_ = Phase::kIdle;
  Seconds since_;
  std::map<Phase, Seconds> spent_;
};

}  // namespace modicum
