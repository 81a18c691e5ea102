// SPDX-License-Identifier: Apache-2.0
// A meter that cuts every window where the price of electricity or its carbon
// changes, so that what each hour is charged with is measured.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "meter/meter.h"

namespace modicum {

// Thread-safe. Lifetime: the clock outlives it.
class SlicingMeter final : public Meter {
 public:
  // `next_edge`: the first moment after the given one at which to cut.
  SlicingMeter(std::unique_ptr<Meter> meter, Clock& clock,
               std::function<WallTime(WallTime)> next_edge);

  WindowId Begin(std::string name, Subject subject, Edge edge) override;
  Result<WindowReading> Peek(WindowId window) override;
  Status Stop(WindowId window) override;
  Result<WindowReading> End(WindowId window) override;
  std::vector<DomainCounter> Counters(Seconds oldest) override {
    return meter_->Counters(oldest);
  }
  Estimate<Watts> idle_power() const override { return meter_->idle_power(); }
  std::vector<std::string> components() const override {
    return meter_->components();
  }

  // Cuts if it is time to; the thread calls it, tests do.
  void Cut();

 private:
  // A window that is open, with what it was cut into so far.
  struct Sliced {
    Subject subject;
    std::vector<EnergySlice> slices;
    std::optional<WindowId> rest;  // since the last cut; none: since it began
    bool stopped = false;
  };

  static void AddSlices(Sliced window, const WindowReading& rest,
                        WindowReading& reading);
  void CutLocked();
  void CutWindow(WindowId id, Sliced& window);
  void Loop(const std::stop_token& stop);

  const std::unique_ptr<Meter> meter_;
  Clock& clock_;
  const std::function<WallTime(WallTime)> next_edge_of_;
  std::mutex mutex_;  // held while sources are read at an edge alone
  WallTime next_edge_;
  std::map<WindowId, Sliced> windows_;
  std::jthread thread_;  // last: stops before what it uses goes
};

}  // namespace modicum
