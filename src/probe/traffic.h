// SPDX-License-Identifier: Apache-2.0
// Counts of bytes and operations by device, as /proc/diskstats and
// /proc/net/dev have them, and what two readings in a row mean.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "probe/kept_file.h"

namespace modicum {

struct TrafficCount {
  uint64_t bytes = 0;  // both ways
  uint64_t operations = 0;
  uint32_t busy_ms = 0;  // wraps, as the kernel's does
};
using TrafficCounts = std::map<std::string, TrafficCount, std::less<>>;

// What no device of this kind moves in a second.
struct TrafficLimit {
  double bytes;
  double operations;
};

// What passed through each device in `span`. nullopt, which is a gap: a device
// came or went, a count went back, or one jumped further than devices can.
std::optional<TrafficCounts> TrafficBetween(const TrafficCounts& before,
                                            const TrafficCounts& now,
                                            Seconds span,
                                            const TrafficLimit& limit);

// By device, those alone for which `wanted` holds. kRetry: a wanted line is cut
// short, or there is no line at all.
using WantsDevice = std::function<bool(std::string_view)>;
Result<TrafficCounts> ParseDiskStats(std::string_view text,
                                     const WantsDevice& wanted);
Result<TrafficCounts> ParseNetworkDevices(std::string_view text,
                                          const WantsDevice& wanted);

// One of those files, read again and again.
// Not thread-safe.
// Lifetime: the file system outlives it.
class TrafficReader {
 public:
  struct Source {
    std::string file;
    Result<TrafficCounts> (*parse)(std::string_view, const WantsDevice&);
    TrafficLimit limit;
  };
  struct Passed {
    Seconds span;
    std::optional<TrafficCounts> counts;  // absent: a gap
  };
  TrafficReader(const RootFs& fs, Source source, WantsDevice wanted);

  // Takes the first reading.
  Status Start(MonotonicTime now);
  // Since the last one. A failure makes the next success a gap.
  Result<Passed> Read(MonotonicTime now);
  int devices() const { return static_cast<int>(last_.size()); }

 private:
  Result<TrafficCounts> ReadCounts();

  const Source source_;
  const WantsDevice wanted_;
  KeptFile file_;
  TrafficCounts last_;
  MonotonicTime last_at_;
  bool based_ = false;  // last_ is a reading from which a delta may start
  std::string buffer_;  // reused
};

}  // namespace modicum
