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

// Thread-safe: one lock for the samples, and one that is never held while a
// source is read, for windows that are opened. The history is two samples,
// whatever the windows: a window's beginning is fixed by the first sample after
// it.
// Lifetime: everything passed by reference outlives the core.
class MeterCore final : public Meter {
 public:
  MeterCore(const MeterOptions& options,
            std::vector<std::unique_ptr<Probe>> probes, const RootFs& fs,
            const HostFacts& host, Clock& clock, SubjectCpu& subjects);

  void Step();

  WindowId Begin(std::string name, Subject subject,
                 Edge edge = Edge::kExact) override;
  Result<WindowReading> Peek(WindowId window) override;
  Status Stop(WindowId window) override;
  Result<WindowReading> End(WindowId window) override;
  std::vector<DomainCounter> Counters(Seconds oldest) override;
  Estimate<Watts> idle_power() const override;
  std::vector<std::string> components() const override;

 private:
  // Since Open.
  struct Totals {
    MonotonicTime at;
    std::vector<Joules> energy;  // by domain
    std::vector<int> gaps;       // by domain
    // Not read with every sample.
    MonotonicTime host_at;
    HostCpu host;
    Seconds pressure;
    Seconds descendants;  // CPU time of ours
    // By source; empty where none is a model of memory, disks or networks.
    std::vector<Observed> observed;
  };
  struct Source {
    std::unique_ptr<Probe> probe;
    size_t first = 0;  // of its domains
    std::vector<Share> errors;
    std::optional<Estimate<Watts>> idle;
    std::optional<Watts> per_cpu;
    std::optional<Error> failure;  // of the last read
  };
  struct Ending {
    Totals totals;
    Seconds suspended;
  };
  struct Window {
    std::string name;
    Subject subject;
    MonotonicTime began;
    WallTime began_wall;
    Seconds suspended_begin;
    // Of the subject, but not of the machine; of kThisTree this process alone.
    Seconds cpu_begin;
    Seconds cpu_latest;
    WeighedCpu weighed_begin, weighed_latest;  // of kTree
    size_t living_begin = 0, living_latest = 0;
    std::optional<Totals> base;  // absent until the first sample after `began`
    std::map<size_t, DeviceUseTotals> devices;  // by domain
    // Where memory or disks are modelled: what the subject held, over the time
    // it was seen to hold any, and what it moved.
    double byte_seconds = 0;
    Seconds held_for;
    std::optional<Bytes> moved_begin;
    std::optional<Bytes> moved_latest;
    std::optional<Ending> end;  // once it is stopped
  };

  // `edge`: of a window. The machine's CPU time is else read only where it is
  // needed, for it costs as much as all the rest of a sample.
  void StepLocked(bool edge);
  // Takes in the windows opened since; returns a moment that none opened later
  // begins before.
  MonotonicTime Admit();
  WindowId Open(Window window);
  // Brought up to now, unless it is stopped. kNotFound as from End().
  Result<Window*> Latest(WindowId id);
  const Totals& EndOf(const Window& window) const {
    return window.end ? window.end->totals : last_;
  }
  void AskDevice(size_t domain, const Window& window,
                 DeviceUseTotals& device) const;
  bool NeedsHost() const;
  void ReadSource(Source& source, MonotonicTime now);
  void Miss(size_t domain);
  void ReadHost(bool thorough);
  void LearnIdle(const Totals& before);
  bool HasStrangers(const Window& window) const;
  bool TreeHasStrangers() const;
  void AddDeviceUse(Window& window, const Totals& before);
  void AddMemory(Window& window, const Totals& before);
  std::optional<CpuUse> MemoryUse(const Window& window, Bytes installed) const;
  std::optional<CpuUse> DiskUse(const Window& window, const Observed& begin,
                                const Observed& end) const;
  double LoadOf(size_t domain, double cpu_load) const;
  std::optional<DeviceShare> DeviceShareOf(size_t domain,
                                           const Window& window) const;
  static Totals Interpolate(const Totals& a, const Totals& b, MonotonicTime at);
  Seconds SuspendedIn(const Window& window) const;
  Seconds CpuOf(const Window& window) const;
  WindowReading ReadingOf(const Window& window) const;
  std::vector<DomainUse> DomainUses(const Window& window) const;
  DomainUse UseOf(const Source& source, size_t domain,
                  const Window& window) const;
  std::optional<Estimate<Watts>> DomainIdle(const Source& source, size_t domain,
                                            double part) const;
  CpuUse CpuUseOf(const Window& window, const WindowReading& reading) const;
  IdlePolicy PolicyOf(const Window& window) const;

  const MeterOptions options_;
  Clock& clock_;
  SubjectCpu& subjects_;
  const int cpus_;
  Seconds shortest_update_;

  // Windows that no sample has seen yet. Taken after mutex_ where both are.
  std::mutex opened_mutex_;
  std::vector<std::pair<WindowId, Window>> opened_;
  uint64_t next_window_ = 1;

  mutable std::mutex mutex_;
  HostCpuReader host_reader_;
  std::optional<Error> host_failure_;
  bool learns_idle_ = false;
  bool has_memory_ = false;  // a model of it
  bool has_disks_ = false;
  std::vector<Source> sources_;
  std::vector<Baseline> baselines_;  // by domain
  std::vector<bool> in_gap_;         // by domain: what was read last was one
  std::vector<DeviceUse> last_use_;  // by domain: the last that was asked
  Totals last_;
  std::map<WindowId, Window> windows_;
};

}  // namespace modicum
