// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a GGUF model: complete, consistent, and of a kind whose
// tokenizer will not end the process on some text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/format.h"
#include "model/gguf/gguf_check.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

constexpr char kConvertVocabularyAgain[] =
    "the vocabulary was converted wrongly or altered: get the file from "
    "another source, or convert it again";

constexpr uint32_t kNone = 0xFFFFFFFF;  // "there is no such token"
constexpr int kByteToken = 6;           // LLAMA_TOKEN_TYPE_BYTE

// What llama.cpp v0.5.0 takes where the file has no id of its own.
struct Kind {
  std::string_view name;  // tokenizer.ggml.model
  uint32_t begin, unknown, separator;
  bool adds_begin;
};
constexpr Kind kKinds[] = {
    {"llama", 1, 0, kNone, true},
    {"bert", 101, 100, 102, true},
    {"gpt2", 11, kNone, kNone, false},
    {"t5", kNone, 2, kNone, false},
    {"rwkv", kNone, kNone, kNone, false},
    {"plamo2", 1, 0, kNone, false},
    {"gemma4", kNone, kNone, kNone, true},
    {"hybriddna", 11, kNone, kNone, false},
    {"whitespace", 11, kNone, kNone, false},
};

constexpr std::string_view kSpecial[] = {
    "bos",     "eos",     "eot",     "eom",     "unknown", "seperator",
    "padding", "cls",     "mask",    "fim_pre", "fim_suf", "fim_mid",
    "fim_pad", "fim_rep", "fim_sep", "prefix",  "suffix",  "middle"};

std::string Key(std::string_view key) {
  return fmt::format("tokenizer.ggml.{}", key);
}

class TokenizerCheck {
 public:
  explicit TokenizerCheck(const GgufFile& file) : file_(file) {}
  Status Run();

 private:
  tl::unexpected<Error> Refuse(
      std::string_view what,
      std::string_view hint = kConvertVocabularyAgain) const {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {}", file_.name, what), std::string(hint));
  }
  Status TakeTokens();
  Status CheckNumbers(std::string_view key, bool floats) const;
  Status CheckMerges() const;
  Status CheckBytes() const;
  Status CheckSpecial() const;
  Status CheckDefaults(const Kind& kind) const;

  const GgufFile& file_;
  const GgufArray* tokens_ = nullptr;
  std::unordered_set<std::string_view> known_;
};

Status TokenizerCheck::Run() {
  const auto model = file_.Text(Key("model"));
  if (!model)
    return Refuse("'tokenizer.ggml.model' is missing: it has no vocabulary");
  if (*model == "none" || *model == "no_vocab") return {};
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds),
                   [&](const Kind& k) { return k.name == *model; });
  if (kind == std::end(kKinds))
    return Refuse(fmt::format("'tokenizer.ggml.model' is {}, which is unknown",
                              Shown(*model)),
                  "there are llama, bert, gpt2, t5, rwkv, plamo2, gemma4, "
                  "hybriddna, whitespace and none");
  MODICUM_RETURN_IF_ERROR(TakeTokens());
  MODICUM_RETURN_IF_ERROR(CheckNumbers("scores", true));
  MODICUM_RETURN_IF_ERROR(CheckNumbers("token_type", false));
  if (*model == "gpt2" || *model == "gemma4")
    MODICUM_RETURN_IF_ERROR(CheckMerges());
  // llama.cpp takes 0 for each that is missing: any text would be cut anyhow.
  if ((*model == "llama" || *model == "t5") &&
      file_.Find(Key("scores")) == nullptr)
    return Refuse(
        "a vocabulary without scores: 'tokenizer.ggml.scores' is missing");
  if (*model == "llama") MODICUM_RETURN_IF_ERROR(CheckBytes());
  MODICUM_RETURN_IF_ERROR(CheckSpecial());
  return CheckDefaults(*kind);
}

// llama.cpp ends the process where a token is there twice.
Status TokenizerCheck::TakeTokens() {
  tokens_ = file_.Array(Key("tokens"));
  if (tokens_ == nullptr || tokens_->type != GgufType::kString ||
      tokens_->size == 0)
    return Refuse(
        "'tokenizer.ggml.tokens' is missing, empty or no array of "
        "strings");
  known_.reserve(tokens_->size);
  for (uint64_t i = 0; i < tokens_->size; ++i) {
    const std::string& token = tokens_->texts[i];
    if (token.empty()) continue;  // named by its number there
    if (!known_.insert(token).second)
      return Refuse(
          fmt::format("token {} is in the vocabulary twice, the "
                      "second time with the id {}",
                      Shown(token), FormatCount(i)));
  }
  return {};
}

// Optional; one for each token.
Status TokenizerCheck::CheckNumbers(std::string_view key, bool floats) const {
  const std::string full = Key(key);
  if (file_.Find(full) == nullptr) return {};
  const GgufArray* numbers = file_.Array(full);
  const bool sound =
      numbers != nullptr && (numbers->type == GgufType::kInt32 ||
                             (floats && numbers->type == GgufType::kFloat32));
  if (!sound)
    return Refuse(fmt::format("'{}' is no array of {}", full,
                              floats ? "f32 or i32" : "i32"));
  if (numbers->size != tokens_->size)
    return Refuse(fmt::format("'{}' has {} elements, the vocabulary {} tokens",
                              full, FormatCount(numbers->size),
                              FormatCount(tokens_->size)));
  for (uint64_t i = 0; i < numbers->size; ++i) {
    const double number = numbers->Number(i);
    if (floats && std::isnan(number))
      return Refuse(fmt::format("'{}' of token {} is no number", full, i));
    if (!floats && (number < 0 || number > kByteToken))
      return Refuse(fmt::format("'{}' of token {} is {}, not 0 to {}", full, i,
                                number, kByteToken));
  }
  return {};
}

Status TokenizerCheck::CheckMerges() const {
  const GgufArray* merges = file_.Array(Key("merges"));
  // Its tokens are byte strings without any.
  if (merges == nullptr && file_.Text(Key("pre")) == "kimi-k2") return {};
  if (merges == nullptr || merges->type != GgufType::kString ||
      merges->size == 0)
    return Refuse(
        "a vocabulary without merges: 'tokenizer.ggml.merges' is "
        "missing, empty or no array of strings");
  for (uint64_t i = 0; i < merges->size; ++i) {
    const std::string& merge = merges->texts[i];
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos || space + 1 == merge.size())
      return Refuse(
          fmt::format("merge {} is {}, not two parts", i, Shown(merge)));
  }
  return {};
}

// A text may hold any byte; a byte without a token ends the process there.
Status TokenizerCheck::CheckBytes() const {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string token = fmt::format("<0x{:02X}>", byte);
    const std::string bare(1, static_cast<char>(byte));
    if (!known_.contains(token) && !known_.contains(bare))
      return Refuse(
          fmt::format("no token for the byte 0x{:02X} ('{}')", byte, token));
  }
  const GgufArray* types = file_.Array(Key("token_type"));
  for (uint64_t i = 0; types != nullptr && i < types->size; ++i)
    if (static_cast<int>(types->Number(i)) == kByteToken &&
        (tokens_->texts[i].size() != 6 ||
         !tokens_->texts[i].starts_with("<0x")))
      return Refuse(fmt::format("token {}, {}, is typed as a byte and is none",
                                i, Shown(tokens_->texts[i])));
  return {};
}

Status TokenizerCheck::CheckSpecial() const {
  for (const std::string_view name : kSpecial) {
    const std::string full = Key(fmt::format("{}_token_id", name));
    const GgufValue* value = file_.Find(full);
    if (value == nullptr) continue;
    const auto* signed_id = std::get_if<int32_t>(value);
    if (signed_id != nullptr && *signed_id == -1) continue;
    const auto id = file_.Unsigned(full);
    if (!id) return Refuse(fmt::format("'{}' is no token's number", full));
    if (*id != kNone && *id >= tokens_->size)
      return Refuse(fmt::format("'{}' is {}, the vocabulary has {} tokens",
                                full, FormatCount(*id),
                                FormatCount(tokens_->size)));
  }
  return {};
}

// The tokens that the tokenizer puts in by itself.
Status TokenizerCheck::CheckDefaults(const Kind& kind) const {
  const auto missing = [&](std::string_view name, uint32_t otherwise) {
    const uint64_t id = file_.Unsigned(Key(fmt::format("{}_token_id", name)))
                            .value_or(otherwise);
    const uint64_t known = id == kNone ? otherwise : id;
    return known >= tokens_->size;
  };
  static constexpr char kNeeded[] =
      "'tokenizer.ggml.{}_token_id' is missing, and {} tokenizers need it";
  const bool adds_begin =
      file_.Flag(Key("add_bos_token")).value_or(kind.adds_begin);
  if (adds_begin && missing("bos", kind.begin))
    return Refuse(fmt::format(kNeeded, "bos", kind.name));
  if (kind.name != "bert") return {};
  if (missing("unknown", kind.unknown))
    return Refuse(fmt::format(kNeeded, "unknown", kind.name));
  if (missing("seperator", kind.separator))
    return Refuse(fmt::format(kNeeded, "seperator", kind.name));
  return {};
}

}  // namespace

Status CheckGgufTokenizer(const GgufFile& file) {
  return TokenizerCheck(file).Run();
}

}  // namespace modicum
