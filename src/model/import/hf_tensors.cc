// SPDX-License-Identifier: Apache-2.0
#include "model/import/hf_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <utility>

#include "base/format.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

using Shape = std::vector<uint64_t>;  // rows first, as in Python

class Planner {
 public:
  Planner(const HfConfig& config, const SafetensorsSet& weights, GgmlType type)
      : c_(config), weights_(weights), type_(type) {
    for (const SafeTensor& tensor : weights.tensors())
      named_.emplace(Normalised(tensor.name), &tensor);
  }
  Result<TensorPlan> Plan();

 private:
  enum class Need { kRequired, kOptional };
  struct Options {
    Need need = Need::kRequired;
    bool exact = false;  // in F32 although a matrix
    uint64_t turned_heads = 0;
  };
  std::string Normalised(std::string name) const;
  void Add(std::string gguf, const std::string& source, const Shape& shape,
           Options options);
  void Add(std::string gguf, const std::string& source, const Shape& shape) {
    Add(std::move(gguf), source, std::move(shape), Options());
  }
  // NAME.weight and NAME.bias.
  void AddLinear(const std::string& gguf, const std::string& source,
                 uint64_t out, uint64_t in, Need bias,
                 uint64_t turned_heads = 0);
  void AddNorm(const std::string& gguf, const std::string& source);
  const SafeTensor* Take(const std::string& source, const Shape& shape,
                         Need need);
  void Push(std::string gguf, const Shape& shape, bool exact,
            std::vector<const SafeTensor*> sources, uint64_t turned_heads);
  void PlanLlama();
  void PlanLlamaLayer(uint64_t layer);
  void PlanExperts(const std::string& block, const std::string& source);
  void PlanPhi();
  void PlanBert();
  void PlanHead(HeadKind kind);
  void PlanMaskedLm();
  void AddRopeFactors();
  bool MayBeIgnored(std::string_view name) const;
  void CheckUnknown();
  void SetFault(std::string fault, std::string hint = "") {
    if (fault_) return;
    fault_ = Error{ErrorCode::kInvalidInput, std::move(fault), std::move(hint)};
  }

  const HfConfig& c_;
  const SafetensorsSet& weights_;
  GgmlType type_;
  std::map<std::string, const SafeTensor*> named_;
  std::set<std::string> taken_;
  std::vector<std::string> missing_;
  std::optional<Error> fault_;  // the first
  std::vector<PlannedTensor> plan_;
};

// BERT's tensors have an optional prefix and, in old files, TensorFlow's names.
std::string Planner::Normalised(std::string name) const {
  if (!IsBert(c_.family)) return name;
  if (name.starts_with("bert.")) name.erase(0, 5);
  if (name.ends_with(".gamma")) name.replace(name.size() - 5, 5, "weight");
  if (name.ends_with(".beta")) name.replace(name.size() - 4, 4, "bias");
  return name;
}

// Null, and a fault where it is needed, when it is not there as it should be.
const SafeTensor* Planner::Take(const std::string& source, const Shape& shape,
                                Need need) {
  const auto found = named_.find(source);
  if (found == named_.end()) {
    if (need == Need::kRequired) missing_.push_back(source);
    return nullptr;
  }
  taken_.insert(source);
  const SafeTensor& tensor = *found->second;
  if (tensor.shape != shape)
    SetFault(fmt::format("{}: tensor {} has the shape {}, by config.json it is "
                         "{}",
                         weights_.PathOf(tensor), Shown(tensor.name),
                         ShapeText(tensor.shape), ShapeText(shape)),
             "config.json and the weights are not of the same model: get both "
             "from one folder");
  if (tensor.type == SafeType::kOther)
    SetFault(
        fmt::format("{}: tensor {} is of type {}; F32, F16 and BF16 are "
                    "supported",
                    weights_.PathOf(tensor), Shown(tensor.name),
                    tensor.type_name),
        "get the model's original weights, in float32, float16 or bfloat16");
  return &tensor;
}

void Planner::Push(std::string gguf, const Shape& shape, bool exact,
                   std::vector<const SafeTensor*> sources,
                   uint64_t turned_heads) {
  PlannedTensor planned;
  planned.gguf.name = std::move(gguf);
  planned.gguf.type = exact ? GgmlType::kF32 : type_;
  planned.gguf.dimensions = static_cast<uint32_t>(shape.size());
  std::reverse_copy(shape.begin(), shape.end(), planned.gguf.shape.begin());
  planned.sources = std::move(sources);
  planned.turned_heads = turned_heads;
  plan_.push_back(std::move(planned));
}

void Planner::Add(std::string gguf, const std::string& source,
                  const Shape& shape, Options options) {
  const SafeTensor* tensor = Take(source, shape, options.need);
  if (tensor == nullptr) return;
  Push(std::move(gguf), shape, options.exact || shape.size() == 1, {tensor},
       options.turned_heads);
}

void Planner::AddLinear(const std::string& gguf, const std::string& source,
                        uint64_t out, uint64_t in, Need bias,
                        uint64_t turned_heads) {
  Options options;
  options.turned_heads = turned_heads;
  Add(gguf + ".weight", source + ".weight", {out, in}, options);
  options.need = bias;
  Add(gguf + ".bias", source + ".bias", {out}, options);
}

void Planner::AddNorm(const std::string& gguf, const std::string& source) {
  Add(gguf + ".weight", source + ".weight", {c_.width});
  Add(gguf + ".bias", source + ".bias", {c_.width});
}

void Planner::PlanLlama() {
  Add("token_embd.weight", "model.embed_tokens.weight",
      {c_.vocabulary, c_.width});
  Add("output_norm.weight", "model.norm.weight", {c_.width});
  if (!c_.tied)
    Add("output.weight", "lm_head.weight", {c_.vocabulary, c_.width});
  AddRopeFactors();
  for (uint64_t layer = 0; layer < c_.layers; ++layer) PlanLlamaLayer(layer);
}

void Planner::PlanLlamaLayer(uint64_t layer) {
  const std::string block = fmt::format("blk.{}.", layer);
  const std::string source = fmt::format("model.layers.{}.", layer);
  const std::string attention = source + "self_attn.";
  const uint64_t queries = c_.heads * c_.head_size;
  const uint64_t keys = c_.kv_heads * c_.head_size;
  using enum Need;
  Add(block + "attn_norm.weight", source + "input_layernorm.weight",
      {c_.width});
  AddLinear(block + "attn_q", attention + "q_proj", queries, c_.width,
            kOptional, c_.heads);
  AddLinear(block + "attn_k", attention + "k_proj", keys, c_.width, kOptional,
            c_.kv_heads);
  AddLinear(block + "attn_v", attention + "v_proj", keys, c_.width, kOptional);
  AddLinear(block + "attn_output", attention + "o_proj", c_.width, queries,
            kOptional);
  Add(block + "ffn_norm.weight", source + "post_attention_layernorm.weight",
      {c_.width});
  if (c_.experts > 0) return PlanExperts(block, source + "block_sparse_moe.");
  AddLinear(block + "ffn_gate", source + "mlp.gate_proj", c_.inner, c_.width,
            kOptional);
  AddLinear(block + "ffn_up", source + "mlp.up_proj", c_.inner, c_.width,
            kOptional);
  AddLinear(block + "ffn_down", source + "mlp.down_proj", c_.width, c_.inner,
            kOptional);
}

// One three-dimensional tensor for all experts' matrices of a kind.
void Planner::PlanExperts(const std::string& block, const std::string& source) {
  Options router;
  router.exact = true;
  Add(block + "ffn_gate_inp.weight", source + "gate.weight",
      {c_.experts, c_.width}, router);
  const struct {
    const char* gguf;
    const char* source;
    Shape shape;
  } kinds[] = {{"ffn_gate_exps.weight", "w1", {c_.inner, c_.width}},
               {"ffn_down_exps.weight", "w2", {c_.width, c_.inner}},
               {"ffn_up_exps.weight", "w3", {c_.inner, c_.width}}};
  for (const auto& kind : kinds) {
    std::vector<const SafeTensor*> experts;
    for (uint64_t i = 0; i < c_.experts; ++i)
      experts.push_back(
          Take(fmt::format("{}experts.{}.{}.weight", source, i, kind.source),
               kind.shape, Need::kRequired));
    Push(block + kind.gguf, {c_.experts, kind.shape[0], kind.shape[1]}, false,
         std::move(experts), 0);
  }
}

void Planner::PlanPhi() {
  using enum Need;
  Add("token_embd.weight", "model.embed_tokens.weight",
      {c_.vocabulary, c_.width});
  AddNorm("output_norm", "model.final_layernorm");
  AddLinear("output", "lm_head", c_.vocabulary, c_.width, kRequired);
  for (uint64_t layer = 0; layer < c_.layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    const std::string source = fmt::format("model.layers.{}.", layer);
    const std::string attention = source + "self_attn.";
    const uint64_t keys = c_.kv_heads * c_.head_size;
    AddNorm(block + "attn_norm", source + "input_layernorm");
    AddLinear(block + "attn_q", attention + "q_proj", c_.width, c_.width,
              kRequired);
    AddLinear(block + "attn_k", attention + "k_proj", keys, c_.width,
              kRequired);
    AddLinear(block + "attn_v", attention + "v_proj", keys, c_.width,
              kRequired);
    AddLinear(block + "attn_output", attention + "dense", c_.width, c_.width,
              kRequired);
    AddLinear(block + "ffn_up", source + "mlp.fc1", c_.inner, c_.width,
              kRequired);
    AddLinear(block + "ffn_down", source + "mlp.fc2", c_.width, c_.inner,
              kRequired);
  }
}

void Planner::PlanBert() {
  using enum Need;
  Options exact;
  exact.exact = true;
  Add("token_embd.weight", "embeddings.word_embeddings.weight",
      {c_.vocabulary, c_.width});
  Add("position_embd.weight", "embeddings.position_embeddings.weight",
      {c_.context, c_.width}, exact);
  Add("token_types.weight", "embeddings.token_type_embeddings.weight",
      {c_.token_types, c_.width}, exact);
  AddNorm("token_embd_norm", "embeddings.LayerNorm");
  for (uint64_t layer = 0; layer < c_.layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    const std::string source = fmt::format("encoder.layer.{}.", layer);
    const std::string attention = source + "attention.";
    for (const auto& [gguf, name] :
         {std::pair("attn_q", "query"), {"attn_k", "key"}, {"attn_v", "value"}})
      AddLinear(block + gguf, attention + "self." + name, c_.width, c_.width,
                kRequired);
    AddLinear(block + "attn_output", attention + "output.dense", c_.width,
              c_.width, kRequired);
    AddNorm(block + "attn_output_norm", attention + "output.LayerNorm");
    AddLinear(block + "ffn_up", source + "intermediate.dense", c_.inner,
              c_.width, kRequired);
    AddLinear(block + "ffn_down", source + "output.dense", c_.width, c_.inner,
              kRequired);
    AddNorm(block + "layer_output_norm", source + "output.LayerNorm");
  }
  if (c_.family != HfFamily::kBertClassifier) return;
  // llama.cpp's pooling for ranks does as BERT's head: the first token through
  // `cls`, tanh and `cls.output`.
  AddLinear("cls", "pooler.dense", c_.width, c_.width, kRequired);
  AddLinear("cls.output", "classifier", c_.labels.size(), c_.width, kRequired);
}

void Planner::PlanHead(HeadKind kind) {
  if (kind == HeadKind::kFillMask) return PlanMaskedLm();
  const bool tags = kind == HeadKind::kTokenClassification;
  AddLinear("head.output", tags ? "classifier" : "qa_outputs",
            tags ? c_.labels.size() : 2, c_.width, Need::kRequired);
}

// The decoder's matrix is the embedding, unless they are not tied; its bias
// goes by two names.
void Planner::PlanMaskedLm() {
  const std::string source = "cls.predictions.";
  const bool twice = !named_.contains(source + "bias") &&
                     named_.contains(source + "decoder.bias");
  AddLinear("head.transform", source + "transform.dense", c_.width, c_.width,
            Need::kRequired);
  AddNorm("head.transform_norm", source + "transform.LayerNorm");
  if (!c_.tied)
    Add("head.decoder.weight", source + "decoder.weight",
        {c_.vocabulary, c_.width});
  Add("head.decoder.bias", source + (twice ? "decoder.bias" : "bias"),
      {c_.vocabulary});
}

void Planner::AddRopeFactors() {
  if (c_.rope.scaling != "llama3") return;
  PlannedTensor planned;
  planned.gguf.name = "rope_freqs.weight";
  planned.gguf.shape[0] = c_.head_size / 2;
  planned.made = Llama3Factors(c_.rope, c_.head_size);
  plan_.push_back(std::move(planned));
}

// Buffers that are computed anew, and heads that the file has no use for.
bool Planner::MayBeIgnored(std::string_view name) const {
  if (name.ends_with("rotary_emb.inv_freq")) return true;
  if (c_.tied && name == "lm_head.weight") return true;
  if (!IsBert(c_.family)) return false;
  return name == "embeddings.position_ids" || name.starts_with("pooler.") ||
         name.starts_with("cls.predictions.") ||
         name.starts_with("cls.seq_relationship.");
}

void Planner::CheckUnknown() {
  std::vector<const SafeTensor*> unknown;
  for (const auto& [name, tensor] : named_)
    if (!taken_.contains(name) && !MayBeIgnored(name))
      unknown.push_back(tensor);
  if (unknown.empty()) return;
  SetFault(
      fmt::format("{}: {} has no tensor {}{}", weights_.PathOf(*unknown[0]),
                  c_.class_name, Shown(unknown[0]->name),
                  unknown.size() == 1
                      ? ""
                      : fmt::format(", nor {} others that are there",
                                    FormatCount(unknown.size() - 1))),
      "config.json and the weights are not of the same model (get both from "
      "one folder), or it is a variant that is not supported (take a GGUF file "
      "of it that llama.cpp's converter made)");
}

Result<TensorPlan> Planner::Plan() {
  switch (c_.family) {
    case HfFamily::kLlama:
    case HfFamily::kMixtral:
      PlanLlama();
      break;
    case HfFamily::kPhi:
      PlanPhi();
      break;
    case HfFamily::kBert:
    case HfFamily::kBertClassifier:
    case HfFamily::kBertMaskedLm:
    case HfFamily::kBertTagger:
    case HfFamily::kBertReader:
      PlanBert();
      break;
  }
  TensorPlan plan;
  plan.model = std::exchange(plan_, {});
  if (const auto head = HeadOf(c_.family)) PlanHead(*head);
  plan.head = std::move(plan_);
  if (!missing_.empty())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format(
            "the weights have no tensor {}{}", Shown(missing_[0]),
            missing_.size() == 1
                ? ""
                : fmt::format(" and {} more that {} needs",
                              FormatCount(missing_.size() - 1), c_.class_name)),
        "a shard is missing, or config.json is of another model: get the "
        "folder again");
  CheckUnknown();
  if (fault_) return Fail(*fault_);
  return plan;
}

}  // namespace

GgmlType StoredType(const SafetensorsSet& weights) {
  for (const SafeTensor& tensor : weights.tensors()) {
    if (tensor.shape.size() < 2) continue;
    if (tensor.type == SafeType::kF16) return GgmlType::kF16;
    if (tensor.type == SafeType::kBf16) return GgmlType::kBf16;
    if (tensor.type == SafeType::kF32) return GgmlType::kF32;
  }
  return GgmlType::kF32;
}

std::vector<float> Llama3Factors(const HfRope& rope, uint64_t head_size) {
  const auto original = static_cast<double>(rope.original_context);
  const double low = original / rope.low_factor;  // wavelengths, in tokens
  const double high = original / rope.high_factor;
  std::vector<float> factors;
  for (uint64_t i = 0; i < head_size; i += 2) {
    const double exponent =
        static_cast<double>(i) / static_cast<double>(head_size);
    const double wave = 2 * std::numbers::pi * std::pow(rope.base, exponent);
    double factor = 1;
    if (wave > low) {
      factor = rope.factor;
    } else if (wave >= high) {
      const double smooth = (original / wave - rope.low_factor) /
                            (rope.high_factor - rope.low_factor);
      factor = 1 / ((1 - smooth) / rope.factor + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

Result<TensorPlan> PlanTensors(const HfConfig& config,
                               const SafetensorsSet& weights,
                               std::optional<GgmlType> type) {
  return Planner(config, weights, type.value_or(StoredType(weights))).Plan();
}

}  // namespace modicum
