// SPDX-License-Identifier: Apache-2.0
// A meter for tests of everything that measures: every second of the clock
// is a second of our CPU time at 10 W, modelled, with two named errors.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "meter/meter.h"

namespace modicum {

// Thread-safe.
class FakeMeter final : public Meter {
 public:
  static constexpr double kSharedError = 0.3;
  static constexpr double kWorkloadError = 0.2;

  explicit FakeMeter(Clock& clock) : clock_(clock) {}

  WindowId Begin(std::string name, Subject, Edge) override {
    const std::lock_guard lock(mutex_);
    open_[++windows_] = {std::move(name), clock_.Now(), clock_.WallNow()};
    return WindowId{windows_};
  }

  Result<WindowReading> Peek(WindowId window) override {
    const std::lock_guard lock(mutex_);
    return ReadingOf(window);
  }

  Status Stop(WindowId window) override {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(static_cast<uint64_t>(window));
    if (found == open_.end()) return EndedAlready();
    if (!found->second.stopped) found->second.stopped = clock_.Now();
    return {};
  }

  Result<WindowReading> End(WindowId window) override {
    const std::lock_guard lock(mutex_);
    auto reading = ReadingOf(window);
    open_.erase(static_cast<uint64_t>(window));
    return reading;
  }

  std::vector<DomainCounter> Counters(Seconds) override {
    const std::lock_guard lock(mutex_);
    return {{{"cpu", "cpu", Scope::kPackage, Origin::kModelled},
             "fake",
             {},
             {},
             Watts(10) * (clock_.Now() - MonotonicTime{})}};
  }

  Estimate<Watts> idle_power() const override {
    return Exactly(Watts(5), Origin::kModelled, Scope::kPackage);
  }
  std::vector<std::string> components() const override { return components_; }
  void SetComponents(std::vector<std::string> components) {
    components_ = std::move(components);
  }

  std::function<bool(uint64_t)> contended;  // by window number, from 1
  Seconds shortest;  // below it a window is flagged as short

 private:
  struct OpenWindow {
    std::string name;
    MonotonicTime began;
    WallTime began_wall;
    std::optional<MonotonicTime> stopped = {};
  };

  static tl::unexpected<Error> EndedAlready() {
    return Fail(ErrorCode::kNotFound, "the window was ended already");
  }

  Result<WindowReading> ReadingOf(WindowId window) const {
    const auto it = open_.find(static_cast<uint64_t>(window));
    if (it == open_.end()) return EndedAlready();
    WindowReading reading;
    reading.name = it->second.name;
    reading.began = it->second.began_wall;
    reading.wall = reading.cpu =
        it->second.stopped.value_or(clock_.Now()) - it->second.began;
    const auto zero = Exactly(Joules(0), Origin::kModelled, Scope::kPackage);
    reading.split = {zero, zero, zero, zero, zero, zero, "marginal"};
    reading.split.own_active = zero;
    reading.split.own_active.mid = Watts(10) * reading.cpu;
    reading.split.own_active
        .WithShared(InternSource("cpu-load model"), kSharedError)
        .WithShared(InternSource("instruction mix"), kWorkloadError);
    reading.split.measured = reading.split.own_active;
    reading.contended = contended && contended(it->first);
    reading.short_window = reading.wall < shortest;
    return reading;
  }

  Clock& clock_;
  std::mutex mutex_;
  uint64_t windows_ = 0;
  std::map<uint64_t, OpenWindow> open_;
  std::vector<std::string> components_ = {"cpu"};
};

}  // namespace modicum
