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
    const Seconds beside = suspended_ + set_forward_;
    return {kEpochMicros + now_.nanos / 1000 +
            static_cast<int64_t>(beside.value() * 1e6)};
  }
  void SleepUntil(MonotonicTime when) override {
    const std::lock_guard lock(mutex_);
    if (when > now_) now_ = when;
  }
  // The machine sleeps; only the calendar goes on.
  void Suspend(Seconds by) {
    const std::lock_guard lock(mutex_);
    suspended_ += by;
  }
  // Somebody sets the calendar.
  void SetForward(Seconds by) {
    const std::lock_guard lock(mutex_);
    set_forward_ += by;
  }
  Seconds Suspended() const override {
    const std::lock_guard lock(mutex_);
    return suspended_;
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
  Seconds suspended_;
  Seconds set_forward_;
};

}  // namespace modicum
