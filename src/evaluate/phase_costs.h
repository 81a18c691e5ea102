// SPDX-License-Identifier: Apache-2.0
// What each phase of a network's work cost, and how many tokens it was for.
#pragma once

#include <map>
#include <vector>

#include "meter/meter.h"

namespace modicum {

// A phase, all its windows together.
struct PhaseCost {
  Phase phase{};
  WallTime began;
  Seconds wall;
  Seconds cpu;
  Estimate<Joules> energy;
  std::vector<DomainEnergy> domains;
  uint64_t tokens = 0;  // read in it; when decoding, each was generated
  bool contended = false;
};

// Adds up windows by phase, and the tokens of the steps in them. Not
// thread-safe.
class PhaseCosts final : public PhaseSink {
 public:
  explicit PhaseCosts(Meter& meter) : meter_(meter) {}
  void Begin(Phase phase) override { meter_.Begin(phase); }
  void Step(Phase phase, std::span<const SeqWork> work) override;
  // Ends the phase; in the order in which they began.
  Result<std::vector<PhaseCost>> Finish();
  uint64_t tokens(Phase phase) const;  // so far

 private:
  PhaseMeter meter_;
  std::map<Phase, uint64_t> tokens_;
};

}  // namespace modicum
