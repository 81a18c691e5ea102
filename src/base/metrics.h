// SPDX-License-Identifier: Apache-2.0
// Series for monitoring systems, and Prometheus' text format.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace modicum {

struct MetricPoint {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
  WallTime since = {};  // of a counter: when it was zero
};

// What is measured, with a point for each set of labels.
struct MetricFamily {
  // For Prometheus, with the base unit in its name; "" is not shown there.
  std::string_view name;
  std::string_view otel;  // for OpenTelemetry: "modicum.power"
  std::string_view unit;  // in UCUM's letters: "J", "W", "s", "g"
  std::string_view help;
  bool counter = false;  // it only grows; else a gauge
  std::vector<MetricPoint> points = {};
};

// The text exposition format, version 0.0.4.
std::string PrometheusText(std::span<const MetricFamily> families);

}  // namespace modicum
