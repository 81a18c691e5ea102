// SPDX-License-Identifier: Apache-2.0
// The model for machines without sensors: package power from the chip's TDP
// and the time its CPUs were busy.
//
// Energy is linear in CPU time (hardware/load_curve.h). A guest is charged for
// its vCPUs' share of the host's package. Time that the hypervisor stole from
// us ran someone else's work: it is not ours and is left out. The host's other
// guests are not seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/calibration.h"
#include "hardware/load_curve.h"
#include "probe/kept_file.h"
#include "probe/probe.h"

namespace modicum {

// Errors of the model, by name: the first (with ": " and the chip appended) is
// the same for all work on one machine and cancels in ratios; the second is
// drawn anew for each workload (threads, placement, load, instructions) and
// does not.
inline constexpr std::string_view kCpuLoadModelSource = "cpu-load model";
inline constexpr std::string_view kInstructionMixSource = "instruction mix";

// How far the model misses, computed from its data, see load_curve.h.
const LoadCurveQuality& CpuLoadModelQuality();

// The machine's CPU time since boot, /proc/stat's first line and CPU count.
struct CpuTimes {
  uint64_t busy = 0;   // USER_HZ ticks: user, nice, system, irq, softirq
  uint64_t steal = 0;  // ticks
  int cpus = 0;
};
Result<CpuTimes> ParseCpuTimes(std::string_view proc_stat);

// Lifetime: `fs` of Open must outlive the probe.
class CpuLoadProbe final : public Probe {
 public:
  static Result<std::unique_ptr<Probe>> Open(const ProbeContext& context);
  static ProbeReport Report(const ProbeContext& context);
  // The whole machine at its plug, as its calibration learned it: named
  // "wall-load". kUnavailable where it is not calibrated.
  static Result<std::unique_ptr<Probe>> OpenCalibrated(
      const ProbeContext& context);
  static ProbeReport ReportCalibrated(const ProbeContext& context);

  std::string_view name() const override { return name_; }
  std::span<const Domain> domains() const override { return {&domain_, 1}; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::vector<Share> relative_errors() const override { return errors_; }
  // Of our share of the package, nothing running.
  std::optional<Estimate<Watts>> idle_power() const override;
  std::optional<Watts> active_power_per_cpu() const override {
    return per_cpu_.active;
  }
  // /proc/stat counts in USER_HZ ticks, 10 ms on every Linux.
  Seconds update_period() const override { return kTick; }

  static constexpr Seconds kTick{0.01};

 private:
  struct PerCpu {
    Watts idle;
    Watts active;  // in addition, while busy
  };
  // The line, where it is from and how far it may be off.
  struct Model {
    std::string_view name;
    Domain domain;
    PerCpu per_cpu;
    std::vector<Share> errors;  // sorted by source
  };
  static Model Typical(const HostFacts& host, int cpus);
  static Model Learned(const Calibration& calibration, int cpus);
  CpuLoadProbe(const RootFs& fs, Model model, const CpuTimes& times,
               MonotonicTime now);
  DomainDelta Advance(const CpuTimes& times, MonotonicTime now);

  KeptFile stat_;
  const std::string_view name_;
  const Domain domain_;
  const PerCpu per_cpu_;
  const std::vector<Share> errors_;
  CpuTimes last_;
  MonotonicTime last_at_;
  bool based_ = true;  // last_ is a reading from which a delta may start
  std::string buffer_;
};

}  // namespace modicum
