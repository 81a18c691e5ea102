// SPDX-License-Identifier: Apache-2.0
// Any bytes are refused, or read as a record that reads back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "record/json.h"

namespace modicum {
namespace {

template <class T>
void Try(std::string_view text) {
  const auto value = FromJsonText<T>(text);
  if (!value) return;
  for (const JsonStyle style : {JsonStyle::kStored, JsonStyle::kReadable}) {
    const std::string once = ToJsonText(*value, style);
    const auto back = FromJsonText<T>(once);
    MODICUM_CHECK(back.has_value());
    MODICUM_CHECK(ToJsonText(*back, style) == once);
  }
}

}  // namespace
}  // namespace modicum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  modicum::Try<modicum::Run>(text);
  modicum::Try<modicum::Measurement>(text);
  modicum::Try<modicum::Trial>(text);
  return 0;
}
