// SPDX-License-Identifier: Apache-2.0
// A probe reads one source of energy: a counter, a sensor or a model.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "hardware/calibration.h"
#include "record/types.h"

namespace modicum {

// What tells whose a domain's energy is.
enum class SharedBy {
  kUsual,    // CPU time; of a device, its users' time on it
  kMemory,   // memory that a process holds
  kTraffic,  // bytes that a process moves
};

// One thing a probe meters. Domains that the meter adds up never overlap:
// a probe offers only the outermost of nested ones as `counted`.
struct Domain {
  std::string name;       // "package-0", "dram-0", "cpu", "gpu-0"
  std::string component;  // "cpu", "dram", "gpu", "platform", "wall"
  Scope scope = Scope::kPackage;
  Origin origin = Origin::kCounter;
  bool counted = true;  // false: inside another domain, shown only
  // Which of the devices that the component has many of (a PCI address, a
  // UUID); "": all of them, or not known.
  std::string device = {};
  SharedBy shared_by = SharedBy::kUsual;
};

// Whether both cover some of the same energy: the same component of the same
// device, or one is of the machine or module that holds all.
bool Overlaps(const Domain& a, const Domain& b);

// Energy of one domain since the previous successful read.
struct DomainDelta {
  Joules energy;
  // The span had a failed read or an impossible jump: its energy is unknown
  // and not included. Recorded, never filled in.
  bool gap = false;
};

// What a domain drew since its meter was opened, for whoever meters with it.
struct DomainCounter {
  Domain domain;
  std::string probe;
  Seconds update_period;
  std::vector<Share> relative_errors;
  Joules energy = {};
  int gaps = 0;          // whose energy is missing
  bool failing = false;  // one of them lasts
};

// Time for which one process kept a device busy.
struct ProcessUse {
  pid_t pid = 0;
  Seconds busy;  // time x its share of the device
};

// Who kept a device busy since it was last asked. What is not known is absent,
// never empty.
struct DeviceUse {
  bool asked = false;           // false: not by this read; nothing below is set
  std::optional<Seconds> busy;  // by anyone: time x share of it
  std::optional<std::vector<ProcessUse>> by_process;
  std::optional<std::vector<pid_t>> present;  // processes that hold it
  std::string unknown;                        // why by_process is absent
};

// What a model of memory, disks or networks goes by.
struct Observed {
  Bytes memory;     // installed
  Bytes bytes;      // that passed, both ways, since it was opened
  Seconds busy;     // of all `devices` together, since then
  int devices = 0;  // that they passed through
};

// Not thread-safe: the sampler thread owns it.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual std::string_view name() const = 0;  // "rapl", "cpu-load", "fake"
  virtual std::span<const Domain> domains() const = 0;
  // One delta per domain since the last call. The first call after Open
  // returns zeros: Open took the first reading. A failure (kRetry, kEnded)
  // makes the next success a gap.
  virtual Result<std::vector<DomainDelta>> Read(MonotonicTime now) = 0;
  // Of devices whose energy CPU time does not explain, one entry per domain, as
  // of the last Read; valid until the next. Empty for all other probes.
  virtual std::span<const DeviceUse> device_use() const { return {}; }
  // As of the last Read; of a domain that is not kUsual, or is of networks.
  virtual Observed observed() const { return {}; }
  // The published figures that a model is made of, for the bill.
  virtual std::vector<Factor> factors() const { return {}; }
  // Errors that every joule of this probe shares (relative, 1 sd).
  virtual std::vector<Share> relative_errors() const = 0;
  // Power the counted domains draw with nothing running, when the probe knows
  // it (models do); nullopt: the meter learns it from what it sees.
  virtual std::optional<Estimate<Watts>> idle_power() const = 0;
  // For a model that is linear in CPU time: what one busy CPU draws more than
  // an idle one. The meter applies it to CPU time known more finely than the
  // probe sees it.
  virtual std::optional<Watts> active_power_per_cpu() const {
    return std::nullopt;
  }
  // The shortest time between two different readings.
  virtual Seconds update_period() const = 0;
};

// What `modicum doctor` says of one kind of source.
struct ProbeReport {
  std::string name;
  bool usable = false;
  std::string covers;   // "packages 0 and 1, DRAM"
  std::string reading;  // unit and update period, where it is a counter's
  std::string reason;   // why not, or why this one was not chosen
  std::string cure;     // what the user can do; empty when nothing
};

// Of a source that was opened, or why it was not: what it covers is still to be
// said.
template <class Opened>
ProbeReport ReportOf(std::string_view name, const Result<Opened>& opened) {
  ProbeReport report;
  report.name = name;
  report.usable = opened.has_value();
  if (!opened) {
    report.reason = opened.error().message;
    report.cure = opened.error().hint;
  }
  return report;
}

// Where a source is looked for.
// Lifetime: `fs` outlives the probes opened there.
struct ProbeContext {
  const RootFs& fs;
  const HostFacts& host;
  MonotonicTime now = {};
  // What this machine was learned to draw; a table that cannot be read fails
  // the source that is made of it.
  Result<std::optional<Calibration>> calibration = std::optional<Calibration>();
  // What better sources count already. A source of many devices counts the
  // others alone.
  std::vector<Domain> counted = {};
  // Models to add where nothing better counts: "ram", "disk", "network".
  std::vector<std::string> modelled = {};
};

// One row per kind of source; explicit list in registry.cc, best first.
struct ProbeKind {
  std::string_view name;
  Result<std::unique_ptr<Probe>> (*open)(const ProbeContext&);
  ProbeReport (*report)(const ProbeContext&);
  bool by_default = true;  // false: only where it is asked for by name
};
std::span<const ProbeKind> ProbeKinds();

// What no sensor shows is modelled where it is asked for: by its part, "ram".
// It adds to the sources, and never stands in for one.
struct ModelKind {
  std::string_view part;
  ProbeKind kind;
};
std::span<const ModelKind> ModelKinds();

// Opens what should be summed on this machine: the best usable source of each
// component, and then the models asked for of what those do not cover; a model
// of what is not here is left out. `only` names one kind ("rapl", "cpu-load"),
// or "" for the best.
// Never empty on success: the CPU-load model always works where /proc does.
Result<std::vector<std::unique_ptr<Probe>>> OpenProbes(
    const ProbeContext& context, std::string_view only);

}  // namespace modicum
