// SPDX-License-Identifier: Apache-2.0
#include "probe/gauge.h"

#include <algorithm>
#include <utility>

namespace modicum {
namespace {

// The slowest sampler takes one every 10 s (the setting sample_hz).
constexpr Seconds kLongestSpan{15};
// Fewer changes say little of how often there is one.
constexpr int kChanges = 10;

constexpr DomainDelta kGap{Joules(0), true};

void LearnPeriod(PowerSensor& sensor, MonotonicTime now) {
  if (sensor.changes == 0) sensor.first_change = now;
  if (++sensor.changes > kChanges)
    sensor.period = (now - sensor.first_change) / (sensor.changes - 1);
}

}  // namespace

DomainDelta Advance(EnergyCounter& counter, uint64_t count, MonotonicTime now) {
  const uint64_t last = std::exchange(counter.last, count);
  const MonotonicTime last_at = std::exchange(counter.last_at, now);
  const bool based = std::exchange(counter.based, true);
  if (!based || now < last_at) return kGap;
  if (count > counter.range || last > counter.range) return kGap;
  const Joules most = counter.cap * (now - last_at + counter.jitter);
  // Longer than a full turn at full power: the count of wraps is unknown.
  const Joules whole = counter.unit * static_cast<double>(counter.range);
  if (most > std::min(whole, counter.turn)) return kGap;
  const uint64_t counts =
      count >= last ? count - last : counter.range - last + count;
  const Joules energy = counter.unit * static_cast<double>(counts);
  if (energy > most) return kGap;
  return {energy, false};
}

DomainDelta Advance(PowerSensor& sensor, uint64_t count, MonotonicTime now) {
  const Watts power = sensor.unit * static_cast<double>(count);
  const Watts last = std::exchange(sensor.last, power);
  const Seconds span = now - std::exchange(sensor.last_at, now);
  // An impossible reading starts no span either.
  const bool based = std::exchange(sensor.based, power <= sensor.cap);
  if (based && power != last && !sensor.stated) LearnPeriod(sensor, now);
  if (!based || !sensor.based || span < Seconds(0) || span > kLongestSpan)
    return kGap;
  return {(last + power) / 2 * span, false};
}

DomainDelta Advance(Gauge& gauge, uint64_t count, MonotonicTime now) {
  if (auto* counter = std::get_if<EnergyCounter>(&gauge))
    return Advance(*counter, count, now);
  return Advance(*std::get_if<PowerSensor>(&gauge), count, now);
}

void Lose(Gauge& gauge) {
  if (auto* counter = std::get_if<EnergyCounter>(&gauge))
    counter->based = false;
  else
    std::get_if<PowerSensor>(&gauge)->based = false;
}

Seconds PeriodOf(const Gauge& gauge) {
  if (const auto* counter = std::get_if<EnergyCounter>(&gauge))
    return counter->period;
  return std::get_if<PowerSensor>(&gauge)->period;
}

}  // namespace modicum
