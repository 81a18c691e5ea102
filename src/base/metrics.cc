// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <fmt/format.h>

namespace modicum {
namespace {

// A label's value: \, " and line ends are escaped.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return escaped;
}

std::string LabelsText(const MetricPoint& point) {
  std::string text;
  for (const auto& [name, value] : point.labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name,
                        Escaped(value));
  return text.empty() ? "" : "{" + text + "}";
}

}  // namespace

std::string PrometheusText(std::span<const MetricFamily> families) {
  std::string text;
  for (const MetricFamily& family : families) {
    if (family.name.empty()) continue;
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name,
                        family.help, family.counter ? "counter" : "gauge");
    for (const MetricPoint& point : family.points)
      text +=
          fmt::format("{}{} {}\n", family.name, LabelsText(point), point.value);
  }
  return text;
}

}  // namespace modicum
