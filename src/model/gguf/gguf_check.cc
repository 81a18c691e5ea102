// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

// llama-hparams.h of llama.cpp v0.5.0: arrays of these sizes, checked by
// assertions that end the process.
constexpr uint64_t kMaxLayers = 512;
constexpr uint64_t kMaxExperts = 1024;
// Sizes that no model has.
constexpr uint64_t kMaxContext = uint64_t{1} << 30;
constexpr uint64_t kMaxWidth = uint64_t{1} << 22;
constexpr uint64_t kMaxHeads = 65536;

constexpr char kConvertAgain[] =
    "the file was converted wrongly or altered: get it from another source, or "
    "convert it again";

// Architectures of which is known here that they cannot do without heads and
// which epsilon they read.
struct Needs {
  std::string_view architecture;
  std::string_view epsilon;
};
constexpr std::string_view kRms = "attention.layer_norm_rms_epsilon";
constexpr std::string_view kNorm = "attention.layer_norm_epsilon";
constexpr Needs kNeeds[] = {
    {"bert", kNorm}, {"gemma", kRms},       {"gemma2", kRms}, {"gemma3", kRms},
    {"llama", kRms}, {"nomic-bert", kNorm}, {"phi2", kNorm},  {"phi3", kRms},
    {"qwen2", kRms}, {"qwen3", kRms},
};

class ModelCheck {
 public:
  explicit ModelCheck(const GgufFile& file) : file_(file) {}
  Status Run();

 private:
  tl::unexpected<Error> Refuse(std::string_view what,
                               std::string_view hint = kConvertAgain) const {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {}", file_.name, what), std::string(hint));
  }
  Status CheckKind() const;
  Status CheckArchitecture() const;
  Result<uint64_t> Size(std::string_view key, uint64_t limit) const;
  Status CheckOptional(std::string_view key, uint64_t limit) const;
  Result<std::vector<uint64_t>> PerLayer(std::string_view key, uint64_t limit,
                                         uint64_t otherwise) const;
  Status CheckHeads() const;
  Status CheckHeadSizes(uint64_t layer, uint64_t heads, uint64_t kv) const;
  Status CheckNextTokens() const;
  Status CheckExperts() const;
  Status CheckEpsilon(std::string_view key) const;
  Status CheckRope() const;
  Status CheckTurned() const;
  Status CheckPooling() const;
  bool IsKnown() const;
  Status CheckOutput() const;
  Status CheckTensors() const;

  const GgufFile& file_;
  uint64_t layers_ = 0;
  uint64_t width_ = 0;
};

Status ModelCheck::Run() {
  MODICUM_RETURN_IF_ERROR(CheckKind());
  MODICUM_RETURN_IF_ERROR(CheckArchitecture());
  MODICUM_TRY(const uint64_t context, Size("context_length", kMaxContext));
  static_cast<void>(context);
  MODICUM_TRY(width_, Size("embedding_length", kMaxWidth));
  MODICUM_TRY(layers_, Size("block_count", kMaxLayers));
  MODICUM_RETURN_IF_ERROR(CheckHeads());
  MODICUM_RETURN_IF_ERROR(CheckNextTokens());
  MODICUM_RETURN_IF_ERROR(CheckExperts());
  for (const Needs& needs : kNeeds)
    if (needs.architecture == file_.architecture())
      MODICUM_RETURN_IF_ERROR(CheckEpsilon(needs.epsilon));
  MODICUM_RETURN_IF_ERROR(CheckRope());
  MODICUM_RETURN_IF_ERROR(CheckTurned());
  MODICUM_RETURN_IF_ERROR(CheckPooling());
  MODICUM_RETURN_IF_ERROR(CheckOutput());
  MODICUM_RETURN_IF_ERROR(CheckGgufTokenizer(file_));
  return CheckTensors();
}

// A whole model, not a part of one and nothing else in the same format.
Status ModelCheck::CheckKind() const {
  const uint64_t parts = file_.Unsigned("split.count").value_or(1);
  if (parts > 1)
    return Refuse(
        fmt::format("part {} of {} of a split model",
                    FormatCount(file_.Unsigned("split.no").value_or(0) + 1),
                    FormatCount(parts)),
        "join the parts into one file first: llama-gguf-split --merge");
  const std::string_view type = file_.Text("general.type").value_or("model");
  if (type != "model")
    return Refuse(fmt::format("it holds {}, not a model", Shown(type)),
                  "name the model's own file");
  return {};
}

Status ModelCheck::CheckArchitecture() const {
  const auto architecture = file_.Text("general.architecture");
  if (!architecture || architecture->empty())
    return Refuse("'general.architecture' is missing: which model it is");
  const bool sound = std::ranges::all_of(*architecture, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (!sound || architecture->size() > 64)
    return Refuse(fmt::format("'general.architecture' is {}, no name of one",
                              Shown(*architecture)));
  return {};
}

// A u32 from 1 to `limit` that must be there.
Result<uint64_t> ModelCheck::Size(std::string_view key, uint64_t limit) const {
  const std::string full = file_.ArchitectureKey(key);
  const GgufValue* value = file_.Find(full);
  if (value == nullptr)
    return Refuse(fmt::format("'{}' is missing; 'general.architecture' is '{}'",
                              full, file_.architecture()));
  const auto* size = std::get_if<uint32_t>(value);
  if (size == nullptr)
    return Refuse(
        fmt::format("'{}' is of type {}, not u32", full,
                    GgufTypeName(static_cast<GgufType>(value->index()))));
  if (*size == 0 || *size > limit)
    return Refuse(fmt::format("'{}' is {}, not 1 to {}", full,
                              FormatCount(*size), FormatCount(limit)));
  return *size;
}

Status ModelCheck::CheckOptional(std::string_view key, uint64_t limit) const {
  if (file_.Find(file_.ArchitectureKey(key)) == nullptr) return {};
  return Size(key, limit).map([](uint64_t) {});
}

// One number for all layers or one for each; `otherwise` when absent.
Result<std::vector<uint64_t>> ModelCheck::PerLayer(std::string_view key,
                                                   uint64_t limit,
                                                   uint64_t otherwise) const {
  const std::string full = file_.ArchitectureKey(key);
  std::vector<uint64_t> numbers(layers_, otherwise);
  const GgufValue* value = file_.Find(full);
  if (value == nullptr) return numbers;
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr) {
    const auto number = file_.Unsigned(full);
    if (!number || *number > limit)
      return Refuse(fmt::format("'{}' is no number from 0 to {}", full,
                                FormatCount(limit)));
    std::ranges::fill(numbers, *number);
    return numbers;
  }
  if (array->type == GgufType::kString || array->size != layers_)
    return Refuse(fmt::format(
        "'{}' has {} elements of type {}, not a number "
        "for each of {} layers",
        full, FormatCount(array->size), GgufTypeName(array->type), layers_));
  for (uint64_t i = 0; i < layers_; ++i) {
    const double number = array->Number(i);
    if (!(number >= 0 && number <= static_cast<double>(limit)))
      return Refuse(fmt::format("'{}' of layer {} is no number from 0 to {}",
                                full, i, FormatCount(limit)));
    numbers[i] = static_cast<uint64_t>(number);
  }
  return numbers;
}

Status ModelCheck::CheckHeads() const {
  const std::string key = file_.ArchitectureKey("attention.head_count");
  const bool needed = IsKnown();
  MODICUM_TRY(const auto heads, PerLayer("attention.head_count", kMaxHeads, 0));
  if (needed && std::ranges::find(heads, 0U) != heads.end())
    return Refuse(fmt::format("'{}' is missing or 0", key));
  MODICUM_TRY(const auto kv,
              PerLayer("attention.head_count_kv", kMaxHeads, heads[0]));
  const bool own_length =
      file_.Find(file_.ArchitectureKey("attention.key_length")) != nullptr;
  for (uint64_t i = 0; i < layers_; ++i) {
    if (heads[i] == 0) continue;
    if (kv[i] > 0 && heads[i] % kv[i] != 0)
      return Refuse(fmt::format("'{}' is {}, no multiple of '{}_kv', {}", key,
                                heads[i], key, kv[i]));
    if (!own_length && width_ % heads[i] != 0)
      return Refuse(fmt::format(
          "'{}' is {}, which does not divide the embedding length {}", key,
          heads[i], FormatCount(width_)));
  }
  for (uint64_t i = 0; needed && i < layers_; ++i)
    MODICUM_RETURN_IF_ERROR(CheckHeadSizes(i, heads[i], kv[i]));
  MODICUM_TRY(const auto inner, PerLayer("feed_forward_length", kMaxWidth, 0));
  if (needed && std::ranges::find(inner, 0U) != inner.end())
    return Refuse(fmt::format("'{}' is missing or 0",
                              file_.ArchitectureKey("feed_forward_length")));
  MODICUM_RETURN_IF_ERROR(CheckOptional("attention.key_length", kMaxWidth));
  return CheckOptional("attention.value_length", kMaxWidth);
}

// What the metadata says of heads is what the matrices have: some
// architectures take one for granted and some the other.
Status ModelCheck::CheckHeadSizes(uint64_t layer, uint64_t heads,
                                  uint64_t kv) const {
  const auto length = [&](std::string_view key) {
    return file_.Unsigned(file_.ArchitectureKey(key)).value_or(width_ / heads);
  };
  const uint64_t keys = length("attention.key_length");
  const uint64_t values = length("attention.value_length");
  const std::pair<const char*, uint64_t> rows[] = {
      {"attn_q", heads * keys},
      {"attn_k", kv * keys},
      {"attn_v", kv * values},
      {"attn_qkv", heads * keys + kv * (keys + values)}};
  for (const auto& [name, expected] : rows) {
    const std::string full = fmt::format("blk.{}.{}.weight", layer, name);
    const GgufTensor* tensor = file_.FindTensor(full);
    if (tensor != nullptr && tensor->shape[1] != expected)
      return Refuse(fmt::format(
          "tensor '{}' has {} rows, by the metadata its "
          "heads have {}",
          full, FormatCount(tensor->shape[1]), FormatCount(expected)));
  }
  return {};
}

// Layers at the end that predict further tokens: not all of them.
Status ModelCheck::CheckNextTokens() const {
  const std::string key = file_.ArchitectureKey("nextn_predict_layers");
  if (file_.Find(key) == nullptr) return {};
  const auto ahead = file_.Unsigned(key);
  if (!ahead || *ahead >= layers_)
    return Refuse(
        fmt::format("'{}' is no number below the {} layers", key, layers_));
  return {};
}

Status ModelCheck::CheckExperts() const {
  const std::string key = file_.ArchitectureKey("expert_count");
  const uint64_t experts = file_.Unsigned(key).value_or(0);
  if (experts > kMaxExperts)
    return Refuse(fmt::format("'{}' is {}, at most {} are taken", key,
                              FormatCount(experts), FormatCount(kMaxExperts)));
  MODICUM_TRY(const auto used, PerLayer("expert_used_count", kMaxExperts, 0));
  const uint64_t most = std::ranges::max(used);
  if (most > experts || (experts > 0 && most == 0))
    return Refuse(fmt::format("'{}' is {} of {} experts",
                              file_.ArchitectureKey("expert_used_count"), most,
                              experts));
  const uint64_t groups =
      file_.Unsigned(file_.ArchitectureKey("expert_group_count")).value_or(0);
  const uint64_t chosen =
      file_.Unsigned(file_.ArchitectureKey("expert_group_used_count"))
          .value_or(0);
  const bool sound = experts == 0
                         ? groups == 0
                         : groups < experts &&
                               (groups <= 1 || (experts % groups == 0 &&
                                                chosen > 0 && chosen < groups));
  if (!sound)
    return Refuse(
        fmt::format("{} experts in {} groups, of which {} are used, "
                    "cannot be",
                    experts, FormatCount(groups), FormatCount(chosen)));
  return {};
}

Status ModelCheck::CheckEpsilon(std::string_view key) const {
  const std::string full = file_.ArchitectureKey(key);
  const auto epsilon = file_.Number(full);
  if (!epsilon) return Refuse(fmt::format("'{}' is missing", full));
  if (!(*epsilon >= 0 && *epsilon < 1))
    return Refuse(
        fmt::format("'{}' is {}, not 0 to 1", full, FormatNumber(*epsilon)));
  return {};
}

Status ModelCheck::CheckRope() const {
  const std::string scaling = file_.ArchitectureKey("rope.scaling.type");
  constexpr std::string_view kKinds[] = {"none", "linear", "yarn", "longrope"};
  const std::string_view kind = file_.Text(scaling).value_or("none");
  if (std::ranges::find(kKinds, kind) == std::end(kKinds))
    return Refuse(
        fmt::format("'{}' is {}; there are none, linear, yarn and "
                    "longrope",
                    scaling, Shown(kind)));
  for (const std::string_view key :
       {"rope.freq_base", "rope.scaling.factor", "rope.scaling.attn_factor"}) {
    const std::string full = file_.ArchitectureKey(key);
    const auto number = file_.Number(full);
    if (number && !(std::isfinite(*number) && *number >= 0))
      return Refuse(fmt::format("'{}' is {}, no positive number", full,
                                FormatNumber(*number)));
  }
  return {};
}

// How many of a head's numbers turn with the position: pairs, within the head.
Status ModelCheck::CheckTurned() const {
  const std::string key = file_.ArchitectureKey("rope.dimension_count");
  const auto turned = file_.Unsigned(key);
  if (!turned) return {};
  MODICUM_TRY(const auto heads, PerLayer("attention.head_count", kMaxHeads, 0));
  const uint64_t most = std::ranges::max(heads);
  const uint64_t size =
      file_.Unsigned(file_.ArchitectureKey("attention.key_length"))
          .value_or(most == 0 ? width_ : width_ / most);
  if (*turned % 2 != 0 || *turned > size || (*turned == 0 && IsKnown()))
    return Refuse(
        fmt::format("'{}' is {}, no even number up to the {} of a "
                    "head",
                    key, FormatCount(*turned), FormatCount(size)));
  return {};
}

// llama_pooling_type of llama.h: 0 to 4.
Status ModelCheck::CheckPooling() const {
  const std::string key = file_.ArchitectureKey("pooling_type");
  if (file_.Find(key) == nullptr) return {};
  const auto pooling = file_.Unsigned(key);
  if (!pooling || *pooling > 4)
    return Refuse(fmt::format("'{}' is no number from 0 to 4", key));
  return {};
}

// What comes out: numbers of a vector that these architectures do not change,
// and tokens for which memory is taken where there is no vocabulary.
Status ModelCheck::CheckOutput() const {
  MODICUM_RETURN_IF_ERROR(CheckOptional("vocab_size", kMaxWidth));
  const std::string key = file_.ArchitectureKey("embedding_length_out");
  if (!IsKnown() || file_.Find(key) == nullptr) return {};
  if (file_.Unsigned(key) != width_)
    return Refuse(fmt::format("'{}' is not the embedding length {}", key,
                              FormatCount(width_)));
  return {};
}

bool ModelCheck::IsKnown() const {
  return std::ranges::any_of(kNeeds, [&](const Needs& needs) {
    return needs.architecture == file_.architecture();
  });
}

Status ModelCheck::CheckTensors() const {
  if (file_.tensors.empty())
    return Refuse("it has no tensors: a vocabulary alone",
                  "name the model's own file");
  const GgufTensor* embedding = file_.FindTensor("token_embd.weight");
  if (embedding == nullptr) return {};
  if (embedding->shape[0] != width_)
    return Refuse(fmt::format(
        "tensor 'token_embd.weight' has {} columns, "
        "'{}' says {}",
        FormatCount(embedding->shape[0]),
        file_.ArchitectureKey("embedding_length"), FormatCount(width_)));
  const GgufArray* tokens = file_.Array("tokenizer.ggml.tokens");
  if (tokens != nullptr && tokens->size != embedding->shape[1])
    return Refuse(fmt::format(
        "tensor 'token_embd.weight' has {} rows, the "
        "vocabulary {} tokens",
        FormatCount(embedding->shape[1]), FormatCount(tokens->size)));
  return {};
}

}  // namespace

Status CheckGgufModel(const GgufFile& file) { return ModelCheck(file).Run(); }

}  // namespace modicum
