// SPDX-License-Identifier: Apache-2.0
// A pass makes a cheaper model, or less data to train one on, from what there
// is. Passes are pure: the same input, parameters and seed give the same
// files, so that results are named by their content and cached.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "base/units.h"
#include "dataset/dataset.h"
#include "model/engine.h"

namespace modicum {

// One pass with its parameters, as a candidate carries it.
struct PassStep {
  std::string pass;  // "prune"
  Params params;
  friend bool operator==(const PassStep&, const PassStep&) = default;
};
// "prune keep=0.1", "8-bit".
std::string ToString(const PassStep& step);

enum class Needs {
  kArithmetic,   // the model's numbers alone
  kCalibration,  // unlabelled or labelled items, no training
  kTraining,     // trains again
};

// What a pass starts from. Lifetime: the caller's, for the call.
struct PassInput {
  // The data, and the rows that may be used: those trained on, never those a
  // result is judged by.
  const Dataset& data;
  std::span<const uint32_t> rows;
  // The model; all empty for a pass over the data.
  std::string family;
  Params params;          // it was trained with
  std::string directory;  // holds its files
  std::vector<std::string> files;
};

// What a pass is expected to cost, before it is run; 90 % intervals.
struct PassForecast {
  Seconds cpu, cpu_low, cpu_high;
  Bytes memory;
};

class Pass {
 public:
  virtual ~Pass() = default;
  virtual std::string_view name() const = 0;
  // One line for --help and reports: what it does to the model.
  virtual std::string_view summary() const = 0;
  virtual Needs needs() const = 0;
  // True: chooses rows before training (SelectRows); false: rewrites a model's
  // files (Apply).
  virtual bool on_data() const { return false; }
  // kUnavailable with the reason why this input cannot be passed, or ok. Asked
  // before training too, when directory and files are still empty.
  virtual Status Accepts(const PassInput& input) const = 0;
  // Parameters worth trying, mildest first; never empty for accepted input.
  virtual std::vector<Params> Space(const PassInput& input) const = 0;
  virtual PassForecast Predict(const PassInput& input,
                               const Params& params) const = 0;
  // Writes the new model's files into `directory`, which exists and is empty.
  // kInvalidInput for parameters outside the space.
  virtual Result<TrainedModel> Apply(const PassInput& input,
                                     const Params& params, const Budget& budget,
                                     const std::string& directory,
                                     PhaseSink& sink);
  // The rows to train on, in ascending order; at least one of every class.
  virtual Result<std::vector<uint32_t>> SelectRows(const PassInput& input,
                                                   const Params& params,
                                                   const Budget& budget);
};

// For passes: refuses a parameter that is not among `known`, with "did you
// mean"; a missing one is refused too (kInvalidInput).
Status CheckPassParams(const Params& params, std::string_view pass,
                       std::span<const std::string_view> known);

}  // namespace modicum
