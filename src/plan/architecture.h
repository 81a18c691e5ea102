// SPDX-License-Identifier: Apache-2.0
// What a planner needs to know of a transformer: its parameters, all and
// active, and what it keeps per token of context. From a config.json, a GGUF
// header, a preset of data/model_architectures.csv or a bare count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

struct Architecture {
  std::string name;
  std::string type;            // of config.json: "llama"
  bool shape_assumed = false;  // only the parameter count is known

  double parameters = 0;
  double active = 0;     // that one token passes: experts not chosen are not
  double embedding = 0;  // of `parameters`: tables that are looked up
  double largest_layer = 0;

  int layers = 0;  // encoder and decoder together
  int hidden = 0;
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  int ffn = 0;
  int vocab = 0;
  int context = 0;  // 0: no limit is known

  int experts = 0;  // routed, per layer that has them; 0: dense
  int experts_per_token = 0;
  double expert_parameters = 0;  // of `parameters`: all routed experts

  // Numbers that one token adds to the cache, of all layers that see the whole
  // context and of those that see `window` tokens. K and V together.
  double cached = 0;
  double cached_windowed = 0;
  int window = 0;
  double state = 0;  // numbers per sequence of state-space layers

  bool moe() const { return experts > 0; }
};

// Exact bytes of one sequence's cache at `tokens` of context.
double KvBytes(const Architecture& model, double tokens, double bits);
// Of one more token while no window is full.
double KvBytesPerToken(const Architecture& model, double bits);

// FLOP of a forward pass per token at a mean context of `context` tokens: two
// per active parameter and the attention's, 4 x layers x heads x head_dim x
// context.
double ForwardFlop(const Architecture& model, double context);

// Names and values of a config.json, nested ones of `text_config` on top.
struct ConfigValues {
  std::map<std::string, double, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;
  std::vector<std::string> layer_types;
};

// kInvalidInput names the field: missing, not a whole number, absurd, or of a
// family that is not known.
Result<Architecture> ArchitectureOf(const ConfigValues& config,
                                    const std::string& name);
Result<Architecture> ParseConfig(std::string_view json,
                                 const std::string& name);
// Shape from the keys, parameters counted from the tensors.
Result<Architecture> ArchitectureOf(const GgufFile& file);

// A preset by id or alias; kNotFound with "did you mean".
Result<Architecture> FindArchitecture(std::string_view name);
std::vector<std::string> ArchitectureNames();

// A dense model of `parameters` in the usual proportions (hidden = 128 x
// layers, head_dim 128), its shape assumed.
Result<Architecture> TypicalArchitecture(double parameters);

}  // namespace modicum
