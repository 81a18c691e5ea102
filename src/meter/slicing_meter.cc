// SPDX-License-Identifier: Apache-2.0
#include "meter/slicing_meter.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>

namespace modicum {
namespace {

// A machine that slept wakes past an edge: looked for at least so often.
constexpr std::chrono::microseconds kLongestNap = std::chrono::seconds(1);

EnergySlice SliceOf(const WindowReading& reading) {
  return {reading.began, reading.wall, reading.split.own().mid};
}

}  // namespace

SlicingMeter::SlicingMeter(std::unique_ptr<Meter> meter, Clock& clock,
                           std::function<WallTime(WallTime)> next_edge)
    : meter_(std::move(meter)),
      clock_(clock),
      next_edge_of_(std::move(next_edge)),
      next_edge_(next_edge_of_(clock.WallNow())),
      thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

WindowId SlicingMeter::Begin(std::string name, Subject subject, Edge edge) {
  Cut();
  const WindowId id = meter_->Begin(std::move(name), subject, edge);
  const std::lock_guard lock(mutex_);
  windows_[id].subject = subject;
  return id;
}

Result<WindowReading> SlicingMeter::Peek(WindowId id) {
  Sliced window;
  {
    const std::lock_guard lock(mutex_);
    CutLocked();
    const auto found = windows_.find(id);
    if (found != windows_.end()) window = found->second;
  }
  MODICUM_TRY(WindowReading reading, meter_->Peek(id));
  if (!window.rest) return reading;
  const auto rest = meter_->Peek(*window.rest);
  // Cut, or ended, meanwhile.
  if (!rest) return Peek(id);
  AddSlices(std::move(window), *rest, reading);
  return reading;
}

Status SlicingMeter::Stop(WindowId id) {
  const std::lock_guard lock(mutex_);
  CutLocked();
  MODICUM_RETURN_IF_ERROR(meter_->Stop(id));
  const auto found = windows_.find(id);
  if (found == windows_.end()) return {};
  found->second.stopped = true;
  return found->second.rest ? meter_->Stop(*found->second.rest) : Status();
}

Result<WindowReading> SlicingMeter::End(WindowId id) {
  Sliced window;
  {
    const std::lock_guard lock(mutex_);
    CutLocked();
    auto found = windows_.extract(id);
    if (found) window = std::move(found.mapped());
  }
  auto reading = meter_->End(id);
  if (!window.rest) return reading;
  const auto rest = meter_->End(*window.rest);
  if (reading && rest) AddSlices(std::move(window), *rest, *reading);
  return reading;
}

void SlicingMeter::AddSlices(Sliced window, const WindowReading& rest,
                             WindowReading& reading) {
  reading.slices = std::move(window.slices);
  reading.slices.push_back(SliceOf(rest));
}

void SlicingMeter::Cut() {
  const std::lock_guard lock(mutex_);
  CutLocked();
}

void SlicingMeter::CutLocked() {
  const WallTime now = clock_.WallNow();
  if (now < next_edge_) return;
  for (auto& [id, window] : windows_)
    if (!window.stopped) CutWindow(id, window);
  next_edge_ = next_edge_of_(now);
}

// What cannot be read now is not cut: it stays one slice, split by time.
void SlicingMeter::CutWindow(WindowId id, Sliced& window) {
  const auto slice = meter_->Peek(window.rest.value_or(id));
  if (!slice) return;
  window.slices.push_back(SliceOf(*slice));
  const auto before = window.rest;
  window.rest = meter_->Begin(slice->name, window.subject, Edge::kExact);
  if (before) static_cast<void>(meter_->End(*before));
}

// In real time, whatever the clock: a fake one would never pass.
void SlicingMeter::Loop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    std::chrono::microseconds nap = kLongestNap;
    {
      const std::lock_guard windows(mutex_);
      CutLocked();
      nap = std::min(nap, std::chrono::microseconds(next_edge_.micros -
                                                    clock_.WallNow().micros));
    }
    wake.wait_for(lock, stop, nap, [] { return false; });
  }
}

}  // namespace modicum
