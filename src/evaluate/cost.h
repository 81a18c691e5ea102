// SPDX-License-Identifier: Apache-2.0
// What predictions cost: joules and CPU time per 1,000, latency, memory.
//
// Several models are measured in turn (A B C A B C ...), so that a drift of
// the machine falls on all alike. Warm-up is apart. A repeat during which
// others used the machine is set aside by the meter's fixed limits, never by
// its result, and the figure with it is kept beside the figure without.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "dataset/item.h"
#include "meter/meter.h"
#include "model/model.h"
#include "record/evidence.h"

namespace modicum {

// What the samples say; see Summarize.
struct CostFigure {
  size_t repeats = 0;
  size_t contended = 0;                  // of them, set aside
  Estimate<Joules> joules_per_1000;      // without them
  Estimate<Joules> joules_per_1000_all;  // with them
  Estimate<Seconds> cpu_per_1000;        // measured, user + system
  std::map<Phase, double> phase_share;   // of the CPU time; sums to 1
  Seconds latency_p50, latency_p95;      // one item a call, wall
  double predictions_per_second = 0;     // in batch
  std::optional<Bytes> peak_memory;      // of the process, data included
  // What endpoints charge for 1,000 predictions; absent where none is asked.
  std::optional<MoneyEstimate> price_per_1000;
};

struct CostOptions {
  int min_repeats = 5;
  int max_repeats = 20;
  double relative_width = 0.05;  // stop at this half-width of the mean
  Seconds repeat_wall{0.05};     // shortest repeat
  // Where all items take longer, a repeat is of a part of them, drawn once.
  Seconds longest_repeat{2};
  int latency_items = 100;
};

struct CostSubject {
  std::string name;
  // Models of one workload (one engine's kernels) share the error that their
  // instruction mix makes; those of two do not.
  std::string workload;
  Model* model = nullptr;
};

// Means, shares and quantiles of the samples. Without a quiet repeat the
// figure is of the contended ones; `contended` then equals `repeats`.
CostFigure Summarize(const CostSamples& samples);

// Measures every subject on `items` (at least one). The error part named
// "instruction mix" by a probe is made each workload's own: it does not cancel
// between two of them. kInterrupted when stopped. After an error `at` is the
// subject that was measured then.
Result<std::vector<CostSamples>> MeasureCosts(
    std::span<const CostSubject> subjects, std::span<const Item> items,
    const CostOptions& options, Meter& meter, const RootFs& fs, Clock& clock,
    const std::stop_token& stop, size_t* at = nullptr);

// The probe's per-workload error source; see above.
inline constexpr char kWorkloadSource[] = "instruction mix";
// `energy` with that source renamed to the workload's own.
Estimate<Joules> OfWorkload(Estimate<Joules> energy, std::string_view workload);

}  // namespace modicum
