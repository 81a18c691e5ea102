// SPDX-License-Identifier: Apache-2.0
// The interface every model has, from a constant to an LLM.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/phase.h"
#include "base/result.h"
#include "base/units.h"
#include "dataset/item.h"

namespace modicum {

// Why a model decided as it did: a feature as a reader knows it ("viagra",
// "free offer", "x-box = 7") and its signed effect on the score (log-odds,
// unless ModelInfo says otherwise) of the label it answered.
struct Reason {
  std::string feature;
  double effect = 0;
};
struct Label {
  LabelIndex index = kUnlabelled;
  // One per label, summing to 1; empty when the model has none to give.
  std::vector<float> probabilities;
  // Strongest first; only when CallOptions::explain asks for them.
  std::vector<Reason> reasons = {};
};
struct TagSpan {
  uint32_t begin = 0, end = 0;  // words
  std::string tag;
};
struct AnswerSpan {
  uint32_t begin = 0, end = 0;  // bytes
  std::string text;
};
// Of a token that was hidden: how many were found likelier, and the bits that
// it costs to tell; nothing where there was none to hide.
struct Unmasked {
  std::optional<uint32_t> above = {};
  double bits = 0;
};
struct Vector {
  std::vector<float> values;
};
struct Generated {
  std::string text;
  uint32_t tokens = 0;
};
struct Box {
  float x = 0, y = 0, width = 0, height = 0, score = 0;
  std::string tag;
};

using Output = std::variant<Label, std::vector<TagSpan>, AnswerSpan, Unmasked,
                            Vector, Generated, std::vector<Box>, Image>;

struct CallOptions {
  std::stop_token stop;
  uint64_t seed = 1;
  std::optional<MonotonicTime> deadline;
  int threads = 1;
  int explain = 0;  // reasons wanted per item
};

struct ModelInfo {
  std::string family;          // "majority", "linear", "fasttext"
  std::string engine;          // "liblinear"
  std::string engine_version;  // "2.30"
  uint64_t parameters = 0;     // numbers learnt and kept
  Bytes bytes;                 // on disk, all model files
  std::vector<std::string> labels;
  // Empty when equal seeds give equal models, else the reason why not.
  std::string not_deterministic;
};

// Thread safety: Predict may be called from one thread at a time.
class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;
  // One output per item, in order. Reports kPrepare around features and
  // kPrefill around the computation. kInvalidInput for a payload it cannot
  // take, kInterrupted when stopped.
  virtual Result<std::vector<Output>> Predict(std::span<const Item> items,
                                              const CallOptions& options,
                                              PhaseSink& sink) = 0;
};

}  // namespace modicum
