// SPDX-License-Identifier: Apache-2.0
#include "agent/http_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

namespace modicum {
namespace {

using testing::HasSubstr;

struct Fixture {
  AgentSource source{[this] {
                       ++asked;
                       return std::vector<MetricFamily>{
                           {"a_watts", "a", "W", "Power.", false, {{{}, 2.5}}}};
                     },
                     [] { return std::string(); },
                     [this] { return healthy.load(); },
                     [](const std::string&) {}};
  std::atomic<int> asked = 0;
  std::atomic<bool> healthy = true;
  std::unique_ptr<HttpEndpoint> endpoint = [this] {
    auto opened = HttpEndpoint::Open("127.0.0.1", 0);
    EXPECT_TRUE(opened) << opened.error().message;
    (*opened)->Serve(source);
    return *std::move(opened);
  }();

  int port() const {
    const std::string url = endpoint->url();
    return std::stoi(url.substr(url.rfind(':') + 1));
  }
};

TEST(HttpEndpoint, ServesMetrics) {
  const Fixture fixture;
  httplib::Client client("127.0.0.1", fixture.port());
  const auto reply = client.Get("/metrics");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body,
            "# HELP a_watts Power.\n# TYPE a_watts gauge\n"
            "a_watts 2.5\n");
  EXPECT_EQ(reply->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(client.Get("/")->body, HasSubstr("/metrics"));
  EXPECT_EQ(client.Get("/else")->status, 404);
  EXPECT_EQ(client.Post("/metrics", "", "text/plain")->status, 404);
}

TEST(HttpEndpoint, SaysWhetherItIsWell) {
  Fixture fixture;
  httplib::Client client("127.0.0.1", fixture.port());
  EXPECT_EQ(client.Get("/health")->status, 200);
  fixture.healthy = false;
  EXPECT_EQ(client.Get("/health")->status, 503);
}

TEST(HttpEndpoint, AnswersManyAtOnce) {
  const Fixture fixture;
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        httplib::Client client("127.0.0.1", fixture.port());
        for (int k = 0; k < 25; ++k) {
          const auto reply = client.Get("/metrics");
          right += reply && reply->status == 200;
        }
      });
  }
  EXPECT_EQ(right, 200);
  EXPECT_EQ(fixture.asked, 200);
}

TEST(HttpEndpoint, APortThatIsTakenIsNotShared) {
  const Fixture fixture;
  const auto second = HttpEndpoint::Open("127.0.0.1", fixture.port());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              testing::StartsWith("cannot listen on 127.0.0.1:"));
}

TEST(HttpEndpoint, AnAddressThatIsNotOursIsNamed) {
  const auto endpoint = HttpEndpoint::Open("192.0.2.1", 9464);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::kIo);
  EXPECT_THAT(endpoint.error().message, HasSubstr("192.0.2.1:9464"));
}

}  // namespace
}  // namespace modicum
