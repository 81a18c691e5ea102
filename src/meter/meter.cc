// SPDX-License-Identifier: Apache-2.0
// The meter's thread around MeterCore, and the phases that listen to engines.
#include "meter/meter.h"

#include <pthread.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/suggest.h"
#include "meter/meter_core.h"
#include "meter/process_cpu.h"

namespace modicum {
namespace {

constexpr std::array<IdlePolicy, 3> kPolicies = {
    IdlePolicy::kMarginal, IdlePolicy::kProportional, IdlePolicy::kFull};

class SamplingMeter final : public Meter {
 public:
  SamplingMeter(const MeterOptions& options,
                std::vector<std::unique_ptr<Probe>> probes, const RootFs& fs,
                const HostFacts& host, Clock& clock)
      : subjects_(fs, clock),
        core_(options, std::move(probes), fs, host, clock, subjects_),
        sampler_([this, period = options.period](const std::stop_token& stop) {
          pthread_setname_np(pthread_self(), "meter");  // for top(1)
          Sample(stop, std::chrono::duration<double>(period.value()));
        }) {}

  WindowId Begin(std::string name, Subject subject, Edge edge) override {
    return core_.Begin(std::move(name), subject, edge);
  }
  Result<WindowReading> Peek(WindowId window) override {
    return core_.Peek(window);
  }
  Status Stop(WindowId window) override { return core_.Stop(window); }
  Result<WindowReading> End(WindowId window) override {
    return core_.End(window);
  }
  std::vector<DomainCounter> Counters(Seconds oldest) override {
    return core_.Counters(oldest);
  }
  Estimate<Watts> idle_power() const override { return core_.idle_power(); }
  std::vector<std::string> components() const override {
    return core_.components();
  }

 private:
  // Waits in real time, whatever the clock: a fake one would never pass.
  void Sample(const std::stop_token& stop,
              std::chrono::duration<double> period) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      wake.wait_for(lock, stop, period, [] { return false; });
      if (!stop.stop_requested()) core_.Step();
    }
  }

  ProcessCpu subjects_;
  MeterCore core_;
  std::jthread sampler_;  // last: stops before what it uses goes
};

}  // namespace

std::string_view IdlePolicyName(IdlePolicy policy) {
  switch (policy) {
    case IdlePolicy::kMarginal:
      return "marginal";
    case IdlePolicy::kProportional:
      return "proportional";
    case IdlePolicy::kFull:
      return "full";
  }
  return "?";
}

Result<IdlePolicy> ParseIdlePolicy(std::string_view name) {
  std::vector<std::string_view> names;
  for (const IdlePolicy policy : kPolicies) {
    if (IdlePolicyName(policy) == name) return policy;
    names.push_back(IdlePolicyName(policy));
  }
  return Fail(ErrorCode::kInvalidInput,
              "unknown idle policy '" + std::string(name) + "'" +
                  DidYouMean(name, names),
              "use marginal, proportional or full");
}

Result<std::unique_ptr<Meter>> Meter::Open(
    MeterOptions options, std::vector<std::unique_ptr<Probe>> probes,
    const RootFs& fs, const HostFacts& host, Clock& clock) {
  // Below a millisecond the sampler itself would be the load; a counter read
  // more rarely than every minute may wrap twice.
  if (!(options.period >= Milliseconds(1) && options.period <= Seconds(60)))
    return Fail(ErrorCode::kInvalidInput,
                "the sampling period must be between 1 ms and 60 s",
                "set sample_hz between 0.017 and 1000");
  return std::make_unique<SamplingMeter>(options, std::move(probes), fs, host,
                                         clock);
}

PhaseMeter::~PhaseMeter() {
  // Nobody wants these readings any more.
  if (open_) static_cast<void>(meter_.End(window_));
  for (const auto& [phase, window] : stopped_)
    static_cast<void>(meter_.End(window));
}

void PhaseMeter::Begin(Phase phase) {
  if (open_ && phase == phase_) return;
  StopCurrent();
  phase_ = phase;
  window_ = meter_.Begin(std::string(PhaseName(phase)));
  open_ = true;
}

void PhaseMeter::StopCurrent() {
  if (!open_) return;
  open_ = false;
  if (auto stopped = meter_.Stop(window_))
    stopped_.emplace_back(phase_, window_);
  else
    failure_ = std::move(stopped).error();
}

Result<std::vector<std::pair<Phase, WindowReading>>> PhaseMeter::Finish() {
  StopCurrent();
  if (failure_) return Fail(*failure_);
  std::vector<std::pair<Phase, WindowReading>> phases;
  for (const auto& [phase, window] : std::exchange(stopped_, {})) {
    MODICUM_TRY(auto reading, meter_.End(window));
    phases.emplace_back(phase, std::move(reading));
  }
  return phases;
}

}  // namespace modicum
