// SPDX-License-Identifier: Apache-2.0
// Chooses a type for each group of a network's tensors: what a token costs in
// each type is measured, what each group's rounding does to the predictions is
// measured, and the cheapest choice within a bound on their divergence is
// taken (shrink/bit_allocation.h), quantized and measured again.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "evaluate/perplexity.h"
#include "meter/meter.h"
#include "model/gguf/gguf_file.h"
#include "model/neural.h"

namespace modicum {

// Tensors of one role in every layer: "ffn_down", "output".
struct TensorGroup {
  std::string name;
  std::string pattern;  // regular expression of the tensors' names
  std::string type;     // as they are, "f16"
  uint64_t weights = 0;
  // Multiplied with every token, not looked up in.
  bool multiplied = true;
};

// Those that a quantizer may touch, in the file's order.
std::vector<TensorGroup> TensorGroups(const GgufFile& file);
// To try, from most bits to fewest: k-quants where every row divides by 256,
// else the older ones; the lowest only with `importance`.
std::vector<std::string> TypesToTry(const GgufFile& file, bool importance);

struct MixedPrecisionParts {
  NeuralEngine& engine;
  const GgufFile& file;
  NeuralModel& network;  // of that file
  std::function<Result<std::unique_ptr<NeuralModel>>(const std::string&)> open;
  std::string scratch;                 // a file that may be written and removed
  std::span<const TokenId> text;       // to choose on
  PerplexityOptions perplexity;        // chunks of `text`, context
  double max_divergence = 0;           // nats a token
  double prompt = 256, generate = 64;  // tokens of a request
  QuantizeOptions quantize;            // importance, threads, requantize, stop
  Meter& meter;
  PhaseSink& sink;
  std::function<void(std::string_view)> progress;  // may be empty
};

// Every tensor in one type.
struct UniformType {
  std::string type;
  Estimate<Scalar> cost;  // of a request, by that of the network as it is
  double bytes = 0;       // likewise
  MeanFigure divergence;
};

struct MixedPrecision {
  std::vector<TensorGroup> groups;
  std::vector<std::string> types;       // of each group, as chosen
  std::vector<MeanFigure> divergences;  // of each group alone in it
  std::vector<UniformType> uniform;     // what was tried for all alike
  double predicted_cost = 1;            // sum over the groups
  MeanFigure divergence;                // of the choice, measured
  int rounds = 0;                       // choices that were measured
  std::vector<std::pair<std::string, std::string>> tensor_types;

  bool changes() const;  // any group
};

// kUnavailable when no choice stays within the bound, kInvalidInput from the
// quantizer, kInterrupted. The scratch file is gone in any case.
Result<MixedPrecision> ChooseMixedPrecision(const MixedPrecisionParts& parts);

}  // namespace modicum
