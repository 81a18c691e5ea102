// SPDX-License-Identifier: Apache-2.0
// The meter: one sampler thread reads the probes, windows cut its series.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/phase.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "place/hourly.h"
#include "place/place.h"
#include "probe/probe.h"
#include "record/types.h"

namespace modicum {

// Who pays for the idle power: nobody here, each by CPU-time share of the
// machine's capacity, or the window as a whole.
enum class IdlePolicy { kMarginal, kProportional, kFull };
std::string_view IdlePolicyName(IdlePolicy policy);
Result<IdlePolicy> ParseIdlePolicy(std::string_view name);

struct MeterOptions {
  Seconds period{0.1};  // of the sampler
  IdlePolicy idle_policy = IdlePolicy::kProportional;
  // Windows may be opened with Edge::kStamped: every sample then reads the
  // CPU time of the machine and of our descendants too.
  bool stamps = false;
};

// Whose CPU time a window counts.
struct Subject {
  enum class Kind {
    kThisProcess,
    kTree,
    kThisTree,  // this process and every descendant of it
    kMachine,   // everybody: all that was measured is the window's own
  } kind = Kind::kThisProcess;
  // For kTree: a descendant of this process and all of its own; 0 is every
  // descendant of this process, exact once they are waited for.
  pid_t root = 0;
};

// Who used a device in a window, as far as its driver tells.
struct DeviceTimes {
  std::map<pid_t, Seconds> by_process;  // empty: nobody's is known
  bool idle = false;  // nothing ran on it: all of its energy is idle
  std::optional<Seconds> own = {};  // the subject's; absent: not known
};

// Energy of one domain in a window, whole machine.
struct DomainEnergy {
  Domain domain;
  std::string probe;
  Estimate<Joules> energy;
  int gaps = 0;
  // What it draws with nothing running; absent: not known yet.
  std::optional<Estimate<Watts>> idle = {};
  // Of a device (a GPU) only: whose time it was.
  std::optional<DeviceTimes> device = {};
};

// What a window saw. Conserved: see EnergySplit.
struct WindowReading {
  std::string name;
  WallTime began;
  Seconds wall;
  Seconds suspended;    // the machine slept: not in `wall`
  Seconds cpu;          // of the subject: user + system
  Seconds host_busy;    // of all processes, this kernel's view
  Seconds capacity;     // CPUs x wall
  Seconds steal;        // taken by the hypervisor
  double pressure = 0;  // share of the time some task waited for a CPU (PSI)
  std::vector<DomainEnergy> domains;
  std::vector<BillLine> lines;  // the subject's, by component
  EnergySplit split;
  std::optional<NetworkUse> network;  // where it is modelled
  std::vector<Factor> factors;        // of models
  // The subject's, one after the other, cut where a price or an intensity
  // changes; empty where nothing was cut. Their sum is near split.own(), not
  // equal: each is split by its own CPU time.
  std::vector<EnergySlice> slices;
  // Others used, or the hypervisor stole, more than the fixed limits allow.
  bool contended = false;
  // Fewer than ten updates of a counter fell into it.
  bool short_window = false;
  std::vector<std::string> warnings;
};

enum class WindowId : uint64_t {};

// How a window's beginning is fixed.
enum class Edge {
  kExact,    // by reading every source that may have changed since the last
             // sample: as slow as the slowest of them
  kStamped,  // by the clocks alone, in a microsecond or two; the counters are
             // interpolated between the samples before and after
};

// Thread-safe. Windows nest and overlap freely.
class Meter {
 public:
  static Result<std::unique_ptr<Meter>> Open(
      MeterOptions options, std::vector<std::unique_ptr<Probe>> probes,
      const RootFs& fs, const HostFacts& host, Clock& clock);
  virtual ~Meter() = default;

  // kStamped needs MeterOptions::stamps and is not for Kind::kTree.
  virtual WindowId Begin(std::string name, Subject subject = {},
                         Edge edge = Edge::kExact) = 0;
  // What the window holds so far; it goes on. kNotFound as from End().
  virtual Result<WindowReading> Peek(WindowId window) = 0;
  // Fixes where the window ends; End() reads it later, with the idle power that
  // is known then. Phases that are stopped one by one and ended together sum to
  // what holds them all. kNotFound as from End().
  virtual Status Stop(WindowId window) = 0;
  // kNotFound when the window was ended already.
  virtual Result<WindowReading> End(WindowId window) = 0;

  // Every domain as it is now; none is read whose last sample is not older
  // than `oldest`.
  virtual std::vector<DomainCounter> Counters(Seconds oldest) = 0;

  // The machine's idle power as known now, with its origin.
  virtual Estimate<Watts> idle_power() const = 0;
  // The component of every counted domain, one "gpu" for each GPU: for
  // NotCounted().
  virtual std::vector<std::string> components() const = 0;
};

// Cuts a window per phase: give it to an engine, read the phases after.
// Not thread-safe.
class PhaseMeter final : public PhaseSink {
 public:
  explicit PhaseMeter(Meter& meter) : meter_(meter) {}
  ~PhaseMeter() override;
  void Begin(Phase phase) override;
  void Step(Phase, std::span<const SeqWork>) override {}
  // Ends the current phase; returns every phase's readings in order.
  Result<std::vector<std::pair<Phase, WindowReading>>> Finish();

 private:
  void StopCurrent();

  Meter& meter_;
  std::optional<Error> failure_;  // of stopping a window
  bool open_ = false;
  Phase phase_ = Phase::kIdle;
  WindowId window_{};
  std::vector<std::pair<Phase, WindowId>> stopped_;
};

// Prices a reading: energy x place, embodied, what is missing. What goes by
// the hour is paid so, and not at the place's one price or intensity.
Bill MakeBill(const WindowReading& reading, const Place& place,
              const HostFacts& host,
              const std::vector<std::string>& metered_components,
              const Hourly& hourly = {});

// Adds energies (and gaps) domain by domain; one that `sums` has not is new.
void AddDomains(const std::vector<DomainEnergy>& more,
                std::vector<DomainEnergy>& sums);

// The raw evidence of a window: one row a domain. `Window` is a WindowReading,
// or another that has its domains, began, wall, cpu and contended.
template <class Window>
void AppendMeasurements(const Run& run, const Window& window,
                        std::string_view name, Phase phase,
                        std::vector<Measurement>& rows) {
  for (const DomainEnergy& domain : window.domains) {
    Measurement row;
    row.key = {run.id, run.host.boot, "host", rows.size()};
    row.name = name;
    row.phase = phase;
    row.domain = domain.domain.name;
    row.probe = domain.probe;
    row.at = window.began;
    row.wall = window.wall;
    row.cpu = window.cpu;
    row.energy = domain.energy;
    row.contended = window.contended;
    rows.push_back(std::move(row));
  }
}
// The raw evidence under a run's bill: one row a domain, all named `name`.
std::vector<Measurement> MeasurementsOf(const Run& run,
                                        const WindowReading& reading,
                                        std::string_view name);

}  // namespace modicum
