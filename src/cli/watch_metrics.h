// SPDX-License-Identifier: Apache-2.0
// What `modicum watch` saw in Prometheus' text format, for node_exporter's
// textfile collector.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/watcher.h"
#include "record/types.h"

namespace modicum {

// Counters since it began, in base units (joules, grams, seconds); they only
// grow. Power as gauges, with both ends of its 90 % interval.
// Not thread-safe.
class WatchMetrics {
 public:
  void Add(const WatchFrame& frame, const WatchBy& by, const Place& place);
  // The whole exposition as of the last interval.
  std::string Text() const;

 private:
  struct Series {
    double joules = 0;
    double cpu_seconds = 0;
    double watts = 0, low = 0, high = 0;  // of the last interval
  };
  static void Bounds(std::string& text, std::string_view name,
                     const std::string& labels, const Series& series);

  std::map<std::string, Series> series_;   // by consumer
  std::map<std::string, double> domains_;  // joules, by labels
  Series machine_, idle_, unattributed_;
  double grams_ = 0;
  std::string by_, origin_, scope_, place_;
};

}  // namespace modicum
