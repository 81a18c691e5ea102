// SPDX-License-Identifier: Apache-2.0
// What an endpoint answers, and the file that a remote model is kept in.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/remote/remote_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reply = modicum::ParseChatReply(text, "https://a.example/v1");
  if (reply) (void)modicum::LabelIn(reply->text, {"ham", "spam", "not spam"});
  const auto spec = modicum::DecodeRemote(text);
  if (!spec) return 0;
  const auto again = modicum::DecodeRemote(modicum::EncodeRemote(*spec));
  if (!again || !(*again == *spec)) __builtin_trap();
  return 0;
}
