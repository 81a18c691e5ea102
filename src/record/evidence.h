// SPDX-License-Identifier: Apache-2.0
// What a fit saw: the question, the machine, the place, every item's outcome
// and every repeat's reading. All that a fit reports is computed from this and
// nothing else (fit/derive.h), so that anyone can compute it again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "base/hash.h"
#include "base/phase.h"
#include "record/types.h"

namespace modicum {

// One measured repeat: `predictions` predictions in one window.
struct Repeat {
  uint64_t predictions = 0;
  Seconds wall;
  Seconds cpu;
  // This process's, idle by the meter's policy; what endpoints took for it is
  // added by assumption.
  Estimate<Joules> energy;
  bool contended = false;
  std::map<Phase, Seconds> cpu_by_phase;
  // What endpoints charged, in major units; absent where none was asked.
  std::optional<double> price = {};
  std::optional<std::string> currency = {};
};

// What measuring the cost of one model gave.
struct CostSamples {
  std::vector<Repeat> repeats;
  std::vector<Seconds> latencies;    // one item a call, wall
  std::optional<Bytes> peak_memory;  // of the process, data included
};

// One candidate on one split: trained, scored, measured.
struct TrialEvidence {
  std::string name;                 // "linear, bigrams"
  std::string family;               // "linear"
  std::string params;               // "C=30 word_ngrams=1-2"
  std::vector<std::string> passes;  // "prune keep=0.1"
  std::vector<std::string> stages;  // of a cascade: candidates by name
  std::string failure;              // why there is nothing below; empty when ok
  std::string engine;               // "liblinear 2.30"
  std::string not_deterministic;
  uint64_t parameters = 0;
  Bytes bytes;
  std::map<std::string, std::string> files;  // name -> sha256 hex
  std::vector<double> scores;  // by the metric; in the split's order
  Estimate<Joules> cost;       // of the whole trial
  Estimate<Joules> train;      // features and training
  Seconds train_cpu;
  Seconds wall;
  bool resumed = false;  // run by an earlier fit of the same task
  CostSamples samples;   // empty: not measured
  // What of its answers must be said; absent: nothing.
  std::optional<std::string> note = {};
};

// The items a split is scored on, in order.
struct SplitItems {
  std::vector<uint64_t> ids;     // Item::id: rows of the source
  std::vector<uint64_t> groups;  // near-duplicates share one
};

// A published or planned figure of a model that was not run.
struct Reference {
  std::string name;
  double joules_per_1000 = 0, low = 0, high = 0;  // 90 %; low = high: unknown
  std::optional<double> quality;                  // in the task's metric
  std::string scope;  // "GPU only", as its source states it
  std::string source;
  std::string date;
  bool planned = false;  // computed, not measured, by its source
};

// A part of what a search cost beside its trials.
struct SearchPart {
  std::string name;  // "measuring", "loading and splitting"
  Estimate<Joules> joules;
};

struct ClassCount {
  std::string label;
  uint64_t items = 0;
};

struct FitEvidence {
  // The question.
  std::string task;       // its name
  std::string task_file;  // the file's text, whole
  std::string kind;
  std::string metric;
  std::optional<double> within;
  std::optional<double> floor;
  std::string current;
  double volume = 0;  // predictions a month; 0 = not said
  uint64_t seed = 1;

  // The data.
  std::string data;  // "catalog:spam-assassin", or the file's name
  Hash data_hash{};
  std::vector<std::string> labels;
  std::vector<ClassCount> classes;
  uint64_t items = 0, train_items = 0, near_duplicates = 0;
  SplitItems validation, test;

  // Where.
  HostFacts host;
  Place place;
  std::string idle_policy;
  Estimate<Watts> idle_power;
  std::vector<std::string> missing;  // "8 GPUs present, NOT COUNTED"

  // What was seen.
  std::vector<TrialEvidence> trials;  // on validation, humblest first
  std::vector<TrialEvidence> finals;  // refitted, on test
  std::vector<Reference> references;
  // The search beside its trials; with the trials' costs, all it cost.
  std::vector<SearchPart> search_parts;
  Seconds search_wall;
  // What endpoints charged for the search; absent where none was asked.
  std::optional<double> search_price;
  std::optional<std::string> search_currency;
  // Candidates there were, before passes and cascades.
  uint64_t space = 0;

  std::string version;  // of modicum
  std::string created;  // ISO 8601 UTC
  Uuid run;
};

}  // namespace modicum
