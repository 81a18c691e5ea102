// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>

namespace modicum {
namespace {

class RealClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    timespec ts{};
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return {int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec};
  }
  WallTime WallNow() const override {
    timespec ts{};
    clock_gettime(CLOCK_REALTIME, &ts);
    return {int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1000};
  }
  Seconds Suspended() const override {
    timespec boot{};
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const MonotonicTime since_boot{int64_t{boot.tv_sec} * 1'000'000'000 +
                                   boot.tv_nsec};
    return since_boot - Now();
  }
  void SleepUntil(MonotonicTime when) override {
    timespec ts{};
    ts.tv_sec = when.nanos / 1'000'000'000;
    ts.tv_nsec = when.nanos % 1'000'000'000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr) != 0) {
    }
  }
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

}  // namespace modicum
