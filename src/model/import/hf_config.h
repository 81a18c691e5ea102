// SPDX-License-Identifier: Apache-2.0
// config.json of a Hugging Face model: which architecture, and its sizes.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/head_kind.h"

namespace modicum {

// What a user can do about a folder that is not as it should be, and about one
// that is another kind of model than is read here.
inline constexpr char kGetFolderAgain[] =
    "it was altered, or written by another program: get the folder again from "
    "where the model was published";
inline constexpr char kTakeGguf[] =
    "take a GGUF file of this model that llama.cpp's converter made";

enum class HfFamily {
  kLlama,           // Llama, Mistral, TinyLlama
  kMixtral,         // the same with experts
  kPhi,             // Phi-1 to Phi-2
  kBert,            // an encoder
  kBertClassifier,  // with a head on its first token
  kBertMaskedLm,    // with a head on each token: which one is hidden
  kBertTagger,      // a label for each
  kBertReader,      // where an answer begins and ends
};
bool IsBert(HfFamily family);
// Of a head that stands in a file of its own.
std::optional<HeadKind> HeadOf(HfFamily family);

// How positions beyond the training are scaled.
struct HfRope {
  double base = 10000;
  std::string scaling;  // "", "linear", "yarn" or "llama3"
  double factor = 1;
  uint64_t original_context = 0;    // yarn, llama3
  double low_factor = 1;            // llama3
  double high_factor = 4;           // llama3
  std::optional<double> attention;  // yarn
  std::optional<double> beta_fast;  // yarn
  std::optional<double> beta_slow;  // yarn
  double partial = 1;               // of a head's numbers that turn
};

struct HfConfig {
  HfFamily family = HfFamily::kLlama;
  std::string class_name;  // "LlamaForCausalLM"
  uint64_t layers = 0;
  uint64_t width = 0;  // of a token
  uint64_t inner = 0;  // of the feed-forward part
  uint64_t heads = 0;
  uint64_t kv_heads = 0;
  uint64_t head_size = 0;
  uint64_t context = 0;
  uint64_t vocabulary = 0;
  double epsilon = 0;
  bool tied = false;  // the output matrix is the embedding
  HfRope rope;
  uint64_t experts = 0;
  uint64_t experts_used = 0;
  uint64_t token_types = 0;         // BERT
  std::vector<std::string> labels;  // of a classifier, by number
  // "bos" -> 1, for what config.json says of bos, eos, unk, sep, pad, cls and
  // mask.
  std::map<std::string, uint64_t> special;
};

// kInvalidInput names the member that is missing, out of range or not
// supported. `name` begins the messages.
Result<HfConfig> ParseHfConfig(const nlohmann::json& json,
                               const std::string& name);
Result<HfConfig> ParseHfConfigText(std::string_view text,
                                   const std::string& name);

}  // namespace modicum
