// SPDX-License-Identifier: Apache-2.0
// A client of the OpenAI chat completions protocol: one question, one answer,
// with the tokens that the endpoint says it counted.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct ChatEndpoint {
  std::string url;           // "https://host[:port]/v1"
  std::string model;         // as the endpoint names it
  std::string key;           // the secret itself; empty: none is sent
  std::string key_variable;  // the environment's, that held it
  Seconds timeout{60};
  int tries = 3;          // where it is busy or fails
  Seconds first_wait{1};  // before the second; then twice as long each time
};

struct ChatReply {
  std::string text;
  uint64_t tokens_in = 0;
  uint64_t tokens_out = 0;
};

// An endpoint's answer is not longer.
inline constexpr size_t kMostReply = size_t{1} << 20;

struct UrlParts {
  std::string origin;  // "https://host:443"
  std::string path;    // "/v1"
};
// kInvalidInput for what is no http or https address, and for a key that would
// travel unencrypted to another machine.
Result<UrlParts> ParseEndpointUrl(const std::string& url, bool has_key);

std::string ChatRequestJson(const std::string& model, std::string_view question,
                            int max_tokens, uint64_t seed);
// kInvalidInput: no chat completion, or one that does not say its tokens.
// Messages begin with `url`.
Result<ChatReply> ParseChatReply(std::string_view body, const std::string& url);

// What an endpoint said, to be shown: its first `bytes`, in one line of UTF-8.
std::string Excerpt(std::string_view said, size_t bytes);

// Thread safety: one call at a time.
class ChatClient {
 public:
  virtual ~ChatClient() = default;
  static Result<std::unique_ptr<ChatClient>> Open(ChatEndpoint endpoint);

  // kRetry when it stays busy or unreachable, kPermission when it refuses the
  // key, kInterrupted when stopped.
  virtual Result<ChatReply> Ask(std::string_view question, int max_tokens,
                                uint64_t seed, const std::stop_token& stop) = 0;
};

}  // namespace modicum
