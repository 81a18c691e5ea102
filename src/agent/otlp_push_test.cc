// SPDX-License-Identifier: Apache-2.0
// Against a collector on loopback that answers as it is told.
#include "agent/otlp_push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <mutex>
#include <thread>

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Collector {
 public:
  explicit Collector(int port = 0) {
    server_.Post("/v1/metrics", [this](const httplib::Request& request,
                                       httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(request.body);
      key_ = request.get_header_value("api-key");
      type_ = request.get_header_value("Content-Type");
      response.status = status_;
      response.set_content("{}", "application/json");
    });
    port_ = port == 0 ? server_.bind_to_any_port("127.0.0.1") : port;
    if (port != 0) {
      EXPECT_TRUE(server_.bind_to_port("127.0.0.1", port));
    }
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Collector() { server_.stop(); }

  int port() const { return port_; }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }
  void Answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  size_t pushes() {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return bodies_.empty() ? "" : bodies_.back();
  }
  std::string key() {
    const std::lock_guard lock(mutex_);
    return key_ + " " + type_;
  }

 private:
  httplib::Server server_;
  std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::string key_, type_;
  int status_ = 200;
  int port_ = 0;
  std::jthread thread_;
};

class Log {
 public:
  void Add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

AgentSource SourceOf(Log& log) {
  return {[] {
            return std::vector<MetricFamily>{
                {"a", "hw.power", "W", "Power.", false, {{{}, 2.5}}}};
          },
          [] { return std::string(); }, [] { return true; },
          [&log](const std::string& line) { log.Add(line); }};
}

AgentOptions OptionsOf(const std::string& url, double period = 0.02) {
  AgentOptions options;
  options.otlp = url;
  options.otlp_headers = "api-key=0123";
  options.otlp_period = Seconds(period);
  options.host = "node7";
  return options;
}

template <class Condition>
bool Becomes(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

TEST(OtlpPush, PushesAgainAndAgain) {
  Collector collector;
  Log log;
  const AgentSource source = SourceOf(log);
  const auto push = OtlpPush::Open(OptionsOf(collector.url()));
  ASSERT_TRUE(push);
  (*push)->Serve(source);
  EXPECT_TRUE(Becomes([&] { return collector.pushes() >= 3; }));
  EXPECT_THAT(collector.last(), HasSubstr("hw.power"));
  EXPECT_EQ(collector.key(), "0123 application/json");
  EXPECT_TRUE(log.lines().empty());
}

TEST(OtlpPush, TheLastPushIsMadeWhenItGoes) {
  Collector collector;
  Log log;
  const AgentSource source = SourceOf(log);
  {
    const auto push = OtlpPush::Open(OptionsOf(collector.url(), 3600));
    ASSERT_TRUE(push);
    (*push)->Serve(source);
  }
  EXPECT_EQ(collector.pushes(), 1u);
}

TEST(OtlpPush, ACollectorThatFailsIsSaidOnceAndSoIsItsReturn) {
  Collector collector;
  collector.Answer(500);
  Log log;
  const AgentSource source = SourceOf(log);
  const auto push = OtlpPush::Open(OptionsOf(collector.url()));
  ASSERT_TRUE(push);
  (*push)->Serve(source);
  EXPECT_TRUE(Becomes([&] { return collector.pushes() >= 3; }));
  collector.Answer(200);
  EXPECT_TRUE(Becomes([&] { return log.lines().size() == 2; }));
  EXPECT_THAT(
      log.lines(),
      ElementsAre(collector.url() + "/v1/metrics answers HTTP 500; what it "
                                    "misses comes with the next push",
                  collector.url() + "/v1/metrics answers again"));
}

TEST(OtlpPush, OneThatIsNotThereYetIsFoundLater) {
  const int port = Collector().port();
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  Log log;
  const AgentSource source = SourceOf(log);
  const auto push = OtlpPush::Open(OptionsOf(url));
  ASSERT_TRUE(push);
  (*push)->Serve(source);
  EXPECT_TRUE(Becomes([&] { return log.lines().size() == 1; }));
  EXPECT_THAT(log.lines()[0], HasSubstr("does not answer"));
  Collector late(port);
  EXPECT_TRUE(Becomes([&] { return late.pushes() > 0; }));
  EXPECT_TRUE(Becomes([&] { return log.lines().size() == 2; }));
}

}  // namespace
}  // namespace modicum
