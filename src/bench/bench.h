// SPDX-License-Identifier: Apache-2.0
// A benchmark from beginning to end: find the models, draw the items, measure
// workload by workload, compute the figures, give the stars.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "bench/config.h"
#include "bench/stars.h"
#include "meter/meter.h"
#include "record/bench_result.h"
#include "record/ledger.h"

namespace modicum {

// --shard i/N: takes the rows whose hash % of == index.
struct Shard {
  uint64_t index = 0, of = 1;
};
// "2/8"; kInvalidInput for anything else, and for 8/8.
Result<Shard> ParseShard(std::string_view text);

struct BenchParts {
  Ledger* ledger = nullptr;  // null: nothing is recorded
  Meter& meter;
  const Place& place;
  const HostFacts& host;
  Clock& clock;
  std::stop_token stop;
  std::string data_dir;
  std::string version;
  Uuid run;
  Shard shard;
  const StarReference* reference = nullptr;
  // May be empty: done rows, all rows, what is being done.
  std::function<void(uint64_t, uint64_t, std::string_view)> progress;
};

// Errors are of the configuration, the data, the meter and the ledger; a model
// that fails is a row. When stopped, the result is what was finished, and
// `interrupted` says so.
Result<BenchResult> RunBench(const BenchConfig& config,
                             const BenchParts& parts);

}  // namespace modicum
