// SPDX-License-Identifier: Apache-2.0
#include "agent/otlp.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace modicum {
namespace {

TEST(OtlpJson, HasSumsAndGaugesAsTheProtocolWantsThem) {
  const std::vector<MetricFamily> families = {
      {"",
       "hw.energy",
       "J",
       "Energy",
       true,
       {{{{"hw.id", "package-0"}, {"hw.type", "cpu"}}, 1.5, {1'000'000}}}},
      {"p", "modicum.power", "W", "Power", false, {{{}, 2}}},
      {"n", "modicum.none", "W", "nothing yet", false, {}}};
  const auto json =
      nlohmann::json::parse(OtlpJson(families, "node7", {2'000'000}));
  const auto& resource = json["resourceMetrics"][0];
  EXPECT_EQ(resource["resource"]["attributes"][0],
            nlohmann::json::parse(R"({"key": "service.name",
                                      "value": {"stringValue": "modicum"}})"));
  EXPECT_EQ(resource["resource"]["attributes"][2]["value"]["stringValue"],
            "node7");
  const auto& scope = resource["scopeMetrics"][0];
  EXPECT_EQ(scope["scope"]["name"], "modicum");
  ASSERT_EQ(scope["metrics"].size(), 2u);
  EXPECT_EQ(scope["metrics"][0], nlohmann::json::parse(R"({
      "name": "hw.energy", "unit": "J", "description": "Energy",
      "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{
        "attributes": [{"key": "hw.id", "value": {"stringValue": "package-0"}},
                       {"key": "hw.type", "value": {"stringValue": "cpu"}}],
        "startTimeUnixNano": "1000000000", "timeUnixNano": "2000000000",
        "asDouble": 1.5}]}})"));
  EXPECT_EQ(scope["metrics"][1], nlohmann::json::parse(R"({
      "name": "modicum.power", "unit": "W", "description": "Power",
      "gauge": {"dataPoints": [{"attributes": [],
        "timeUnixNano": "2000000000", "asDouble": 2.0}]}})"));
}

TEST(OtlpJson, ANameOfAnyBytesIsStillJson) {
  const std::vector<MetricFamily> families = {
      {"p", "p", "W", "P", false, {{{{"name", "a\xff\n\"b"}}, 2}}}};
  EXPECT_FALSE(
      nlohmann::json::parse(OtlpJson(families, "\xfe", {}), nullptr, false)
          .is_discarded());
}

TEST(ParseOtlpUrl, AddsThePathUnlessItIsThere) {
  const auto parts = [](std::string_view url) {
    const auto endpoint = ParseOtlpUrl(url);
    return endpoint ? endpoint->origin + " " + endpoint->path
                    : endpoint.error().message;
  };
  EXPECT_EQ(parts("http://127.0.0.1:4318"),
            "http://127.0.0.1:4318 /v1/metrics");
  EXPECT_EQ(parts("http://h/"), "http://h /v1/metrics");
  EXPECT_EQ(parts("https://h/otlp/"), "https://h /otlp/v1/metrics");
  EXPECT_EQ(parts("http://h:1/v1/metrics"), "http://h:1 /v1/metrics");
  for (const char* wrong : {"", "h:4318", "ftp://h", "http://", "http:///p",
                            "http://h/a b", "http://h\r\n", "http://u@h"})
    EXPECT_EQ(parts(wrong),
              "'" + std::string(wrong) + "' is no URL of a collector");
}

TEST(ParseOtlpHeaders, ReadsPairsAndShowsNoneOfThemInAnError) {
  const auto headers = ParseOtlpHeaders(" api-key = a%3Db%zz ,, tenant=x");
  ASSERT_TRUE(headers);
  ASSERT_EQ(headers->size(), 2u);
  EXPECT_EQ((*headers)[0],
            std::pair(std::string("api-key"), std::string("a=b%zz")));
  EXPECT_EQ((*headers)[1].second, "x");
  EXPECT_TRUE(ParseOtlpHeaders("")->empty());
  for (const char* wrong : {"secret", "=secret", "a b=secret", "a=se%0acret"}) {
    const auto failed = ParseOtlpHeaders(wrong);
    ASSERT_FALSE(failed) << wrong;
    EXPECT_EQ(failed.error().message,
              "OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,NAME=VALUE");
  }
}

}  // namespace
}  // namespace modicum
