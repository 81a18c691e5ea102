// SPDX-License-Identifier: Apache-2.0
#include "meter/baseline.h"

#include <algorithm>

namespace modicum {

Baseline::Baseline(Seconds update_period)
    : stretch_(std::max(kStretch, update_period * 10)) {}

void Baseline::Observe(Joules energy, Seconds wall, double load, bool known) {
  if (!known || load > kQuiet) {
    energy_ = Joules(0);
    wall_ = Seconds(0);
    return;
  }
  energy_ += energy;
  wall_ += wall;
  if (wall_ < stretch_) return;
  const Watts power = energy_ / wall_;
  idle_ = idle_ ? std::min(*idle_, power) : power;
  energy_ = Joules(0);
  wall_ = Seconds(0);
}

}  // namespace modicum
