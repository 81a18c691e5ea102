// SPDX-License-Identifier: Apache-2.0
// prompt.json: what is accepted is written and read again without a change,
// and makes a prompt that holds the text.
#include <cstdint>
#include <string>

#include "model/prompt_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = modicum::DecodePrompt(text);
  if (!spec) return 0;
  const std::string written = modicum::EncodePrompt(*spec);
  const auto again = modicum::DecodePrompt(written);
  MODICUM_CHECK(again.has_value());
  MODICUM_CHECK(*again == *spec);
  const std::string prompt = modicum::PromptFor(*spec, "an item's text");
  MODICUM_CHECK(prompt.find("an item's text") != std::string::npos);
  MODICUM_CHECK(modicum::LabelText(*spec, 0).ends_with(spec->words[0]));
  return 0;
}
