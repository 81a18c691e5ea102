// SPDX-License-Identifier: Apache-2.0
// The client over cpp-httplib.
#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "base/http_failure.h"
#include "model/remote/chat.h"

namespace modicum {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr Seconds kMostWait{30};

// Sleeps in short pieces; false when stopped.
bool Wait(Seconds seconds, const std::stop_token& stop) {
  const auto end = SteadyClock::now() +
                   milliseconds(static_cast<int64_t>(seconds.value() * 1000));
  while (SteadyClock::now() < end) {
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
  int status = 0;  // of HTTP; 0: no answer, or none that is whole
  std::string body;
  FailedRequest failure;  // where there is none
  Seconds retry_after{0};
  bool too_long = false;
};

class HttpChat final : public ChatClient {
 public:
  HttpChat(ChatEndpoint endpoint, const UrlParts& url)
      : endpoint_(std::move(endpoint)),
        origin_(url.origin),
        path_(url.path + "/chat/completions"),
        address_(url.origin + path_),
        timeout_(static_cast<int64_t>(endpoint_.timeout.value() * 1000)),
        client_(url.origin) {
    client_.set_connection_timeout(timeout_);
    client_.set_read_timeout(timeout_);
    client_.set_write_timeout(timeout_);
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
    // One that drips would go on beyond every timeout of its own.
    const auto began = SteadyClock::now();
    request.content_receiver = [&](const char* data, size_t length, uint64_t,
                                   uint64_t) {
      attempt.too_long = attempt.body.size() + length > kMostReply;
      if (!attempt.too_long) attempt.body.append(data, length);
      return !attempt.too_long && !stop.stop_requested() &&
             SteadyClock::now() - began < timeout_;
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
      const std::chrono::duration<double> took = SteadyClock::now() - began;
      attempt.failure = {origin_,
                         result.error(),
                         attempt.status != 0,
                         Seconds(took.count()),
                         endpoint_.timeout,
                         "timeout_s in [[remote]] gives it longer"};
      attempt.status = 0;
    }
    return attempt;
  }

  Result<ChatReply> Failure(const Attempt& attempt) const {
    if (attempt.too_long)
      return Fail(ErrorCode::kInvalidInput,
                  address_ + " answered more than 1 MB",
                  "is it an OpenAI-compatible endpoint?");
    if (attempt.status == 0) {
      const HttpFailure why = WhyNoAnswer(attempt.failure);
      return Fail(ErrorCode::kRetry,
                  fmt::format("{} {}, in {} tries", address_, why.what,
                              endpoint_.tries),
                  why.hint);
    }
    const std::string said = Excerpt(attempt.body, 200);
    return Fail(CodeOf(attempt.status),
                fmt::format("{} answered HTTP {}{}{}", address_, attempt.status,
                            said.empty() ? "" : ": ", said),
                CureOf(attempt.status));
  }

  static ErrorCode CodeOf(int status) {
    if (status == 401 || status == 403) return ErrorCode::kPermission;
    return MayPass(status) ? ErrorCode::kRetry : ErrorCode::kInvalidInput;
  }

  std::string CureOf(int status) const {
    if (status == 401 || status == 403)
      return endpoint_.key_variable.empty()
                 ? "no key was sent: key in [[remote]] names the environment "
                   "variable that holds one"
                 : fmt::format(
                       "the key in {} was sent: is it right, and may "
                       "it use '{}'?",
                       endpoint_.key_variable, endpoint_.model);
    if (status / 100 == 3)
      return "it leads elsewhere: let url in [[remote]] name where to";
    if (status == 404)
      return fmt::format(
          "is there a model '{}', and is the url complete "
          "(.../v1)?",
          endpoint_.model);
    if (status == 429)
      return "it is asked too often or has no credit left: parallel in "
             "[[remote]] asks fewer at a time";
    if (status >= 500)
      return "the fault is the endpoint's: its log or status page may say more";
    return fmt::format("does model '{}' take chat completions?",
                       endpoint_.model);
  }

  const ChatEndpoint endpoint_;
  const std::string origin_;
  const std::string path_;
  const std::string address_;
  const milliseconds timeout_;
  httplib::Client client_;
};

}  // namespace

Result<std::unique_ptr<ChatClient>> ChatClient::Open(ChatEndpoint endpoint) {
  MODICUM_TRY(const UrlParts url,
              ParseEndpointUrl(endpoint.url, !endpoint.key.empty()));
  return std::make_unique<HttpChat>(std::move(endpoint), url);
}

}  // namespace modicum
