// SPDX-License-Identifier: Apache-2.0
#include "meter/attribution.h"

#include <algorithm>

namespace modicum {
namespace {

double Fraction(Seconds part, Seconds whole) {
  if (whole <= Seconds(0)) return 0;
  return std::clamp(part / whole, 0.0, 1.0);
}

double OwnShareOfIdle(const CpuUse& use, IdlePolicy policy) {
  switch (policy) {
    case IdlePolicy::kMarginal:
      return 0;
    case IdlePolicy::kProportional:
      return use.ShareOfCapacity();
    case IdlePolicy::kFull:
      return 1;
  }
  return 0;
}

// How far counting in ticks may put the subject's share off, 1 sd.
double ShareSd(const CpuUse& use) {
  const Seconds busy = std::max(use.busy, use.own);
  const double share = use.ShareOfBusy();
  if (busy <= Seconds(0) || share >= 1) return 0;
  return std::hypot(share * Fraction(use.busy_sd, busy),
                    Fraction(use.own_sd, busy));
}

EnergySplit Nothing(const Estimate<Joules>& measured, IdlePolicy policy) {
  const Estimate<Joules> zero = measured * 0;
  return {measured,
          zero,
          zero,
          zero,
          zero,
          zero,
          std::string(IdlePolicyName(policy))};
}

}  // namespace

Estimate<Joules> IdlePart(const Estimate<Joules>& measured,
                          const std::optional<Estimate<Watts>>& idle,
                          Seconds wall) {
  if (!idle) return measured * 0;
  const auto expected = *idle * Exactly(wall, measured.origin, measured.scope);
  if (expected.mid >= measured.mid) return measured * 1;
  return expected;
}

double CpuUse::ShareOfBusy() const {
  const Seconds weighed = own * weight.value_or(1);
  return Fraction(weighed, std::max(weighed, busy));
}
double CpuUse::ShareOfCapacity() const { return Fraction(own, capacity); }
Seconds CpuUse::others() const { return std::max(Seconds(0), busy - own); }

EnergySplit Split(const Estimate<Joules>& measured,
                  const std::optional<Estimate<Watts>>& idle, Seconds wall,
                  const CpuUse& use, IdlePolicy policy) {
  EnergySplit split = Nothing(measured, policy);
  const Estimate<Joules> idle_energy = IdlePart(measured, idle, wall);
  Estimate<Joules> active = measured - idle_energy;
  active.difference = false;  // IdlePart() is at most all of it
  const double idle_share = OwnShareOfIdle(use, policy);
  split.own_idle = idle_energy * idle_share;
  split.other_idle = idle_energy * (1 - idle_share);
  if (use.own <= Seconds(0) && use.busy <= Seconds(0)) {
    split.unattributed = active;
    return split;
  }
  const double share = use.ShareOfBusy();
  const double share_sd = active.mid.value() * ShareSd(use);
  split.own_active = active * share;
  split.other_active = active * (1 - share);
  split.own_active.own_sd = std::hypot(split.own_active.own_sd, share_sd);
  split.other_active.own_sd = std::hypot(split.other_active.own_sd, share_sd);
  return split;
}

EnergySplit Unattributed(const Estimate<Joules>& measured, IdlePolicy policy) {
  EnergySplit split = Nothing(measured, policy);
  split.unattributed = measured;
  return split;
}

EnergySplit WholeOf(const EnergySplit& split) {
  EnergySplit whole = split;
  whole.own_active = split.own_active + split.other_active + split.unattributed;
  whole.own_idle = split.own_idle + split.other_idle;
  whole.other_active = whole.other_idle = whole.unattributed =
      split.measured * 0;
  return whole;
}

EnergySplit operator+(const EnergySplit& a, const EnergySplit& b) {
  return {a.measured + b.measured,
          a.own_active + b.own_active,
          a.own_idle + b.own_idle,
          a.other_active + b.other_active,
          a.other_idle + b.other_idle,
          a.unattributed + b.unattributed,
          a.idle_policy};
}

}  // namespace modicum
