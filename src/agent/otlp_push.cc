// SPDX-License-Identifier: Apache-2.0
// The client of cpp-httplib.
#include "agent/otlp_push.h"

#include <httplib.h>

#include <optional>
#include <stop_token>
#include <thread>

#include "agent/otlp.h"
#include "base/wait.h"

namespace modicum {
namespace {

constexpr time_t kPatience = 5;  // seconds

class Push final : public OtlpPush {
 public:
  Push(const AgentOptions& options, OtlpEndpoint endpoint,
       httplib::Headers headers)
      : host_(options.host),
        period_(options.otlp_period),
        endpoint_(std::move(endpoint)),
        headers_(std::move(headers)),
        client_(endpoint_.origin) {
    client_.set_connection_timeout(kPatience);
    client_.set_read_timeout(kPatience);
    client_.set_write_timeout(kPatience);
  }

  // A last push, so that nothing since the one before is lost.
  ~Push() override {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  void Serve(const AgentSource& source) override {
    source_ = &source;
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

 private:
  void Run(const std::stop_token& stop) {
    bool goes_on = true;
    while (goes_on) {
      goes_on = WaitFor(period_, stop);
      Send();
    }
  }

  void Send() {
    const auto families = source_->metrics();
    if (families.empty()) return;
    const auto reply = client_.Post(
        endpoint_.path.c_str(), headers_,
        OtlpJson(families, host_, SystemClock().WallNow()), "application/json");
    if (!reply)
      Note("does not answer: " + httplib::to_string(reply.error()));
    else if (reply->status < 200 || reply->status >= 300)
      Note("answers HTTP " + std::to_string(reply->status));
    else
      Note(std::nullopt);
  }

  // Said once, not with every push.
  void Note(const std::optional<std::string>& failure) {
    if (failure.has_value() == failing_) return;
    failing_ = failure.has_value();
    const std::string where = endpoint_.origin + endpoint_.path;
    source_->say(failing_ ? where + " " + *failure +
                                "; what it misses comes with the next push"
                          : where + " answers again");
  }

  const std::string host_;
  const Seconds period_;
  const OtlpEndpoint endpoint_;
  const httplib::Headers headers_;
  const AgentSource* source_ = nullptr;
  httplib::Client client_;
  bool failing_ = false;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<OtlpPush>> OtlpPush::Open(const AgentOptions& options) {
  MODICUM_TRY(OtlpEndpoint endpoint, ParseOtlpUrl(options.otlp));
  MODICUM_TRY(const auto headers, ParseOtlpHeaders(options.otlp_headers));
  return std::make_unique<Push>(
      options, std::move(endpoint),
      httplib::Headers(headers.begin(), headers.end()));
}

}  // namespace modicum
