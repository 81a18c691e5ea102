// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when told: Tick() in tests, SleepUntil() in code.
#pragma once

#include <mutex>

#include "base/clock.h"

namespace modicum {

// Thread-safe.
class FakeClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  WallTime WallNow() const override {
    const std::lock_guard lock(mutex_);
    return {kEpochMicros + now_.nanos / 1000};
  }
  void SleepUntil(MonotonicTime when) override {
    const std::lock_guard lock(mutex_);
    if (when > now_) now_ = when;
  }
  void Tick(Seconds by) {
    const std::lock_guard lock(mutex_);
    now_ = now_ + by;
  }

 private:
  // 2026-01-01T00:00:00Z, so that golden texts show a plausible date.
  static constexpr int64_t kEpochMicros = 1'767'225'600'000'000;
  mutable std::mutex mutex_;
  MonotonicTime now_;
};

}  // namespace modicum
