// SPDX-License-Identifier: Apache-2.0
// Learns a domain's idle power: the lowest seen while the machine was quiet.
#pragma once

#include <optional>

#include "base/units.h"

namespace modicum {

// Not thread-safe.
class Baseline {
 public:
  // At most this share of the CPUs busy counts as quiet.
  static constexpr double kQuiet = 0.05;
  // A stretch is averaged over at least this long, and ten updates of the
  // source, so that its noise does not pass for a low.
  static constexpr Seconds kStretch{0.5};

  explicit Baseline(Seconds update_period);

  // What one sampling interval saw; `known` is false when a gap hides its
  // energy.
  void Observe(Joules energy, Seconds wall, double load, bool known);
  std::optional<Watts> idle() const { return idle_; }

 private:
  const Seconds stretch_;
  Joules energy_;
  Seconds wall_;
  std::optional<Watts> idle_;
};

}  // namespace modicum
