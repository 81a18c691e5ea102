// SPDX-License-Identifier: Apache-2.0
// RAPL energy counters through Linux's powercap files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/kept_file.h"
#include "probe/probe.h"

namespace modicum {

// One energy counter under /sys/class/powercap, and what was read of it last.
struct RaplZone {
  std::string path;  // ".../intel-rapl:0/energy_uj"
  Domain domain;
  uint64_t range_uj = 0;  // the counter's largest value; it wraps after that
  Watts cap;              // more than this is not physically possible

  uint64_t last_uj = 0;
  MonotonicTime last_at;
  bool based = false;  // last_uj is a reading from which a delta may start
};

// What one more reading of `zone` means. No delta is taken from a failed read,
// from a reset or a wrap whose implied power is impossible, or over a span in
// which the counter may have wrapped more than once. Each of those is a gap.
DomainDelta AdvanceZone(RaplZone& zone, uint64_t now_uj, MonotonicTime now);

// Lifetime: `fs` of Open must outlive the probe.
class RaplProbe final : public Probe {
 public:
  // kUnavailable where there is no RAPL, kPermission where it may not be read.
  // All packages are readable on success, or the platform that holds them.
  static Result<std::unique_ptr<Probe>> Open(const RootFs& fs,
                                             const HostFacts& host,
                                             MonotonicTime now);
  static ProbeReport Report(const RootFs& fs, const HostFacts& host);

  std::string_view name() const override { return "rapl"; }
  std::span<const Domain> domains() const override { return domains_; }
  // kRetry, kEnded or kPermission when no counter could be read; one that
  // fails alone is a gap in its domain.
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::vector<Share> relative_errors() const override;
  std::optional<Estimate<Watts>> idle_power() const override { return {}; }
  // Intel SDM volume 3, "energy status": updated about every millisecond.
  Seconds update_period() const override { return Milliseconds(1); }

 private:
  RaplProbe(const RootFs& fs, std::vector<RaplZone> zones);

  std::vector<RaplZone> zones_;
  // By zone. Open from the beginning on: who opened them may give up the
  // permission.
  std::vector<KeptFile> counters_;
  std::vector<Domain> domains_;
  std::string buffer_;  // reused: no allocation per sample
};

}  // namespace modicum
