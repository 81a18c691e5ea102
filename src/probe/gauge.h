// SPDX-License-Identifier: Apache-2.0
// What two readings in a row mean: of a counter the energy between them, of a
// power sensor its power times the span; or a gap.
#pragma once

#include <cstdint>
#include <limits>
#include <variant>

#include "base/clock.h"
#include "probe/probe.h"

namespace modicum {

// Counts `unit` from 0 to `range`, then begins anew.
struct EnergyCounter {
  Joules unit{1e-6};
  uint64_t range = std::numeric_limits<uint64_t>::max();
  Watts cap;  // more than this is not physically possible
  // What one turn of the register holds that a driver keeps the count from: it
  // misses turns between readings that lie further apart.
  Joules turn{std::numeric_limits<double>::infinity()};
  // Reads and updates are not simultaneous: the energy of one update more than
  // the span's may appear in it.
  Seconds jitter{0.01};
  Seconds period{0.001};  // between updates

  uint64_t last = 0;
  MonotonicTime last_at;
  bool based = false;  // `last` is a reading from which a delta may start
};

// A sensor in steps of `unit`, integrated by trapezoids.
struct PowerSensor {
  Watts unit{1e-6};
  Watts cap;
  // Between new values: as the driver states it, else learned from those seen.
  Seconds period{0.1};
  bool stated = false;

  Watts last;
  MonotonicTime last_at;
  bool based = false;
  int changes = 0;
  MonotonicTime first_change;
};

using Gauge = std::variant<EnergyCounter, PowerSensor>;

// No delta is taken after a failed read, from a reset or a wrap whose implied
// power is impossible, or over a span in which the counter may have wrapped
// more than once. Each of those is a gap.
DomainDelta Advance(EnergyCounter& counter, uint64_t count, MonotonicTime now);
// A gap also where the span is longer than any sampler's.
DomainDelta Advance(PowerSensor& sensor, uint64_t count, MonotonicTime now);
DomainDelta Advance(Gauge& gauge, uint64_t count, MonotonicTime now);
// A read failed: the next delta is a gap.
void Lose(Gauge& gauge);
Seconds PeriodOf(const Gauge& gauge);

}  // namespace modicum
