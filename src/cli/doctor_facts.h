// SPDX-License-Identifier: Apache-2.0
// What `modicum doctor` finds out, before any of it is printed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "hardware/machine.h"
#include "place/hourly_intensity.h"
#include "place/place.h"
#include "probe/probe.h"
#include "probe/seen_updates.h"

namespace modicum {

struct SourceFacts {
  ProbeReport report;
  bool in_use = false;  // what `run` and `fit` would read now
  std::optional<SeenUpdates> updates = {};  // of counters
};

struct LedgerFacts {
  std::string path;
  std::optional<size_t> runs;  // nullopt: not there yet
  std::optional<Error> error;  // cannot be used
};

// The series that bills go by, where one is set.
struct HourlyFacts {
  std::string name;
  std::optional<HourlyIntensity> series;
  // As a bill of this hour has it; absent: the series does not cover it.
  std::optional<Estimate<GramsPerKilowattHour>> now;
  std::optional<Error> error;  // cannot be used
};

struct FamilyFacts {
  std::string family;
  std::string engine, version;
  std::optional<Error> error;  // cannot be used
};

struct DoctorFacts {
  HostFacts host;
  CpuPower power;
  std::vector<SourceFacts> sources;
  std::optional<Error> sources_error;  // nothing can be metered
  Result<Place> place;
  std::optional<HourlyFacts> hourly;
  LedgerFacts ledger;
  std::vector<FamilyFacts> families;
  std::vector<std::string> not_counted;
  bool weighs_cpu_time = false;  // where the kernel tells frequencies
};

// Creates nothing (a ledger that is not there is not made) but what it keeps of
// a service's answer, as every command does.
DoctorFacts GatherFacts(const Context& context);

// Whether a ledger can be kept at `path`.
LedgerFacts InspectLedger(const std::string& path);

}  // namespace modicum
