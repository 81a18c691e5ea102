// SPDX-License-Identifier: Apache-2.0
// What `modicum watch` and `modicum agent` saw, as series for monitoring
// systems.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "cli/watcher.h"
#include "record/types.h"

namespace modicum {

// Counters since it began, in base units (joules, grams, seconds); they only
// grow. Power as gauges, with both ends of its 90 % interval. Whoever has not
// been seen for ten minutes is forgotten.
// Not thread-safe.
class WatchMetrics {
 public:
  void Add(const WatchFrame& frame, const WatchBy& by, const Place& place);
  // As of the last interval.
  std::vector<MetricFamily> Families() const;

 private:
  struct Series {
    WallTime since;
    Seconds seen;  // of the time watched, when it was there last
    double joules = 0;
    double cpu_seconds = 0;
    double watts = 0, low = 0, high = 0;  // of the last interval
  };
  // Of one domain.
  struct Source {
    DomainEnergy latest;
    Series series;
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;
  static MetricPoint Counter(Labels labels, const Series& series, double value);
  static void AddBounds(const Labels& labels, const Series& series,
                        MetricFamily& family);
  void AddMachine(std::vector<MetricFamily>& families) const;
  void AddConsumers(std::vector<MetricFamily>& families) const;
  void AddHardware(std::vector<MetricFamily>& families) const;

  std::map<std::string, Series> series_;   // by consumer
  std::map<std::string, Source> sources_;  // by domain
  Series machine_, idle_, unattributed_;
  double grams_ = 0;
  std::string by_, origin_, scope_, place_;
};

}  // namespace modicum
