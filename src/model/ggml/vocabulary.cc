// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/vocabulary.h"

#include <fmt/format.h>
#include <llama.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <unordered_map>

#include "model/ggml/llama_log.h"
#include "model/ggml/word_pieces.h"
#include "model/gguf/gguf_writer.h"
#include "model/text_features.h"
#include "model/text_hasher.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// Before the first character of a word, as llama.cpp has it (U+2581).
constexpr std::string_view kWordStart = "\xE2\x96\x81";
constexpr TokenId kWordStartToken = kSpecialTokens;

// Characters take at most this share of a vocabulary: of scripts with
// thousands of them the rarest are unknown.
constexpr double kCharacterShare = 0.5;
// A character or piece in fewer words is not worth its embedding.
constexpr uint64_t kLeast = 2;
// Longer words are no words, and are costly to split.
constexpr size_t kLongestWord = 64;

const std::vector<std::string>& SpecialTexts() {
  static const auto* texts = new std::vector<std::string>{
      "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  return *texts;
}

struct FileClose {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, FileClose>;

// A GGUF file that has a vocabulary only, in memory.
File VocabularyFile(GgufMetadata metadata) {
  metadata.insert(metadata.begin(),
                  {"general.architecture", std::string("bert")});
  const std::string bytes = GgufHeader(metadata, {});
  const int descriptor = memfd_create("modicum-vocabulary", MFD_CLOEXEC);
  File file(descriptor < 0 ? nullptr : fdopen(descriptor, "w+b"));
  if (file == nullptr ||
      std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size())
    return nullptr;
  std::rewind(file.get());
  return file;
}

// The characters of the texts, lower-cased, most frequent first.
std::vector<std::string> Alphabet(std::span<const std::string_view> texts,
                                  size_t most) {
  std::unordered_map<char32_t, uint64_t> counts;
  for (const std::string_view text : texts)
    for (size_t at = 0; at < text.size();) ++counts[NextLowered(text, &at)];
  std::vector<std::pair<uint64_t, char32_t>> order;
  for (const auto& [character, count] : counts)
    if (character > ' ' && count >= kLeast)
      order.emplace_back(count, character);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  if (order.size() > most) order.resize(most);
  std::vector<std::string> alphabet{std::string(kWordStart)};
  for (const auto& [count, character] : order) {
    std::string text;
    AppendUtf8(character, text);
    if (text != kWordStart) alphabet.push_back(std::move(text));
  }
  return alphabet;
}

// The words that llama.cpp makes of the texts, found by letting it split them
// into characters: whatever its rules of space, case and punctuation are.
Result<std::vector<CountedWord>> CountWords(
    std::span<const std::string_view> texts,
    const WordPieceTokenizer& characters, const std::stop_token& stop) {
  std::map<std::vector<uint32_t>, uint64_t> counts;
  std::vector<uint32_t> word;
  const auto end_word = [&] {
    if (word.size() > 1 && word.size() <= kLongestWord) ++counts[word];
    word.clear();
  };
  for (const std::string_view text : texts) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(stop));
    MODICUM_TRY(const TokenIds tokens, characters.Tokenize(text));
    for (const TokenId token : tokens) {
      if (token <= kWordStartToken) end_word();
      if (token >= kWordStartToken)
        word.push_back(static_cast<uint32_t>(token - kSpecialTokens));
    }
    end_word();
  }
  std::vector<CountedWord> words;
  words.reserve(counts.size());
  for (const auto& [characters_of, count] : counts)
    words.push_back({characters_of, count});
  return words;
}

std::vector<std::string> WithSpecials(const std::vector<std::string>& pieces) {
  std::vector<std::string> tokens = SpecialTexts();
  tokens.insert(tokens.end(), pieces.begin(), pieces.end());
  return tokens;
}

}  // namespace

GgufMetadata DescribeVocabulary(const std::vector<std::string>& tokens) {
  std::vector<int32_t> types(tokens.size(), LLAMA_TOKEN_TYPE_NORMAL);
  std::fill_n(types.begin(), kSpecialTokens, LLAMA_TOKEN_TYPE_CONTROL);
  types[kUnknownToken] = LLAMA_TOKEN_TYPE_UNKNOWN;
  return {
      {"tokenizer.ggml.model", std::string("bert")},
      {"tokenizer.ggml.tokens", GgufArray::Of(tokens)},
      {"tokenizer.ggml.token_type", GgufArray::Of(types)},
      {"tokenizer.ggml.token_type_count", uint32_t{1}},
      {"tokenizer.ggml.padding_token_id", uint32_t{kPadToken}},
      {"tokenizer.ggml.unknown_token_id", uint32_t{kUnknownToken}},
      {"tokenizer.ggml.bos_token_id", uint32_t{kClassToken}},
      {"tokenizer.ggml.cls_token_id", uint32_t{kClassToken}},
      {"tokenizer.ggml.eos_token_id", uint32_t{kSeparatorToken}},
      {"tokenizer.ggml.seperator_token_id", uint32_t{kSeparatorToken}},
      {"tokenizer.ggml.mask_token_id", uint32_t{kMaskToken}},
      {"tokenizer.ggml.normalizer.lowercase", true},
      // An accent may be all that tells two words or languages apart.
      {"tokenizer.ggml.normalizer.strip_accents", false},
  };
}

Result<TokenIds> ReadTokens(const llama_vocab& vocabulary,
                            std::string_view text, bool special) {
  if (text.size() > std::numeric_limits<int32_t>::max() / 2)
    return Fail(ErrorCode::kInvalidInput, "the text is longer than 1 GB",
                "cut it into parts");
  // A token takes a byte or more; some are added around and in front.
  TokenIds tokens(text.size() + 8);
  int count = 0;
  try {
    count = llama_tokenize(&vocabulary, text.data(),
                           static_cast<int32_t>(text.size()), tokens.data(),
                           static_cast<int32_t>(tokens.size()), special, false);
    if (count < 0 && count != std::numeric_limits<int32_t>::min()) {
      tokens.resize(static_cast<size_t>(-count));
      count = llama_tokenize(
          &vocabulary, text.data(), static_cast<int32_t>(text.size()),
          tokens.data(), static_cast<int32_t>(tokens.size()), special, false);
    }
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the text cannot be tokenized: {}", error.what()),
                "is it UTF-8?");
  }
  if (count < 0)
    return Fail(ErrorCode::kInvalidInput, "the text has too many tokens",
                "cut it into parts");
  tokens.resize(static_cast<size_t>(count));
  return tokens;
}

Result<std::unique_ptr<WordPieceTokenizer>> WordPieceTokenizer::Open(
    const GgufMetadata& vocabulary) {
  const File file = VocabularyFile(vocabulary);
  if (file == nullptr)
    return Fail(ErrorCode::kIo, "cannot keep the vocabulary in memory");
  CatchLlamaLog();
  const LlamaErrors errors;
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  params.load_mode = LLAMA_LOAD_MODE_NONE;
  ModelHandle model(llama_model_load_from_file_ptr(file.get(), params));
  if (model == nullptr)
    return Fail(ErrorCode::kInternal,
                errors.Explain("llama.cpp refuses the vocabulary"));
  return std::unique_ptr<WordPieceTokenizer>(
      new WordPieceTokenizer(std::move(model)));
}

size_t WordPieceTokenizer::size() const {
  return static_cast<size_t>(llama_vocab_n_tokens(&vocabulary()));
}

Result<TokenIds> WordPieceTokenizer::Tokenize(std::string_view text) const {
  return ReadTokens(vocabulary(), text, /*special=*/true);
}

Result<TokenIds> WordPieceTokenizer::Pieces(std::string_view text) const {
  return ReadTokens(vocabulary(), text, /*special=*/false);
}

const llama_vocab& WordPieceTokenizer::vocabulary() const {
  return *llama_model_get_vocab(model_.get());
}

std::string WordPieceTokenizer::Piece(TokenId token) const {
  const llama_vocab& all = vocabulary();
  if (token < 0 || token >= llama_vocab_n_tokens(&all)) return "";
  std::string text = llama_vocab_get_text(&all, token);
  if (text.starts_with(kWordStart)) text.replace(0, kWordStart.size(), " ");
  return text;
}

TextMarks WordPieceTokenizer::marks() const {
  const llama_vocab* const all = &vocabulary();
  // llama.cpp has defaults that a small vocabulary need not have.
  const auto known = [all](llama_token token) {
    return token < 0 || token >= llama_vocab_n_tokens(all)
               ? std::optional<TokenId>()
               : token;
  };
  return {known(llama_vocab_bos(all)), known(llama_vocab_sep(all)),
          known(llama_vocab_mask(all))};
}

Result<std::vector<std::string>> LearnVocabulary(
    std::span<const std::string_view> texts, size_t size,
    const std::stop_token& stop) {
  const std::vector<std::string> alphabet = Alphabet(
      texts, static_cast<size_t>(kCharacterShare * static_cast<double>(size)));
  MODICUM_TRY(
      const auto characters,
      WordPieceTokenizer::Open(DescribeVocabulary(WithSpecials(alphabet))));
  MODICUM_TRY(const auto words, CountWords(texts, *characters, stop));
  MODICUM_TRY(
      const auto pieces,
      LearnPieces(alphabet, words, size - kSpecialTokens, kLeast, stop));
  return WithSpecials(pieces);
}

}  // namespace modicum
