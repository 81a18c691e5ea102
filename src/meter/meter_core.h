// SPDX-License-Identifier: Apache-2.0
// The meter without its thread: Step() takes one sample, windows are cut from
// the running totals by interpolation. Tests drive it with a fake clock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "meter/baseline.h"
#include "meter/device_use.h"
#include "meter/host_cpu.h"
#include "meter/meter.h"
#include "meter/process_cpu.h"
#include "meter/reading.h"

namespace modicum {

// Thread-safe: one lock. The history is two samples, whatever the windows: a
// window's beginning is fixed by the first sample after it.
// Lifetime: everything passed by reference outlives the core.
class MeterCore final : public Meter {
 public:
  MeterCore(const MeterOptions& options,
            std::vector<std::unique_ptr<Probe>> probes, const RootFs& fs,
            const HostFacts& host, Clock& clock, SubjectCpu& subjects);

  void Step();

  WindowId Begin(std::string name, Subject subject) override;
  Result<WindowReading> End(WindowId window) override;
  Estimate<Watts> idle_power() const override;
  std::vector<std::string> components() const override;

 private:
  // Since Open.
  struct Totals {
    MonotonicTime at;
    std::vector<Joules> energy;  // by domain
    std::vector<int> gaps;       // by domain
    HostCpu host;
  };
  struct Source {
    std::unique_ptr<Probe> probe;
    size_t first = 0;  // of its domains
    std::vector<Share> errors;
    std::optional<Estimate<Watts>> idle;
    std::optional<Watts> per_cpu;
    std::optional<Error> failure;  // of the last read
  };
  struct Window {
    std::string name;
    Subject subject;
    MonotonicTime began;
    WallTime began_wall;
    Seconds cpu_begin;
    Seconds cpu_latest;
    Seconds pressure_begin;
    std::optional<Totals> base;  // absent until the first sample after `began`
    std::map<size_t, DeviceUseTotals> devices;  // by domain
  };

  // `edge`: of a window. The machine's CPU time is else read only where it is
  // needed, for it costs as much as all the rest of a sample.
  void StepLocked(bool edge);
  bool NeedsHost() const;
  void ReadSource(Source& source, MonotonicTime now);
  void ReadHost();
  void LearnIdle(const Totals& before);
  bool HasStrangers(const Window& window) const;
  void AddDeviceUse(Window& window, const Totals& before);
  double LoadOf(size_t domain, double cpu_load) const;
  std::optional<DeviceShare> DeviceShareOf(size_t domain,
                                           const Window& window) const;
  static Totals Interpolate(const Totals& a, const Totals& b, MonotonicTime at);
  WindowReading ReadingOf(const Window& window, Seconds pressure) const;
  std::vector<DomainUse> DomainUses(const Window& window) const;
  DomainUse UseOf(const Source& source, size_t domain,
                  const Window& window) const;
  std::optional<Estimate<Watts>> DomainIdle(const Source& source, size_t domain,
                                            double part) const;
  CpuUse CpuUseOf(const WindowReading& reading) const;

  const MeterOptions options_;
  Clock& clock_;
  SubjectCpu& subjects_;
  const int cpus_;
  Seconds shortest_update_;

  mutable std::mutex mutex_;
  HostCpuReader host_reader_;
  std::optional<Error> host_failure_;
  MonotonicTime host_at_;
  bool learns_idle_ = false;
  std::vector<Source> sources_;
  std::vector<Baseline> baselines_;  // by domain
  std::vector<bool> in_gap_;         // by domain: its last delta was one
  std::vector<DeviceUse> last_use_;  // by domain: the last that was asked
  Totals last_;
  std::map<WindowId, Window> windows_;
  uint64_t next_window_ = 1;
};

}  // namespace modicum
