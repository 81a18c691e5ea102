// SPDX-License-Identifier: Apache-2.0
// Splits a domain's energy between the subject, the others and nobody, such
// that the parts always sum to what was measured.
#pragma once

#include <optional>

#include "base/estimate.h"
#include "meter/meter.h"
#include "record/types.h"

namespace modicum {

// CPU time in one window. The kernel counts `busy` in ticks, and of `own` what
// those have used who lived at one of its ends.
struct CpuUse {
  Seconds own;
  Seconds busy;            // all processes
  Seconds capacity;        // CPUs x wall
  Seconds busy_sd;         // of `busy`, from counting in ticks
  Seconds own_sd = {};     // of `own`
  bool everybody = false;  // the subject is the machine: nothing is others'
  // Of a second of `own`, relative to the mean: cpu_weights.h. Where it is
  // told.
  std::optional<double> weight = {};

  // The subject's share of the active energy. Ticks may miss short work, so
  // the whole is never less than the part.
  double ShareOfBusy() const;
  // The subject's share of the machine's capacity.
  double ShareOfCapacity() const;
  Seconds others() const;
};

// The idle part of `measured`: never more than all of it.
Estimate<Joules> IdlePart(const Estimate<Joules>& measured,
                          const std::optional<Estimate<Watts>>& idle,
                          Seconds wall);

// `idle`: what the domain draws with nothing running; nullopt: not known, all
// energy then counts as active. Active energy goes by CPU-time share, idle by
// the policy. Active energy in a window where nothing ran is unattributed.
EnergySplit Split(const Estimate<Joules>& measured,
                  const std::optional<Estimate<Watts>>& idle, Seconds wall,
                  const CpuUse& use, IdlePolicy policy);

// A domain that CPU time does not explain (a GPU): nobody's.
EnergySplit Unattributed(const Estimate<Joules>& measured, IdlePolicy policy);

// All of it to the subject, where that is everybody.
EnergySplit WholeOf(const EnergySplit& split);

// Part by part.
EnergySplit operator+(const EnergySplit& a, const EnergySplit& b);

}  // namespace modicum
