// SPDX-License-Identifier: Apache-2.0
// What the ledger keeps and the reports show: runs, measurements, bills.
// Plain values; nothing here measures or computes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/hash.h"
#include "base/phase.h"
#include "base/units.h"

namespace modicum {

// 36 characters, lower case: "0b3c...". Random (version 4).
struct Uuid {
  std::string text;
  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};
Uuid NewUuid();

// The ledger's key: append-only, idempotent upsert, ledgers merge by it.
struct RunKey {
  Uuid run;
  std::string boot;    // /proc/sys/kernel/random/boot_id
  std::string device;  // "host" or the device's UUID
  uint64_t seq = 0;
};

// A constant that entered a number, with where it comes from.
struct Factor {
  std::string name;  // "grid intensity, Poland, 2025 average"
  double value = 0;
  std::string unit;
  std::string source;
  std::string date;  // year or day the source states
};

// The factors of one place. The relative error of each is in its Estimate,
// shared under a source such as "grid intensity: Poland".
struct Place {
  std::string id;        // "PL", "US-CA", "world"
  std::string name;      // "Poland"
  bool assumed = false;  // no place was configured: the world average
  Estimate<GramsPerKilowattHour> intensity;  // location-based: an average
  // Of the electricity contract; absent: not given.
  std::optional<Estimate<MarketGramsPerKilowattHour>> market_intensity;
  Estimate<Scalar> pue;
  Estimate<LitresPerKilowattHour> water_onsite;   // WUE
  Estimate<LitresPerKilowattHour> water_offsite;  // EWIF
  std::optional<Estimate<AmountPerKilowattHour>> tariff;
  Currency currency;
  std::vector<Factor> factors;  // one per estimate above
  bool rented = false;          // a cloud: its price includes the electricity
};

// One component's energy in a bill.
struct BillLine {
  std::string component;  // "cpu", "dram", "gpu"
  std::string probe;      // "rapl", "cpu-load"
  Estimate<Joules> energy;
};

// A window's energy, split so that
//   own_active + own_idle + other_active + other_idle + unattributed
//   = measured, always.
struct EnergySplit {
  Estimate<Joules> measured;
  Estimate<Joules> own_active;
  Estimate<Joules> own_idle;  // by the idle policy
  Estimate<Joules> other_active;
  Estimate<Joules> other_idle;  // idle not charged to this window
  Estimate<Joules> unattributed;
  std::string idle_policy;  // "marginal", "proportional", "full"

  Estimate<Joules> own() const { return own_active + own_idle; }
};

// What was paid for a kWh by a tariff that goes by the hour.
struct PaidBand {
  std::string name;
  double price = 0;  // per kWh
  double share = 0;  // of the energy
};
struct PaidTariff {
  double mean = 0;  // per kWh, by energy
  // Share of the energy of which it is not known in which band it fell: split
  // by time.
  double by_time = 0;
  std::vector<PaidBand> bands;  // that were used, in the tariff's order
};

// The grid's intensity by the hour, location-based, as the energy met it.
struct PaidIntensity {
  GramsPerKilowattHour mean;       // by energy
  GramsPerKilowattHour low, high;  // of the hours that energy was used in
  // Share of the energy that was in no hour of the series: the place's average
  // stood in.
  double outside = 0;
  // Share of which it is not known in which hour it fell: split by time.
  double by_time = 0;
};

// What networks drew for the bytes that passed this machine's interfaces, of
// all its processes: outside of the machine, in no sum and in no other figure.
struct NetworkUse {
  Bytes bytes;
  Estimate<Joules> energy;
};

// Energy x place. Every factor used is listed.
struct Bill {
  Seconds wall;
  Seconds cpu;  // user + system time of the metered processes, measured
  EnergySplit split;
  std::vector<BillLine> lines;             // sum = split.own()
  Estimate<Joules> energy;                 // split.own()
  std::optional<NetworkUse> network;       // absent: not modelled
  Estimate<GramsCo2e> operational;         // location-based
  std::optional<PaidIntensity> intensity;  // absent: one for all hours
  // Beside it, by the contract; absent: none was given.
  std::optional<Estimate<MarketGramsCo2e>> operational_market;
  std::optional<Estimate<GramsCo2e>> embodied;  // absent: unknown device
  Estimate<Litres> water;
  std::optional<MoneyEstimate> money;  // absent: no tariff is known
  std::optional<PaidTariff> tariff;    // absent: one price at all hours
  std::string place;                   // "Poland", "world average (assumed)"
  std::vector<Factor> factors;
  std::vector<std::string> missing;   // "8 GPUs present, NOT COUNTED"
  std::vector<std::string> warnings;  // "window shorter than ten updates"
};

// What the machine was, stored with every run.
struct HostFacts {
  std::string hostname;
  std::string boot;
  std::string os;         // "Linux-6.1.0-x86_64"
  std::string cpu_model;  // as /proc/cpuinfo has it
  int sockets = 1;
  int cores = 1;         // physical, all sockets
  int logical_cpus = 1;  // usable by us
  Bytes ram;
  bool virtual_machine = false;
  std::string hypervisor;  // "KVM"; empty on metal
  std::vector<std::string> gpus;
  std::string governor;  // cpufreq; empty when not exposed
};

enum class RunStatus { kRunning, kOk, kFailed, kInterrupted };
std::string_view RunStatusName(RunStatus status);

// One metered piece of work: a command, a fit, a predict.
struct Run {
  Uuid id;
  std::string kind;     // "run", "fit", "predict"
  std::string name;     // the command line, the task's name
  std::string project;  // "" or --project
  std::map<std::string, std::string> tags;
  WallTime started;
  WallTime ended;
  RunStatus status = RunStatus::kRunning;
  int exit_code = 0;
  HostFacts host;
  std::optional<Bill> bill;  // absent while running, or when nothing metered
  std::string version;       // of modicum
};

// One window's or phase's reading, the raw evidence under a bill.
struct Measurement {
  RunKey key;
  std::string name;  // "repeat 3", "sample"
  Phase phase = Phase::kIdle;
  std::string domain;  // "package-0", "cpu"; with probe: "rapl", "cpu-load"
  std::string probe;
  WallTime at;
  Seconds wall;
  Seconds cpu;
  Estimate<Joules> energy;
  bool contended = false;
};

// A quality with its 95 % interval and the split it is from.
struct QualityFigure {
  std::string metric;
  std::string split;  // "validation", "test"
  double mid = 0, low = 0, high = 0;
  uint64_t items = 0;
};

// Identifies a trial for resuming; --shard i/N takes those with Hash % N == i.
struct TrialKey {
  Hash task{};
  Hash candidate{};
  uint32_t repeat = 0;
};

// A trial's outcome. Failures are outcomes too, with their cause.
struct Trial {
  TrialKey key;
  Uuid run;             // the fit it belongs to
  std::string name;     // "linear"
  std::string outcome;  // "ok", "failed"
  std::string cause;    // why it failed; empty when ok
  Estimate<Joules> cost;
  Seconds wall;
  std::string detail;  // JSON: what the fit needs to resume from it
};

}  // namespace modicum
