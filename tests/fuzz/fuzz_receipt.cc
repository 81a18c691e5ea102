// SPDX-License-Identifier: Apache-2.0
// Any bytes are refused, or are a receipt that is written back the same; what
// is verified never crashes, however its numbers contradict each other. The
// input is taken as a whole file and as the file's member "receipt", which is
// given the hash that a forger would give it.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fit/verify.h"
#include "record/receipt.h"

namespace {

void Try(const std::string& text) {
  const auto receipt = modicum::ParseReceipt(text);
  modicum::VerifyOptions options;
  options.files = false;
  const auto verified = modicum::VerifyReceipt(text, options);
  MODICUM_CHECK(verified.readable == receipt.has_value());
  if (!receipt) return;
  const auto back = modicum::ParseReceipt(modicum::FormatReceipt(*receipt));
  MODICUM_CHECK(back.has_value());
  MODICUM_CHECK(back->evidence.trials.size() ==
                receipt->evidence.trials.size());
}

std::string Forged(const nlohmann::json& body) {
  const std::string text = modicum::CanonicalJson(body);
  return "{\"receipt\":" + text + ",\"sha256\":\"" +
         modicum::ToHex(modicum::Sha256Of(text)) + "\"}\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using nlohmann::json;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Try(text);
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!file.is_object() || !file.contains("receipt")) return 0;
  int depth = 0;  // deeper nesting is refused before it is written
  for (const char c : text) {
    if ((c == '[' || c == '{') && ++depth > 200) return 0;
    if (c == ']' || c == '}') --depth;
  }
  Try(Forged(file["receipt"]));
  return 0;
}
