// SPDX-License-Identifier: Apache-2.0
#include "evaluate/phase_costs.h"

#include <algorithm>

namespace modicum {
namespace {

void Add(const WindowReading& reading, PhaseCost& cost) {
  cost.wall += reading.wall;
  cost.cpu += reading.cpu;
  cost.energy = cost.energy + reading.split.own();
  cost.contended = cost.contended || reading.contended;
  AddDomains(reading.domains, cost.domains);
}

PhaseCost First(Phase phase, const WindowReading& reading, uint64_t tokens) {
  return {phase,       reading.began,       reading.wall,
          reading.cpu, reading.split.own(), reading.domains,
          tokens,      reading.contended};
}

}  // namespace

void PhaseCosts::Step(Phase phase, std::span<const SeqWork> work) {
  for (const SeqWork& sequence : work) tokens_[phase] += sequence.tokens_in;
}

uint64_t PhaseCosts::tokens(Phase phase) const {
  const auto found = tokens_.find(phase);
  return found == tokens_.end() ? 0 : found->second;
}

Result<std::vector<PhaseCost>> PhaseCosts::Finish() {
  MODICUM_TRY(const auto readings, meter_.Finish());
  std::vector<PhaseCost> costs;
  for (const auto& [phase, reading] : readings) {
    const auto cost = std::ranges::find(costs, phase, &PhaseCost::phase);
    if (cost == costs.end())
      costs.push_back(First(phase, reading, tokens(phase)));
    else
      Add(reading, *cost);
  }
  tokens_.clear();
  return costs;
}

}  // namespace modicum
