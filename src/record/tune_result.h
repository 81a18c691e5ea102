// SPDX-License-Identifier: Apache-2.0
// What tuning a network's run settings found.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "record/types.h"

namespace modicum {

// One setting tried against the best that was known.
struct TuneTrial {
  std::string change;                     // "threads 1"
  std::optional<Estimate<Scalar>> ratio;  // its joules to the best's
  Seconds p95;                            // of a request
  int pairs = 0;                          // of quiet repeats, in turn
  bool kept = false;
  std::string reason;  // why not kept
};

// One setting's figures, measured in turn with the other's.
struct TuneFigure {
  Estimate<Joules> joules_per_1000_tokens;
  Estimate<Seconds> cpu_per_1000_tokens;
  Seconds p50, p95;  // of a request
  double tokens_per_second = 0;
};

struct TuneResult {
  std::string network;   // file name
  std::string workload;  // in words
  HostFacts host;
  std::vector<TuneTrial> trials;
  std::map<std::string, std::string> settings;  // that differ from defaults
  TuneFigure before, after;
  // Defaults over found; the second in tokens per CPU-second.
  Estimate<Scalar> energy_ratio, speed_per_cpu;
  Seconds p95_limit;
  size_t contended = 0;  // pairs set aside
  Estimate<Joules> spent;
  Seconds wall;
  std::vector<std::string> missing;
};

}  // namespace modicum
