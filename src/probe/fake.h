// SPDX-License-Identifier: Apache-2.0
// A probe that replays a power trace against the clock, with faults on
// demand: for tests of everything that listens to probes.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "probe/probe.h"

namespace modicum {

// Thread-safe, so that a test may change the trace while a sampler reads.
class FakeProbe final : public Probe {
 public:
  struct Options {
    std::string name = "fake";
    std::vector<Domain> domains = {{.name = "package-0",
                                    .component = "cpu",
                                    .scope = Scope::kPackage,
                                    .origin = Origin::kCounter,
                                    .counted = true}};
    std::vector<Share> errors = {};
    std::optional<Estimate<Watts>> idle = {};
    std::optional<Watts> active_per_cpu = {};
    // The counter moves only at multiples of this; 0: continuously.
    Seconds update_period{0};
  };

  // Takes its first reading at `start`, as Open does for a real probe.
  FakeProbe(Options options, MonotonicTime start);

  // From `from` on, `domain` draws `power`, until a later step of the trace.
  void Draw(MonotonicTime from, Watts power, size_t domain = 0);
  // The next `reads` reads fail with `code`; the one after is a gap.
  void FailReads(int reads, ErrorCode code = ErrorCode::kRetry);
  // The next successful read reports a gap in `domain`, as a counter that was
  // reset does.
  void ResetCounter(size_t domain = 0);
  // Every read from now on says this of `domain`'s device.
  void Use(DeviceUse use, size_t domain = 0);
  // What the trace holds between two moments: the truth to compare with.
  Joules TrueEnergy(MonotonicTime begin, MonotonicTime end,
                    size_t domain = 0) const;
  int reads() const;  // calls of Read so far, failed ones too

  std::string_view name() const override { return options_.name; }
  std::span<const Domain> domains() const override { return options_.domains; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::span<const DeviceUse> device_use() const override { return uses_; }
  std::vector<Share> relative_errors() const override {
    return options_.errors;
  }
  std::optional<Estimate<Watts>> idle_power() const override {
    return options_.idle;
  }
  std::optional<Watts> active_power_per_cpu() const override {
    return options_.active_per_cpu;
  }
  Seconds update_period() const override { return options_.update_period; }

 private:
  using Trace = std::map<MonotonicTime, Watts>;
  static Joules Integrate(const Trace& trace, MonotonicTime begin,
                          MonotonicTime end);
  MonotonicTime LastUpdate(MonotonicTime now) const;

  const Options options_;
  mutable std::mutex mutex_;
  std::vector<Trace> traces_;      // one per domain
  std::vector<bool> gap_pending_;  // one per domain
  std::vector<DeviceUse> uses_;    // one per domain, or none
  MonotonicTime last_;
  int failures_left_ = 0;
  ErrorCode failure_code_ = ErrorCode::kRetry;
  int reads_ = 0;
};

}  // namespace modicum
