// SPDX-License-Identifier: Apache-2.0
// Without sockets: what is asked, what comes back.
#include "model/remote/chat.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dataset/utf8.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

auto Refuse(const std::string& url, std::string_view what) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} answered {}", url, what),
              "is it an OpenAI-compatible endpoint, and its address complete "
              "(.../v1)?");
}

bool IsLoopback(std::string_view host) {
  const bool number =
      host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "[::1]" ||
         (number && host.starts_with("127."));
}

// The text of the first choice; null where there is none.
const Json* ContentOf(const Json& reply) {
  const auto choices = reply.find("choices");
  if (choices == reply.end() || !choices->is_array() || choices->empty())
    return nullptr;
  const Json& first = choices->front();
  if (!first.is_object() || !first.contains("message")) return nullptr;
  const Json& message = first["message"];
  if (!message.is_object() || !message.contains("content")) return nullptr;
  const Json& content = message["content"];
  return content.is_string() ? &content : nullptr;
}

bool ReadCount(const Json& usage, const char* name, uint64_t& count) {
  const auto found = usage.find(name);
  if (found == usage.end() || !found->is_number_unsigned()) return false;
  count = found->get<uint64_t>();
  return count <= uint64_t{1} << 32;
}

}  // namespace

Result<UrlParts> ParseEndpointUrl(const std::string& url, bool has_key) {
  const auto wrong = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidInput, fmt::format("url '{}' {}", url, why),
                "for example https://api.example.com/v1");
  };
  const size_t scheme = url.find("://");
  if (scheme == url.npos ||
      (!url.starts_with("http://") && !url.starts_with("https://")))
    return wrong("does not begin with http:// or https://");
  const size_t begin = scheme + 3;
  const size_t slash = std::min(url.find('/', begin), url.size());
  const std::string host = url.substr(begin, slash - begin);
  if (host.empty() || host.find_first_of(" @?#\r\n") != host.npos)
    return wrong("has no host, or more than host and port");
  const size_t colon =
      host.front() == '[' ? host.find(':', host.find(']')) : host.rfind(':');
  if (has_key && url.starts_with("http://") &&
      !IsLoopback(host.substr(0, colon)))
    return wrong("would send the key unencrypted: use https");
  UrlParts parts{url.substr(0, slash), url.substr(slash)};
  while (parts.path.ends_with('/')) parts.path.pop_back();
  if (parts.path.find_first_of(" ?#\r\n") != parts.path.npos)
    return wrong("has more than a path after the host");
  return parts;
}

std::string ChatRequestJson(const std::string& model, std::string_view question,
                            int max_tokens, uint64_t seed) {
  return Json{{"model", model},
              {"messages", {{{"role", "user"}, {"content", question}}}},
              {"max_tokens", max_tokens},
              {"temperature", 0},
              {"seed", seed}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ChatReply> ParseChatReply(std::string_view body,
                                 const std::string& url) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Refuse(url, "something that is no JSON object");
  const Json* content = ContentOf(json);
  if (content == nullptr)
    return Refuse(url, "without choices[0].message.content");
  ChatReply reply;
  reply.text = content->get<std::string>();
  const auto usage = json.find("usage");
  if (usage == json.end() || !usage->is_object() ||
      !ReadCount(*usage, "prompt_tokens", reply.tokens_in) ||
      !ReadCount(*usage, "completion_tokens", reply.tokens_out))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} does not say how many tokens it counted", url),
                "its price and energy cannot be known; ask its operator for "
                "'usage' in the answers");
  if (reply.tokens_in == 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} counts a question as 0 tokens", url),
                "its price and energy would be none; ask its operator for a "
                "true 'usage' in the answers");
  return reply;
}

std::string Excerpt(std::string_view said, size_t bytes) {
  std::string text = ReplaceUnusableBytes(CutUtf8(said, bytes));
  for (char& c : text)
    if ((c >= 0 && c < ' ') || c == 0x7f) c = ' ';
  return said.size() > bytes ? text + "..." : text;
}

}  // namespace modicum
