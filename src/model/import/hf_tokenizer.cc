// SPDX-License-Identifier: Apache-2.0
#include "model/import/hf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/format.h"
#include "model/gguf/gguf_names.h"
#include "model/strict_json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

// llama_token_type of llama.h, llama.cpp v0.5.0.
enum TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

constexpr char kTwoModels[] =
    "config.json and tokenizer.json are of two models: get both from one "
    "folder";

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // SentencePiece's
constexpr float kLastScore = -1e9F;  // of what no merge makes

// Null when absent or null.
const Json* Member(const Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}
std::string TextAt(const Json& json, std::string_view key) {
  const Json* member = Member(json, key);
  return member != nullptr && member->is_string() ? member->get<std::string>()
                                                  : std::string();
}
std::optional<bool> Flag(const Json& json, std::string_view key) {
  const Json* member = Member(json, key);
  if (member == nullptr || !member->is_boolean()) return std::nullopt;
  return member->get<bool>();
}

bool IsByteToken(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token[5] == '>' &&
         token.find_first_not_of("0123456789ABCDEFabcdef", 3) == 5;
}

// Some added tokens control the model and are not marked as special.
bool LooksSpecial(std::string_view token) {
  return token == "<pad>" || token == "<mask>" ||
         (token.starts_with("<|") && token.ends_with("|>"));
}

std::string Replaced(std::string text, std::string_view from,
                     std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// "BPE is; take a GGUF file ...".
std::string OrGguf(std::string_view supported) {
  return fmt::format("{}; {}", supported, kTakeGguf);
}

enum class Kind { kByteLevel, kByteFallback, kWordPiece };

class TokenizerConverter {
 public:
  TokenizerConverter(const Json& tokenizer, const Json& settings,
                     const HfConfig& config, const std::string& name)
      : tokenizer_(tokenizer),
        settings_(settings),
        config_(config),
        name_(name) {}
  Result<GgufMetadata> Convert();

 private:
  tl::unexpected<Error> Refuse(const std::string& what,
                               std::string_view hint = kGetFolderAgain) const {
    return Fail(ErrorCode::kInvalidInput, name_ + ": " + what,
                std::string(hint));
  }
  void Set(std::string_view key, GgufValue value) {
    out_.emplace_back(fmt::format("tokenizer.ggml.{}", key), std::move(value));
  }
  Status TakeKind();
  Status TakeVocabulary();
  Status SetToken(const std::string& text, const Json& id);
  Status TakeAdded();
  Status TakeMerges();
  Status TakeMerge(const Json& merge, size_t rank);
  Status ConvertByteLevel();
  Status ConvertByteFallback();
  Result<bool> AddsSpace() const;
  Status ConvertWordPiece();
  Status ReadNormalizer(const Json& normalizer);
  void TakeSpecial();
  std::optional<uint32_t> SpecialId(const std::string& kind) const;
  std::optional<uint32_t> IdOf(const std::string& text) const;
  bool Adds(const char* flag, std::optional<uint32_t> id, bool first) const;
  const Json* Template() const;
  void TakeChatTemplate();

  const Json& tokenizer_;
  const Json& settings_;
  const HfConfig& config_;
  const std::string& name_;
  const Json* model_ = nullptr;
  Kind kind_ = Kind::kByteLevel;
  std::vector<std::string> tokens_;
  std::vector<int32_t> types_;
  std::vector<float> scores_;
  std::vector<std::string> merges_;
  std::unordered_map<std::string, uint32_t> ids_;
  GgufMetadata out_;
};

Result<GgufMetadata> TokenizerConverter::Convert() {
  MODICUM_RETURN_IF_ERROR(TakeKind());
  MODICUM_RETURN_IF_ERROR(TakeVocabulary());
  MODICUM_RETURN_IF_ERROR(TakeAdded());
  if (kind_ != Kind::kWordPiece) MODICUM_RETURN_IF_ERROR(TakeMerges());
  switch (kind_) {
    case Kind::kByteLevel:
      MODICUM_RETURN_IF_ERROR(ConvertByteLevel());
      break;
    case Kind::kByteFallback:
      MODICUM_RETURN_IF_ERROR(ConvertByteFallback());
      break;
    case Kind::kWordPiece:
      MODICUM_RETURN_IF_ERROR(ConvertWordPiece());
      break;
  }
  TakeSpecial();
  Set("tokens", GgufArray::Of(std::move(tokens_)));
  if (!scores_.empty()) Set("scores", GgufArray::Of(scores_));
  Set("token_type", GgufArray::Of(types_));
  if (kind_ == Kind::kByteLevel) Set("merges", GgufArray::Of(merges_));
  TakeChatTemplate();
  return std::move(out_);
}

Status TokenizerConverter::TakeKind() {
  model_ = Member(tokenizer_, "model");
  if (model_ == nullptr || !model_->is_object())
    return Refuse("it has no 'model'");
  const std::string type = TextAt(*model_, "type");
  const bool bert = IsBert(config_.family);
  if (type == "WordPiece" && bert) {
    kind_ = Kind::kWordPiece;
  } else if (type == "BPE" && !bert) {
    kind_ = Flag(*model_, "byte_fallback").value_or(false) ? Kind::kByteFallback
                                                           : Kind::kByteLevel;
  } else {
    return Refuse(fmt::format("a tokenizer of type {} is not supported for {}",
                              Shown(type), config_.class_name),
                  OrGguf(bert ? "WordPiece is" : "BPE is"));
  }
  return {};
}

// Ids without a token are padded, as the embedding has a row for each.
Status TokenizerConverter::TakeVocabulary() {
  const Json* vocabulary = Member(*model_, "vocab");
  if (vocabulary == nullptr || !vocabulary->is_object() || vocabulary->empty())
    return Refuse("'model.vocab' is missing or empty");
  tokens_.resize(config_.vocabulary);
  types_.assign(config_.vocabulary, kUnused);
  ids_.reserve(vocabulary->size());
  for (const auto& [text, id] : vocabulary->items())
    MODICUM_RETURN_IF_ERROR(SetToken(text, id));
  return {};
}

Status TokenizerConverter::SetToken(const std::string& text, const Json& id) {
  if (!id.is_number_unsigned())
    return Refuse(
        fmt::format("token {} has no whole number for its id", Shown(text)));
  const auto number = id.get<uint64_t>();
  if (number >= config_.vocabulary)
    return Refuse(fmt::format("token {} has the id {}, config.json says that "
                              "the vocabulary has {} tokens",
                              Shown(text), FormatCount(number),
                              FormatCount(config_.vocabulary)),
                  kTwoModels);
  if (types_[number] != kUnused && tokens_[number] != text)
    return Refuse(fmt::format("the tokens {} and {} both have the id {}",
                              Shown(tokens_[number]), Shown(text),
                              FormatCount(number)));
  const auto [at, added] = ids_.emplace(text, static_cast<uint32_t>(number));
  if (!added && at->second != number)
    return Refuse(fmt::format("token {} has the ids {} and {}", Shown(text),
                              FormatCount(at->second), FormatCount(number)));
  tokens_[number] = text;
  types_[number] = kNormal;
  return {};
}

Status TokenizerConverter::TakeAdded() {
  const Json* added = Member(tokenizer_, "added_tokens");
  if (added != nullptr && !added->is_array())
    return Refuse("'added_tokens' is no list");
  for (size_t i = 0; added != nullptr && i < added->size(); ++i) {
    const Json& token = (*added)[i];
    const Json* id = Member(token, "id");
    const Json* content = Member(token, "content");
    if (id == nullptr || content == nullptr || !content->is_string())
      return Refuse(fmt::format("added token {} has no id or no content", i));
    const auto text = content->get<std::string>();
    MODICUM_RETURN_IF_ERROR(SetToken(text, *id));
    const bool special =
        Flag(token, "special").value_or(false) || LooksSpecial(text);
    types_[id->get<uint64_t>()] = special ? kControl : kUserDefined;
  }
  for (uint64_t i = 0; i < tokens_.size(); ++i)
    if (types_[i] == kUnused) tokens_[i] = fmt::format("[PAD{}]", i);
  return {};
}

Status TokenizerConverter::TakeMerges() {
  const Json* merges = Member(*model_, "merges");
  if (merges == nullptr || !merges->is_array() || merges->empty())
    return Refuse(
        "a vocabulary without merges: 'model.merges' is missing or "
        "empty");
  if (kind_ == Kind::kByteFallback) scores_.assign(tokens_.size(), kLastScore);
  merges_.reserve(merges->size());
  for (size_t rank = 0; rank < merges->size(); ++rank)
    MODICUM_RETURN_IF_ERROR(TakeMerge((*merges)[rank], rank));
  return {};
}

// "a b", or since 2024 ["a", "b"].
Status TokenizerConverter::TakeMerge(const Json& merge, size_t rank) {
  std::string left;
  std::string right;
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ', 1);
    if (space != std::string::npos) {
      left = text.substr(0, space);
      right = text.substr(space + 1);
    }
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
  }
  if (left.empty() || right.empty())
    return Refuse(fmt::format("merge {} is not two tokens", rank));
  for (const std::string& text : {left, right, left + right})
    if (!ids_.contains(text))
      return Refuse(fmt::format("merge {} is of {} and {}, and {} is no token",
                                rank, Shown(left), Shown(right), Shown(text)));
  if (kind_ == Kind::kByteFallback) {
    // The best first: the earliest merge that makes it.
    float& score = scores_[ids_[left + right]];
    if (score == kLastScore) score = -static_cast<float>(rank);
    return {};
  }
  if (left.find(' ') != std::string::npos ||
      right.find(' ') != std::string::npos)
    return Refuse(
        fmt::format("merge {} has a space, as byte-level tokens "
                    "never have",
                    rank));
  merges_.push_back(left + ' ' + right);
  return {};
}

Status TokenizerConverter::ConvertByteLevel() {
  static const Json kNull;
  const Json* pre = Member(tokenizer_, "pre_tokenizer");
  MODICUM_TRY(std::string detected,
              DetectPreTokenizer(pre == nullptr ? kNull : *pre, name_));
  const Json* normalizer = Member(tokenizer_, "normalizer");
  if (normalizer != nullptr && TextAt(*normalizer, "type") != "NFC")
    return Refuse(fmt::format("the normalizer {} is not supported",
                              Shown(TextAt(*normalizer, "type"))),
                  OrGguf("NFC and none are"));
  Set("model", std::string("gpt2"));
  Set("pre", std::move(detected));
  for (size_t i = 0; i < tokens_.size(); ++i)
    if (types_[i] == kUserDefined)
      tokens_[i] = Replaced(tokens_[i], kSpaceMark, " ");
  return {};
}

Status TokenizerConverter::ConvertByteFallback() {
  MODICUM_TRY(const bool adds_space, AddsSpace());
  const std::string unknown = TextAt(*model_, "unk_token");
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (IsByteToken(tokens_[i])) types_[i] = kByte;
    if (!unknown.empty() && tokens_[i] == unknown) types_[i] = kUnknown;
    if (types_[i] == kUserDefined)
      tokens_[i] = Replaced(tokens_[i], kSpaceMark, " ");
  }
  Set("model", std::string("llama"));
  Set("pre", std::string("default"));
  Set("add_space_prefix", adds_space);
  return {};
}

// Whether a text gets a space in front: by a normalizer that prepends the
// mark, or by the pre-tokenizer Metaspace. Nothing else is supported.
Result<bool> TokenizerConverter::AddsSpace() const {
  bool adds = false;
  const Json* normalizer = Member(tokenizer_, "normalizer");
  std::vector<const Json*> steps;
  if (normalizer != nullptr) {
    const Json* list = Member(*normalizer, "normalizers");
    if (list != nullptr && list->is_array())
      for (const Json& step : *list) steps.push_back(&step);
    else
      steps.push_back(normalizer);
  }
  for (const Json* step : steps) {
    const std::string type = TextAt(*step, "type");
    const bool prepends =
        type == "Prepend" && TextAt(*step, "prepend") == kSpaceMark;
    if (!prepends &&
        !(type == "Replace" && TextAt(*step, "content") == kSpaceMark))
      return Refuse(fmt::format("the normalizer {} is not supported beside "
                                "byte fallback",
                                Shown(type)),
                    OrGguf("a mark for every space, and one in front, are"));
    adds = adds || prepends;
  }
  const Json* pre = Member(tokenizer_, "pre_tokenizer");
  if (pre == nullptr) return adds;
  if (TextAt(*pre, "type") != "Metaspace" ||
      TextAt(*pre, "replacement") != kSpaceMark)
    return Refuse(fmt::format("the pre-tokenizer {} is not supported beside "
                              "byte fallback",
                              Shown(TextAt(*pre, "type"))),
                  OrGguf("Metaspace and none are"));
  const std::string scheme = TextAt(*pre, "prepend_scheme");
  if (!scheme.empty()) return scheme != "never";
  return Flag(*pre, "add_prefix_space").value_or(true);
}

// llama.cpp marks the start of a word where BERT marks what goes on.
Status TokenizerConverter::ConvertWordPiece() {
  constexpr std::string_view kGoesOn = "##";
  if (TextAt(*model_, "continuing_subword_prefix") != kGoesOn)
    return Refuse("'model.continuing_subword_prefix' is not '##'",
                  OrGguf("'##' is supported"));
  const Json* pre = Member(tokenizer_, "pre_tokenizer");
  if (pre == nullptr || TextAt(*pre, "type") != "BertPreTokenizer")
    return Refuse("the pre-tokenizer is not BertPreTokenizer",
                  OrGguf("BertPreTokenizer is supported"));
  Set("model", std::string("bert"));
  Set("pre", std::string("default"));
  Set("token_type_count", static_cast<uint32_t>(config_.token_types));
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (types_[i] == kControl || types_[i] == kUnused) continue;
    tokens_[i] = tokens_[i].starts_with(kGoesOn)
                     ? tokens_[i].substr(kGoesOn.size())
                     : std::string(kSpaceMark) + tokens_[i];
  }
  const Json* normalizer = Member(tokenizer_, "normalizer");
  return normalizer == nullptr ? Status() : ReadNormalizer(*normalizer);
}

Status TokenizerConverter::ReadNormalizer(const Json& normalizer) {
  const std::string type = TextAt(normalizer, "type");
  if (type != "BertNormalizer")
    return Refuse(fmt::format("the normalizer {} is not supported beside "
                              "WordPiece",
                              Shown(type)),
                  OrGguf("BertNormalizer is"));
  Set("normalizer.lowercase", Flag(normalizer, "lowercase").value_or(true));
  // Without a word on it, accents go where case goes: as in llama.cpp.
  if (const auto strip = Flag(normalizer, "strip_accents"))
    Set("normalizer.strip_accents", *strip);
  return {};
}

std::optional<uint32_t> TokenizerConverter::IdOf(
    const std::string& text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

// By tokenizer_config.json, config.json, or what tokenizers of this kind call
// it.
std::optional<uint32_t> TokenizerConverter::SpecialId(
    const std::string& kind) const {
  const Json* member = Member(settings_, kind + "_token");
  std::string text;
  if (member != nullptr && member->is_string())
    text = member->get<std::string>();
  else if (member != nullptr)
    text = TextAt(*member, "content");
  if (const auto id = IdOf(text); id && !text.empty()) return id;
  const auto configured = config_.special.find(kind);
  if (configured != config_.special.end() &&
      configured->second < tokens_.size())
    return static_cast<uint32_t>(configured->second);
  if (kind == "unk") return IdOf(TextAt(*model_, "unk_token"));
  if (kind_ != Kind::kWordPiece) return std::nullopt;
  std::string usual = "[" + kind + "]";
  for (char& c : usual)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return IdOf(usual);
}

void TokenizerConverter::TakeSpecial() {
  const auto set = [&](const char* key, std::optional<uint32_t> id) {
    if (id) Set(fmt::format("{}_token_id", key), *id);
  };
  std::optional<uint32_t> begin = SpecialId("bos");
  std::optional<uint32_t> end = SpecialId("eos");
  const auto first = SpecialId("cls");
  const auto separator = SpecialId("sep");
  if (kind_ == Kind::kWordPiece) {
    if (first) begin = first;
    if (separator) end = separator;
  }
  set("bos", begin);
  set("eos", end);
  set("unknown", SpecialId("unk"));
  set("seperator", separator);  // as the format spells it
  set("padding", SpecialId("pad"));
  set("cls", first);
  set("mask", SpecialId("mask"));
  if (kind_ == Kind::kWordPiece) return;  // it always adds both
  Set("add_bos_token", Adds("add_bos_token", begin, true));
  Set("add_eos_token", Adds("add_eos_token", end, false));
}

// Whether `id` is put before (`first`) or after every text.
bool TokenizerConverter::Adds(const char* flag, std::optional<uint32_t> id,
                              bool first) const {
  if (!id) return false;
  if (const auto said = Flag(settings_, flag)) return *said;
  const Json* parts = Template();
  if (parts == nullptr || parts->size() < 2) return false;
  const Json& part = first ? parts->front() : parts->back();
  const Json* special = Member(part, "SpecialToken");
  return special != nullptr && IdOf(TextAt(*special, "id")) == id;
}

// What a single text becomes; null where nothing is added.
const Json* TokenizerConverter::Template() const {
  const Json* processor = Member(tokenizer_, "post_processor");
  if (processor == nullptr) return nullptr;
  const Json* list = Member(*processor, "processors");
  if (list != nullptr && list->is_array())
    for (const Json& one : *list)
      if (TextAt(one, "type") == "TemplateProcessing") processor = &one;
  const Json* single = Member(*processor, "single");
  return single != nullptr && single->is_array() ? single : nullptr;
}

// One text, or a list of named ones of which "default" is it.
void TokenizerConverter::TakeChatTemplate() {
  const Json* chat = Member(settings_, "chat_template");
  if (chat == nullptr) return;
  std::string text;
  if (chat->is_string()) text = chat->get<std::string>();
  if (chat->is_array())
    for (const Json& one : *chat)
      if (TextAt(one, "name") == "default") text = TextAt(one, "template");
  if (!text.empty())
    out_.emplace_back("tokenizer.chat_template", std::move(text));
}

}  // namespace

Result<GgufMetadata> ConvertTokenizer(const Json& tokenizer,
                                      const Json& settings,
                                      const HfConfig& config,
                                      const std::string& name) {
  return TokenizerConverter(tokenizer, settings, config, name).Convert();
}

Result<GgufMetadata> ConvertTokenizerText(std::string_view tokenizer,
                                          std::string_view settings,
                                          const HfConfig& config,
                                          const std::string& name) {
  MODICUM_TRY(const Json json, ParseStrictJson(tokenizer, name));
  if (settings.empty()) return ConvertTokenizer(json, Json(), config, name);
  MODICUM_TRY(const Json more, ParseStrictJson(settings, name));
  return ConvertTokenizer(json, more, config, name);
}

}  // namespace modicum
