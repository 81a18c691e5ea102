// SPDX-License-Identifier: Apache-2.0
#include "agent/otlp.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/trim.h"
#include "base/version.h"

namespace modicum {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPath = "/v1/metrics";
constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

Json Attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

std::string Nanos(WallTime time) { return std::to_string(time.micros) + "000"; }

Json PointJson(const MetricPoint& point, bool counter, WallTime now) {
  Json attributes = Json::array();
  for (const auto& [key, value] : point.labels)
    attributes.push_back(Attribute(key, value));
  Json json = {{"attributes", std::move(attributes)},
               {"timeUnixNano", Nanos(now)},
               {"asDouble", point.value}};
  if (counter) json["startTimeUnixNano"] = Nanos(point.since);
  return json;
}

Json MetricJson(const MetricFamily& family, WallTime now) {
  Json points = Json::array();
  for (const MetricPoint& point : family.points)
    points.push_back(PointJson(point, family.counter, now));
  Json json = {{"name", family.otel},
               {"unit", family.unit},
               {"description", family.help}};
  if (family.counter)
    json["sum"] = {{"dataPoints", std::move(points)},
                   {"aggregationTemporality", kCumulative},
                   {"isMonotonic", true}};
  else
    json["gauge"] = {{"dataPoints", std::move(points)}};
  return json;
}

// "%41" -> "A"; what is no such code stays.
std::string PercentDecoded(std::string_view text) {
  const auto digit = [](char c) {
    const std::string_view digits = "0123456789abcdef";
    return digits.find(static_cast<char>(c | 0x20));
  };
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) < 16 &&
        digit(text[i + 2]) < 16) {
      decoded +=
          static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

bool MayStandInHeader(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

}  // namespace

std::string OtlpJson(std::span<const MetricFamily> families,
                     std::string_view host, WallTime now) {
  Json metrics = Json::array();
  for (const MetricFamily& family : families)
    if (!family.points.empty()) metrics.push_back(MetricJson(family, now));
  Json attributes = Json::array();
  attributes.push_back(Attribute("service.name", "modicum"));
  attributes.push_back(Attribute("service.version", Version()));
  attributes.push_back(Attribute("host.name", host));
  Json scope;
  scope["scope"]["name"] = "modicum";
  scope["metrics"] = std::move(metrics);
  Json resource;
  resource["resource"]["attributes"] = std::move(attributes);
  resource["scopeMetrics"].push_back(std::move(scope));
  Json all;
  all["resourceMetrics"].push_back(std::move(resource));
  // A process may have any bytes as its name.
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<OtlpEndpoint> ParseOtlpUrl(std::string_view url) {
  const size_t scheme = url.starts_with("http://")    ? 7
                        : url.starts_with("https://") ? 8
                                                      : 0;
  const size_t slash = std::min(url.find('/', scheme), url.size());
  if (scheme == 0 || slash == scheme || !MayStandInHeader(url) ||
      url.find_first_of(" ?#@") != std::string_view::npos)
    return Fail(ErrorCode::kInvalidInput,
                "'" + std::string(url) + "' is no URL of a collector",
                "for example --otlp http://127.0.0.1:4318");
  std::string path(url.substr(slash));
  while (path.ends_with('/')) path.pop_back();
  if (!path.ends_with(kPath)) path += kPath;
  return OtlpEndpoint{std::string(url.substr(0, slash)), std::move(path)};
}

Result<std::vector<std::pair<std::string, std::string>>> ParseOtlpHeaders(
    std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = Trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    const std::string name(Trim(part.substr(0, equals)));
    std::string value = equals == std::string_view::npos
                            ? ""
                            : PercentDecoded(Trim(part.substr(equals + 1)));
    const bool token = std::all_of(name.begin(), name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
             c == '_' || c == '.';
    });
    // The value may be a key: it is not shown.
    if (name.empty() || !token || equals == std::string_view::npos ||
        !MayStandInHeader(value))
      return Fail(ErrorCode::kInvalidInput,
                  "OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,NAME=VALUE",
                  "for example api-key=0123,tenant=search");
    headers.emplace_back(name, std::move(value));
  }
  return headers;
}

}  // namespace modicum
