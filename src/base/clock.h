// SPDX-License-Identifier: Apache-2.0
// Time as an interface, so that no test waits and none depends on the hour.
#pragma once

#include <compare>
#include <cstdint>

#include "base/units.h"

namespace modicum {

// Nanoseconds of a clock that never jumps. Only differences have a meaning.
struct MonotonicTime {
  int64_t nanos = 0;
  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;
  friend constexpr Seconds operator-(MonotonicTime a, MonotonicTime b) {
    return Seconds(static_cast<double>(a.nanos - b.nanos) / 1e9);
  }
  friend constexpr MonotonicTime operator+(MonotonicTime a, Seconds d) {
    return {a.nanos + static_cast<int64_t>(d.value() * 1e9)};
  }
};

// Microseconds since the Unix epoch, UTC.
struct WallTime {
  int64_t micros = 0;
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
  friend constexpr WallTime operator+(WallTime a, Seconds d) {
    return {a.micros + static_cast<int64_t>(d.value() * 1e6)};
  }
  friend constexpr WallTime operator-(WallTime a, Seconds d) {
    return {a.micros - static_cast<int64_t>(d.value() * 1e6)};
  }
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime Now() const = 0;
  virtual WallTime WallNow() const = 0;
  virtual void SleepUntil(MonotonicTime when) = 0;
  // How long the machine was suspended since it booted: Now() stands still
  // meanwhile.
  virtual Seconds Suspended() const { return Seconds(0); }
};

// The machine's clocks. Lives as long as the process.
Clock& SystemClock();

}  // namespace modicum
