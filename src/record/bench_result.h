// SPDX-License-Identifier: Apache-2.0
// What a benchmark measured: one row a model on one workload, with every run
// it is made of, and the published figures of other models. Plain values for
// the reports, and one JSON file that a later benchmark can be rated against.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/hash.h"
#include "base/result.h"
#include "record/evidence.h"
#include "record/types.h"

namespace modicum {

inline constexpr char kBenchSchema[] = "modicum-bench-1";

// One metered run: repeat.predictions inferences in one window.
struct BenchRun {
  Repeat repeat;             // its energy: ours, above idle and idle together
  Estimate<Joules> idle;     // of that energy, by the idle policy
  Estimate<Joules> machine;  // all that was measured, whoever used it
  uint64_t tokens_in = 0, tokens_out = 0;  // 0: the model has no tokens
  bool short_window = false;  // fewer than ten updates of a counter
};

// What is done once: loading, the first inference.
struct BenchOnce {
  Estimate<Joules> energy;
  Seconds wall, cpu;
  bool contended = false;
  bool short_window = false;
};

// A model on a workload.
struct BenchRow {
  // The workload.
  std::string task;  // "text-classification"
  std::string data;  // "sst2.test"
  Hash data_hash{};
  uint64_t batch = 1;       // items a call
  uint64_t length = 0;      // words of a text that are read; 0: all
  uint64_t new_tokens = 0;  // at most, of a task that generates
  uint64_t items = 0;       // different ones in a run
  uint64_t asked = 0;       // inferences a run should have

  // The model and where it ran.
  std::string model;  // "spam.modicum"
  Hash model_hash{};  // of the file, or the artifact's own
  std::string family;
  std::string engine;
  uint64_t parameters = 0;
  Bytes bytes;
  std::string machine;
  std::string idle_policy;

  // What was seen.
  std::string failure;             // why there is nothing below; "" when ok
  std::vector<std::string> notes;  // "runs of 40 inferences: ..."
  std::optional<BenchOnce> load, first;
  uint64_t warm_up = 0;  // inferences between the first and the runs
  std::vector<BenchRun> runs;
  Seconds latency_p50, latency_p95;      // of a call, wall
  std::optional<QualityFigure> quality;  // absent: not defined, or see notes
  std::optional<double> correct_share;   // of the answers, where they are right
                                         // or wrong
  bool above_floor = false;              // a floor was given and is met

  // Computed from it; see bench/figures.h. Of quiet runs, else of all.
  uint64_t contended = 0;      // runs set aside
  uint64_t short_windows = 0;  // of all runs
  std::optional<Estimate<Joules>> joules_per_1000;
  std::optional<Estimate<Joules>> joules_per_1000_all;  // contended ones too
  Joules joules_sd;                                     // between runs
  std::optional<Estimate<Joules>> idle_per_1000;        // of joules_per_1000
  std::optional<Estimate<Joules>> active_per_1000;      // the rest
  std::optional<Estimate<Joules>> machine_per_1000;
  std::optional<Estimate<Seconds>> cpu_seconds_per_1000;
  std::optional<Estimate<GramsCo2e>> g_co2e_per_1000;
  std::optional<Estimate<Scalar>> car_km_per_1000;
  std::optional<Estimate<Scalar>> phone_charges_per_1000;
  std::string unit;  // of work: "token written", "token read"; "": an item
  std::optional<Estimate<Joules>> joules_per_unit;
  std::optional<Estimate<Joules>> joules_per_correct;
  double inferences_per_second = 0;

  // Among rows of equal workload and scope; see bench/stars.h.
  std::optional<int> stars_equal_width, stars_quintile;  // 5: the cheapest
  std::string star_set;                                  // SHA-256, hex
  std::string unrated;  // why there are no stars
};

// What stars were given among.
struct StarSet {
  std::string sha256;  // of its rows, as docs/bench.md says
  std::string about;   // workload, scope, origin
  std::string source;  // "these rows", "reference old.json"
  uint64_t rows = 0;
  uint64_t machines = 0;  // different ones
};

// A published figure, in its source's scope. Never rated.
struct PublishedRow {
  std::string task;
  Reference figure;
};

// How everything was measured.
struct BenchProtocol {
  uint64_t inferences = 1000;  // a run
  uint32_t runs = 10;          // at most, or exactly
  bool exact_runs = false;
  uint32_t least_runs = 5;
  double width = 0.05;   // half of the interval over the mean that is enough
  Seconds longest{600};  // all runs of one row
  Seconds shortest{1};   // a run takes whole passes until it lasts this long
  uint64_t seed = 1;     // of the items drawn
  std::string shard;     // "2/8"; "": all rows
};

struct BenchResult {
  std::string schema = kBenchSchema;
  std::string name;
  BenchProtocol protocol;
  std::string place;
  std::string created;  // ISO 8601 UTC
  std::string version;  // of modicum
  Uuid run;
  bool interrupted = false;
  std::vector<BenchRow> rows;
  std::vector<PublishedRow> published;
  std::vector<StarSet> star_sets;
  std::vector<std::string> notes;
  std::vector<std::string> missing;  // "8 GPUs present, NOT COUNTED"
  std::vector<Factor> factors;
};

// "spam.modicum", "x.gguf, batch 8, 40 words": a row's name in its task.
std::string RowName(const BenchRow& row);

// Whether `text` says that it is a benchmark's result.
bool IsBenchResult(std::string_view text);
// kInvalidInput names what is wrong: not JSON, another schema, a member that
// is missing or of the wrong type, a run without inferences.
Result<BenchResult> ParseBenchResult(std::string_view text);
// Two-space indent, every estimate with its unit and 90 % interval, ends with
// a newline.
std::string FormatBenchJson(const BenchResult& result);

}  // namespace modicum
