// SPDX-License-Identifier: Apache-2.0
#include "probe/fake.h"

#include <algorithm>
#include <utility>

namespace modicum {

FakeProbe::FakeProbe(Options options, MonotonicTime start)
    : options_(std::move(options)),
      traces_(options_.domains.size()),
      gap_pending_(options_.domains.size(), false),
      last_(LastUpdate(start)) {}

void FakeProbe::Draw(MonotonicTime from, Watts power, size_t domain) {
  const std::lock_guard lock(mutex_);
  traces_.at(domain)[from] = power;
}

void FakeProbe::FailReads(int reads, ErrorCode code) {
  const std::lock_guard lock(mutex_);
  failures_left_ = reads;
  failure_code_ = code;
}

void FakeProbe::ResetCounter(size_t domain) {
  const std::lock_guard lock(mutex_);
  gap_pending_.at(domain) = true;
}

void FakeProbe::Use(DeviceUse use, size_t domain) {
  const std::lock_guard lock(mutex_);
  uses_.resize(options_.domains.size());
  uses_[domain] = std::move(use);
}

Joules FakeProbe::TrueEnergy(MonotonicTime begin, MonotonicTime end,
                             size_t domain) const {
  const std::lock_guard lock(mutex_);
  return Integrate(traces_.at(domain), begin, end);
}

int FakeProbe::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

Joules FakeProbe::Integrate(const Trace& trace, MonotonicTime begin,
                            MonotonicTime end) {
  Joules sum;
  for (auto step = trace.begin(); step != trace.end(); ++step) {
    const auto next = std::next(step);
    const MonotonicTime from = std::max(step->first, begin);
    const MonotonicTime to =
        next == trace.end() ? end : std::min(next->first, end);
    if (from < to) sum += step->second * (to - from);
  }
  return sum;
}

MonotonicTime FakeProbe::LastUpdate(MonotonicTime now) const {
  const auto period =
      static_cast<int64_t>(options_.update_period.value() * 1e9);
  return period <= 0 ? now : MonotonicTime{now.nanos / period * period};
}

Result<std::vector<DomainDelta>> FakeProbe::Read(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  ++reads_;
  if (failures_left_ > 0) {
    --failures_left_;
    gap_pending_.assign(gap_pending_.size(), true);
    return Fail(failure_code_, "cannot read the fake counter",
                "a test asked for this failure");
  }
  const MonotonicTime updated = std::max(LastUpdate(now), last_);
  std::vector<DomainDelta> deltas;
  for (size_t i = 0; i < traces_.size(); ++i) {
    const bool gap = gap_pending_[i];
    deltas.push_back(
        {gap ? Joules(0) : Integrate(traces_[i], last_, updated), gap});
  }
  gap_pending_.assign(gap_pending_.size(), false);
  last_ = updated;
  return deltas;
}

}  // namespace modicum
