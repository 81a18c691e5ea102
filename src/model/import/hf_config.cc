// SPDX-License-Identifier: Apache-2.0
#include "model/import/hf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "model/gguf/gguf_names.h"
#include "model/strict_json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr std::pair<std::string_view, HfFamily> kClasses[] = {
    {"LlamaForCausalLM", HfFamily::kLlama},
    {"MistralForCausalLM", HfFamily::kLlama},
    {"MixtralForCausalLM", HfFamily::kMixtral},
    {"PhiForCausalLM", HfFamily::kPhi},
    {"BertModel", HfFamily::kBert},
    {"BertForSequenceClassification", HfFamily::kBertClassifier},
    {"BertForMaskedLM", HfFamily::kBertMaskedLm},
    {"BertForTokenClassification", HfFamily::kBertTagger},
    {"BertForQuestionAnswering", HfFamily::kBertReader},
};
constexpr char kSupported[] =
    "there are LlamaForCausalLM, MistralForCausalLM, MixtralForCausalLM, "
    "PhiForCausalLM, BertModel, BertForSequenceClassification, "
    "BertForMaskedLM, BertForTokenClassification and BertForQuestionAnswering; "
    "others as a GGUF file that llama.cpp's converter made";

constexpr uint64_t kMaxSize = uint64_t{1} << 22;
constexpr uint64_t kMaxContext = uint64_t{1} << 30;
constexpr uint64_t kMaxLayers = 512;

class ConfigReader {
 public:
  ConfigReader(const Json& json, const std::string& name)
      : json_(json), name_(name) {}
  Result<HfConfig> Read();

 private:
  tl::unexpected<Error> Refuse(const std::string& what,
                               std::string_view hint = kGetFolderAgain) const {
    return Fail(ErrorCode::kInvalidInput, name_ + ": " + what,
                std::string(hint));
  }
  // Null when absent or null.
  static const Json* Member(const Json& json, std::string_view key) {
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? nullptr : &*found;
  }
  const Json* Member(std::string_view key) const { return Member(json_, key); }

  Result<uint64_t> Count(std::string_view key, uint64_t limit,
                         std::optional<uint64_t> otherwise = {}) const;
  Result<double> Number(const Json& json, std::string_view key, double low,
                        double high, std::optional<double> otherwise) const;
  Status OptionalNumber(const Json& json, std::string_view key,
                        std::optional<double>& out) const;
  Status TakeFamily();
  Status TakeSizes();
  Status TakeHeads();
  Status TakeExperts();
  Status TakeEpsilon();
  Status TakeRope();
  Status TakeScaling(const Json& scaling, std::string_view kind);
  Status TakeBert();
  Status TakeLabels();
  Status CheckOnly(std::string_view key,
                   std::initializer_list<std::string_view> known) const;
  Status CheckKinds() const;
  void TakeSpecial();

  const Json& json_;
  const std::string& name_;
  HfConfig config_;
};

Result<HfConfig> ConfigReader::Read() {
  if (!json_.is_object()) return Refuse("not a JSON object");
  MODICUM_RETURN_IF_ERROR(TakeFamily());
  MODICUM_RETURN_IF_ERROR(CheckKinds());
  MODICUM_RETURN_IF_ERROR(TakeSizes());
  MODICUM_RETURN_IF_ERROR(TakeHeads());
  MODICUM_RETURN_IF_ERROR(TakeExperts());
  MODICUM_RETURN_IF_ERROR(TakeEpsilon());
  if (IsBert(config_.family)) {
    MODICUM_RETURN_IF_ERROR(TakeBert());
  } else {
    MODICUM_RETURN_IF_ERROR(TakeRope());
  }
  // Absent it is as transformers has it for the kind of model.
  const Json* tied = Member("tie_word_embeddings");
  config_.tied = tied == nullptr ? IsBert(config_.family)
                                 : tied->is_boolean() && tied->get<bool>();
  TakeSpecial();
  return std::move(config_);
}

// A whole number from 1 to `limit`.
Result<uint64_t> ConfigReader::Count(std::string_view key, uint64_t limit,
                                     std::optional<uint64_t> otherwise) const {
  const Json* member = Member(key);
  if (member == nullptr && otherwise) return *otherwise;
  if (member == nullptr) return Refuse(fmt::format("'{}' is missing", key));
  if (!member->is_number_unsigned() || member->get<uint64_t>() == 0 ||
      member->get<uint64_t>() > limit)
    return Refuse(fmt::format("'{}' is no whole number from 1 to {}", key,
                              FormatCount(limit)));
  return member->get<uint64_t>();
}

Result<double> ConfigReader::Number(const Json& json, std::string_view key,
                                    double low, double high,
                                    std::optional<double> otherwise) const {
  const Json* member = Member(json, key);
  if (member == nullptr && otherwise) return *otherwise;
  if (member == nullptr) return Refuse(fmt::format("'{}' is missing", key));
  const double value =
      member->is_number() ? member->get<double>() : std::nan("");
  if (!(value >= low && value <= high))
    return Refuse(fmt::format("'{}' is no number from {} to {}", key,
                              FormatNumber(low), FormatNumber(high)));
  return value;
}

Status ConfigReader::OptionalNumber(const Json& json, std::string_view key,
                                    std::optional<double>& out) const {
  if (Member(json, key) == nullptr) return {};
  MODICUM_TRY(out, Number(json, key, 0, 1e6, {}));
  return {};
}

Status ConfigReader::TakeFamily() {
  const Json* classes = Member("architectures");
  if (classes == nullptr || !classes->is_array() || classes->size() != 1 ||
      !(*classes)[0].is_string())
    return Refuse("'architectures' does not name one architecture", kSupported);
  config_.class_name = (*classes)[0].get<std::string>();
  const auto* known =
      std::ranges::find(kClasses, config_.class_name,
                        &std::pair<std::string_view, HfFamily>::first);
  if (known == std::end(kClasses))
    return Refuse(fmt::format("the architecture {} is not supported",
                              Shown(config_.class_name)),
                  kSupported);
  config_.family = known->second;
  return {};
}

// `key`, where it is there, must be one of these.
Status ConfigReader::CheckOnly(
    std::string_view key, std::initializer_list<std::string_view> known) const {
  const Json* member = Member(key);
  if (member == nullptr) return {};
  const std::string value =
      member->is_string() ? member->get<std::string>() : member->dump();
  if (std::ranges::find(known, value) != known.end()) return {};
  return Refuse(fmt::format("'{}' is {}, {} is supported", key, Shown(value),
                            fmt::join(known, " or ")),
                kTakeGguf);
}

// What would change the computation and has no place in the file.
Status ConfigReader::CheckKinds() const {
  if (Member("quantization_config") != nullptr)
    return Refuse("the weights are quantized",
                  "get the model's original weights, in float32, float16 or "
                  "bfloat16");
  if (IsBert(config_.family)) {
    MODICUM_RETURN_IF_ERROR(CheckOnly("hidden_act", {"gelu"}));
    MODICUM_RETURN_IF_ERROR(CheckOnly("is_decoder", {"false"}));
    return CheckOnly("position_embedding_type", {"absolute"});
  }
  if (config_.family == HfFamily::kPhi) {
    MODICUM_RETURN_IF_ERROR(CheckOnly("qk_layernorm", {"false"}));
    return CheckOnly("hidden_act", {"gelu_new", "gelu_pytorch_tanh"});
  }
  return CheckOnly("hidden_act", {"silu"});
}

Status ConfigReader::TakeSizes() {
  MODICUM_TRY(config_.layers, Count("num_hidden_layers", kMaxLayers));
  MODICUM_TRY(config_.width, Count("hidden_size", kMaxSize));
  MODICUM_TRY(config_.inner, Count("intermediate_size", kMaxSize));
  MODICUM_TRY(config_.context, Count("max_position_embeddings", kMaxContext));
  MODICUM_TRY(config_.vocabulary, Count("vocab_size", kMaxSize));
  return {};
}

Status ConfigReader::TakeHeads() {
  MODICUM_TRY(config_.heads, Count("num_attention_heads", kMaxSize));
  MODICUM_TRY(config_.kv_heads,
              Count("num_key_value_heads", kMaxSize, config_.heads));
  if (config_.heads % config_.kv_heads != 0)
    return Refuse(
        fmt::format("'num_attention_heads' is {}, no multiple of "
                    "'num_key_value_heads', {}",
                    config_.heads, config_.kv_heads));
  const bool own = Member("head_dim") != nullptr;
  if (!own && config_.width % config_.heads != 0)
    return Refuse(
        fmt::format("'hidden_size' is {}, no multiple of "
                    "'num_attention_heads', {}",
                    config_.width, config_.heads));
  MODICUM_TRY(config_.head_size,
              Count("head_dim", kMaxSize, config_.width / config_.heads));
  const bool llama = config_.family == HfFamily::kLlama ||
                     config_.family == HfFamily::kMixtral;
  if (!llama && config_.head_size * config_.heads != config_.width)
    return Refuse("'head_dim' is not supported here", kTakeGguf);
  if (!IsBert(config_.family) && config_.head_size % 2 != 0)
    return Refuse(
        fmt::format("a head has {} numbers, an odd number cannot be "
                    "turned by position",
                    config_.head_size));
  return {};
}

Status ConfigReader::TakeExperts() {
  if (config_.family != HfFamily::kMixtral) return {};
  MODICUM_TRY(config_.experts, Count("num_local_experts", 1024));
  MODICUM_TRY(config_.experts_used,
              Count("num_experts_per_tok", config_.experts));
  return {};
}

Status ConfigReader::TakeEpsilon() {
  const bool rms = config_.family == HfFamily::kLlama ||
                   config_.family == HfFamily::kMixtral;
  MODICUM_TRY(
      config_.epsilon,
      Number(json_, rms ? "rms_norm_eps" : "layer_norm_eps", 0, 0.1, {}));
  return {};
}

// Either rope_theta and rope_scaling, or both in rope_parameters.
Status ConfigReader::TakeRope() {
  const Json* parameters = Member("rope_parameters");
  const Json& place =
      parameters != nullptr && parameters->is_object() ? *parameters : json_;
  MODICUM_TRY(config_.rope.base, Number(place, "rope_theta", 1, 1e12, 10000.0));
  MODICUM_TRY(config_.rope.partial,
              Number(place, "partial_rotary_factor", 0, 1,
                     config_.family == HfFamily::kPhi ? 0.5 : 1.0));
  // Where the newer place lacks it.
  if (Member(place, "partial_rotary_factor") == nullptr) {
    MODICUM_TRY(config_.rope.partial, Number(json_, "partial_rotary_factor", 0,
                                             1, config_.rope.partial));
  }
  if (config_.family != HfFamily::kPhi && config_.rope.partial != 1)
    return Refuse("'partial_rotary_factor' is not supported here", kTakeGguf);
  const Json* scaling =
      parameters != nullptr ? parameters : Member("rope_scaling");
  if (scaling == nullptr) return {};
  if (!scaling->is_object()) return Refuse("'rope_scaling' is no object");
  const Json* kind = Member(*scaling, "rope_type");
  if (kind == nullptr) kind = Member(*scaling, "type");
  if (kind == nullptr) return {};
  if (!kind->is_string()) return Refuse("'rope_type' is no text");
  return TakeScaling(*scaling, kind->get_ref<const std::string&>());
}

Status ConfigReader::TakeScaling(const Json& scaling, std::string_view kind) {
  if (kind == "default" || kind == "none") return {};
  HfRope& rope = config_.rope;
  if (kind != "linear" && kind != "yarn" && kind != "llama3")
    return Refuse(fmt::format("'rope_type' is {}; default, linear, yarn and "
                              "llama3 are supported",
                              Shown(kind)),
                  kTakeGguf);
  rope.scaling = kind;
  MODICUM_TRY(rope.factor, Number(scaling, "factor", 1, 1e6, {}));
  if (kind == "linear") return {};
  MODICUM_TRY(const double original,
              Number(scaling, "original_max_position_embeddings", 1,
                     static_cast<double>(kMaxContext), {}));
  rope.original_context = static_cast<uint64_t>(original);
  if (kind == "yarn") {
    MODICUM_RETURN_IF_ERROR(
        OptionalNumber(scaling, "attention_factor", rope.attention));
    MODICUM_RETURN_IF_ERROR(
        OptionalNumber(scaling, "beta_fast", rope.beta_fast));
    return OptionalNumber(scaling, "beta_slow", rope.beta_slow);
  }
  MODICUM_TRY(rope.low_factor,
              Number(scaling, "low_freq_factor", 0.01, 1e6, {}));
  MODICUM_TRY(rope.high_factor,
              Number(scaling, "high_freq_factor", 0.01, 1e6, {}));
  if (rope.low_factor >= rope.high_factor)
    return Refuse("'low_freq_factor' is not below 'high_freq_factor'");
  return {};
}

Status ConfigReader::TakeBert() {
  MODICUM_TRY(config_.token_types, Count("type_vocab_size", 1024, 1));
  if (config_.kv_heads != config_.heads)
    return Refuse("'num_key_value_heads' is not supported here", kTakeGguf);
  const bool classifies = config_.family == HfFamily::kBertClassifier ||
                          config_.family == HfFamily::kBertTagger;
  return classifies ? TakeLabels() : Status();
}

// id2label, or LABEL_0 to LABEL_n as transformers has it.
Status ConfigReader::TakeLabels() {
  const Json* names = Member("id2label");
  if (names == nullptr) {
    MODICUM_TRY(const uint64_t labels, Count("num_labels", 100000, 2));
    for (uint64_t i = 0; i < labels; ++i)
      config_.labels.push_back(fmt::format("LABEL_{}", i));
    return {};
  }
  if (!names->is_object() || names->empty())
    return Refuse("'id2label' is no object of labels");
  for (size_t i = 0; i < names->size(); ++i) {
    const Json* label = Member(*names, std::to_string(i));
    if (label == nullptr || !label->is_string())
      return Refuse(fmt::format("'id2label' has no text for label {}", i));
    config_.labels.push_back(label->get<std::string>());
  }
  return {};
}

void ConfigReader::TakeSpecial() {
  for (const char* kind : {"bos", "eos", "unk", "sep", "pad", "cls", "mask"}) {
    const Json* id = Member(fmt::format("{}_token_id", kind));
    if (id != nullptr && id->is_number_unsigned())
      config_.special[kind] = id->get<uint64_t>();
  }
}

}  // namespace

bool IsBert(HfFamily family) {
  return family == HfFamily::kBert || family == HfFamily::kBertClassifier ||
         HeadOf(family).has_value();
}

std::optional<HeadKind> HeadOf(HfFamily family) {
  switch (family) {
    case HfFamily::kBertMaskedLm:
      return HeadKind::kFillMask;
    case HfFamily::kBertTagger:
      return HeadKind::kTokenClassification;
    case HfFamily::kBertReader:
      return HeadKind::kQuestionAnswering;
    default:
      return std::nullopt;
  }
}

Result<HfConfig> ParseHfConfig(const Json& json, const std::string& name) {
  return ConfigReader(json, name).Read();
}

Result<HfConfig> ParseHfConfigText(std::string_view text,
                                   const std::string& name) {
  MODICUM_TRY(const Json json, ParseStrictJson(text, name));
  return ParseHfConfig(json, name);
}

}  // namespace modicum
