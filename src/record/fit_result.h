// SPDX-License-Identifier: Apache-2.0
// What a fit found: one row per candidate, the choice, what it cost to find
// and when that is repaid. Plain values for the ledger and the reports.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/phase.h"
#include "record/evidence.h"
#include "record/types.h"

namespace modicum {

// A model that was tried, or a reference row of one that was not.
struct CandidateRow {
  std::string name;    // "linear C=10"
  std::string family;  // "linear"; "reference" for rows not run
  std::string params;  // "C=10 char_ngrams=0"
  std::vector<std::string> passes;
  bool reference = false;
  bool planned = false;    // a reference computed by its source, not measured
  std::string source;      // of a reference
  std::string scope_note;  // of a reference: "GPU only"

  std::optional<QualityFigure> quality;     // absent: failed, or a reference
  std::optional<QualityFigure> validation;  // what the choice was made on
  std::optional<Estimate<Joules>> joules_per_1000;
  std::optional<Estimate<Joules>> joules_per_1000_all;  // contended ones too
  std::optional<Estimate<Seconds>> cpu_seconds_per_1000;
  std::optional<Estimate<GramsCo2e>> g_co2e_per_1000;
  std::optional<MoneyEstimate> money_per_1000;  // of electricity, here
  std::optional<MoneyEstimate> price_per_1000;  // of endpoints, by their list
  // Only for models above the floor or within the margin.
  std::optional<Estimate<Joules>> joules_per_correct;
  std::map<Phase, double> phase_share;  // of the CPU time per prediction
  Seconds latency_p50, latency_p95;
  double predictions_per_second = 0;
  std::optional<Bytes> peak_memory;
  Bytes bytes;
  uint64_t parameters = 0;
  std::string engine;
  std::string not_deterministic;
  std::optional<Estimate<Joules>> train_joules;
  Seconds train_cpu;
  size_t repeats = 0;
  size_t contended = 0;

  Estimate<Joules> search_joules;   // what trying it cost; finals included
  std::vector<std::string> stages;  // of a cascade: rows by name

  bool feasible = false;
  // No other measured row is both better and cheaper.
  bool pareto = false;
  std::string reason;  // "CHOSEN", "fails the floor: lower end 97.4 < 97.5"
};

struct Payback {
  double mid = 0, low = 0, high = 0;  // predictions; 90 %, Fieller
};

struct FitResult {
  std::string task;
  std::string kind;
  std::string metric;
  std::string requirement;  // "within 1.0 pt of the best", "at least 97.5 %"
  std::string machine;      // "2 vCPU EPYC VM, no sensor, no GPU"
  std::string energy_note;  // "joules MODELLED, x/÷ 2.4 (90 %), CPU package"
  std::string place;
  uint64_t seed = 1;

  std::string data;     // "catalog:spam-assassin", or the file's name
  Hash data_hash{};     // of its bytes
  std::string created;  // ISO 8601 UTC
  std::string version;  // of modicum
  uint64_t items = 0;
  uint64_t train_items = 0, validation_items = 0, test_items = 0;
  uint64_t near_duplicates = 0;
  std::vector<std::string> classes;     // "ham 4,150"; empty: none
  double smallest_detectable_loss = 0;  // on the test items, in the metric
  double volume = 0;                    // predictions a month

  std::vector<CandidateRow> rows;  // humblest first, references last
  std::string chosen;              // a row's name; "" when none is feasible
  std::string baseline;            // a row's name
  std::string baseline_rule;       // "named by current", "the most accurate"
  bool established = false;        // the claim holds on the test items

  Estimate<Joules> search_joules;
  // What of it was spent beside the rows' own search_joules.
  std::vector<SearchPart> search_parts;
  uint64_t space = 0;      // candidates there were, before passes
  Seconds search_seconds;  // wall, of the trials that count
  std::optional<Payback> payback;
  std::string payback_reason;  // why there is none
  // Ratios baseline / chosen, each with its own interval.
  std::optional<Estimate<Scalar>> cpu_ratio;
  std::optional<Estimate<Scalar>> energy_ratio;

  std::optional<Estimate<Joules>> idle_month;     // of a machine kept alive
  std::optional<Estimate<Joules>> predict_month;  // all predictions, chosen
  std::string verdict;
  // What would change the answer: "at ten times the volume ...".
  std::vector<std::string> changes;
  std::vector<std::string> notes;    // "not established: ...", stop reasons
  std::vector<std::string> missing;  // "DRAM", "8 GPUs present, NOT COUNTED"
  std::vector<Factor> factors;
  std::string artifact;  // path; "" when none was written
  Uuid run;
};

// The row of that name, or null.
inline const CandidateRow* FindRow(const FitResult& result,
                                   std::string_view name) {
  for (const CandidateRow& row : result.rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace modicum
