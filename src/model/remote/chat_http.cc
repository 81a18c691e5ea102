// SPDX-License-Identifier: Apache-2.0
// The client over cpp-httplib.
#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "model/remote/chat.h"

namespace modicum {
namespace {

using std::chrono::milliseconds;

constexpr Seconds kMostWait{30};

// Sleeps in short pieces; false when stopped.
bool Wait(Seconds seconds, const std::stop_token& stop) {
  const auto end = std::chrono::steady_clock::now() +
                   milliseconds(static_cast<int64_t>(seconds.value() * 1000));
  while (std::chrono::steady_clock::now() < end) {
    if (stop.stop_requested()) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return !stop.stop_requested();
}

bool MayPass(int status) {
  return status == 408 || status == 429 || status >= 500;
}

// One try's end: an answer, or why there is none and whether to try again.
struct Attempt {
  int status = 0;  // of HTTP; 0: no answer
  std::string body;
  std::string failure;
  Seconds retry_after{0};
  bool too_long = false;
};

class HttpChat final : public ChatClient {
 public:
  HttpChat(ChatEndpoint endpoint, const UrlParts& url)
      : endpoint_(std::move(endpoint)),
        path_(url.path + "/chat/completions"),
        address_(url.origin + path_),
        client_(url.origin) {
    const auto timeout =
        milliseconds(static_cast<int64_t>(endpoint_.timeout.value() * 1000));
    client_.set_connection_timeout(timeout);
    client_.set_read_timeout(timeout);
    client_.set_write_timeout(timeout);
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);  // a request is small and waits for nobody
    if (!endpoint_.key.empty()) client_.set_bearer_token_auth(endpoint_.key);
  }

  Result<ChatReply> Ask(std::string_view question, int max_tokens,
                        uint64_t seed, const std::stop_token& stop) override {
    const std::string request =
        ChatRequestJson(endpoint_.model, question, max_tokens, seed);
    Seconds wait = endpoint_.first_wait;
    for (int left = endpoint_.tries;; --left) {
      const Attempt attempt = Send(request, stop);
      if (stop.stop_requested())
        return Fail(ErrorCode::kInterrupted, "interrupted");
      if (attempt.status == 200 && !attempt.too_long)
        return ParseChatReply(attempt.body, address_);
      if (left <= 1 || !MayTryAgain(attempt)) return Failure(attempt);
      if (!Wait(std::max(wait, attempt.retry_after), stop))
        return Fail(ErrorCode::kInterrupted, "interrupted");
      wait = wait * 2;
    }
  }

 private:
  static bool MayTryAgain(const Attempt& attempt) {
    return !attempt.too_long &&
           (attempt.status == 0 || MayPass(attempt.status)) &&
           attempt.retry_after <= kMostWait;
  }

  Attempt Send(const std::string& body, const std::stop_token& stop) {
    Attempt attempt;
    httplib::Request request;
    request.method = "POST";
    request.path = path_;
    request.body = body;
    request.set_header("Content-Type", "application/json");
    request.content_receiver = [&](const char* data, size_t length, uint64_t,
                                   uint64_t) {
      attempt.too_long = attempt.body.size() + length > kMostReply;
      if (!attempt.too_long) attempt.body.append(data, length);
      return !attempt.too_long && !stop.stop_requested();
    };
    request.response_handler = [&](const httplib::Response& response) {
      attempt.status = response.status;
      const std::string after = response.get_header_value("Retry-After");
      int seconds = 0;
      std::from_chars(after.data(), after.data() + after.size(), seconds);
      attempt.retry_after = Seconds(std::max(0, seconds));
      return true;
    };
    const httplib::Result result = client_.send(request);
    if (!result && !attempt.too_long) {
      attempt.status = 0;
      attempt.failure = httplib::to_string(result.error());
    }
    return attempt;
  }

  // What the endpoint says of itself is shown, but not all of it.
  static std::string Excerpt(std::string_view body) {
    constexpr size_t kMost = 200;
    std::string text(body.substr(0, kMost));
    for (char& c : text)
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return body.size() > kMost ? text + "..." : text;
  }

  Result<ChatReply> Failure(const Attempt& attempt) const {
    if (attempt.too_long)
      return Fail(ErrorCode::kInvalidInput,
                  address_ + " answered more than 1 MB",
                  "is it an OpenAI-compatible endpoint?");
    if (attempt.status == 0)
      return Fail(ErrorCode::kRetry,
                  fmt::format("{} did not answer in {} tries: {}", address_,
                              endpoint_.tries, attempt.failure),
                  "is its address right, and can it be reached from here? "
                  "timeout_s gives it longer");
    const bool refused = attempt.status == 401 || attempt.status == 403;
    return Fail(refused                   ? ErrorCode::kPermission
                : MayPass(attempt.status) ? ErrorCode::kRetry
                                          : ErrorCode::kInvalidInput,
                fmt::format("{} answered HTTP {}: {}", address_, attempt.status,
                            Excerpt(attempt.body)),
                refused ? "`key` names the environment variable that holds "
                          "the key"
                        : "");
  }

  const ChatEndpoint endpoint_;
  const std::string path_;
  const std::string address_;
  httplib::Client client_;
};

}  // namespace

Result<std::unique_ptr<ChatClient>> ChatClient::Open(ChatEndpoint endpoint) {
  MODICUM_TRY(const UrlParts url,
              ParseEndpointUrl(endpoint.url, !endpoint.key.empty()));
  return std::make_unique<HttpChat>(std::move(endpoint), url);
}

}  // namespace modicum
