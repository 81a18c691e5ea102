// SPDX-License-Identifier: Apache-2.0
// config.json, tokenizer.json and tokenizer_config.json, a NUL after each: a
// vocabulary that is accepted has a text, a type and a place for every token.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "model/import/hf_config.h"
#include "model/import/hf_tensors.h"
#include "model/import/hf_tokenizer.h"

namespace {

std::string_view Next(std::string_view& rest) {
  const std::string_view part = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto config = ParseHfConfigText(Next(rest), "config.json");
  // The tensors' shapes vouch for larger ones.
  if (!config || config->vocabulary > 10000 || config->head_size > 10000)
    return 0;
  if (config->rope.scaling == "llama3")
    (void)Llama3Factors(config->rope, config->head_size);
  const std::string_view tokenizer = Next(rest);
  GgufFile file;
  auto metadata =
      ConvertTokenizerText(tokenizer, Next(rest), *config, "tokenizer.json");
  if (!metadata) return 0;
  file.metadata = *std::move(metadata);
  const GgufArray* tokens = file.Array("tokenizer.ggml.tokens");
  const GgufArray* types = file.Array("tokenizer.ggml.token_type");
  MODICUM_CHECK(tokens != nullptr && tokens->size == config->vocabulary);
  MODICUM_CHECK(types != nullptr && types->size == config->vocabulary);
  for (const char* kind : {"bos", "eos", "unknown", "padding", "seperator"}) {
    const auto id =
        file.Unsigned(std::string("tokenizer.ggml.") + kind + "_token_id");
    MODICUM_CHECK(!id || *id < tokens->size);
  }
  return 0;
}
