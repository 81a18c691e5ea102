// SPDX-License-Identifier: Apache-2.0
// The probe of everything that is one number in one place, read again and
// again. What there is, and which of it counts, each kind finds out in a file
// of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "probe/gauge.h"
#include "probe/kept_file.h"
#include "probe/probe.h"

namespace modicum {

// Where a number is read. Not thread-safe.
class CountReader {
 public:
  virtual ~CountReader() = default;
  virtual Result<uint64_t> Read() = 0;
};

// A file that holds one unsigned decimal integer; kRetry where it does not.
// Lifetime: the file system outlives it.
class FileCount final : public CountReader {
 public:
  FileCount(const RootFs& fs, std::string path)
      : path_(path), file_(fs, std::move(path)) {}
  Result<uint64_t> Read() override;

 private:
  const std::string path_;
  KeptFile file_;
  std::string buffer_;  // reused: no allocation per sample
};

struct Sensor {
  Domain domain;
  std::unique_ptr<CountReader> reader;
  Gauge gauge;

  // Takes the first reading.
  Status Start(MonotonicTime now);
};

// What a kind of source found: started sensors, at least one of them counted.
struct SensorSource {
  std::vector<Sensor> sensors;
  std::vector<Share> errors;  // of every joule
  // Of the report; `covers` is else the names of those that count.
  std::string reading;
  std::string covers = {};
  // Why not all of it can be used, or not by itself.
  Error note{ErrorCode::kUnavailable, "", ""};
};
// Names of those that count, "package-0, package-1".
std::string NamesOf(const std::vector<Sensor>& sensors);
Result<std::unique_ptr<Probe>> OpenSource(std::string_view name,
                                          Result<SensorSource> source);
ProbeReport ReportSource(std::string_view name,
                         const Result<SensorSource>& source);

class SensorProbe final : public Probe {
 public:
  // `sensors` are started.
  SensorProbe(std::string_view name, std::vector<Sensor> sensors,
              std::vector<Share> errors);

  std::string_view name() const override { return name_; }
  std::span<const Domain> domains() const override { return domains_; }
  // kRetry, kEnded or kPermission when nothing could be read; a sensor that
  // fails alone is a gap in its domain.
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::vector<Share> relative_errors() const override { return errors_; }
  std::optional<Estimate<Watts>> idle_power() const override { return {}; }
  // Of the slowest that counts.
  Seconds update_period() const override;

 private:
  const std::string_view name_;
  std::vector<Sensor> sensors_;
  std::vector<Domain> domains_;
  const std::vector<Share> errors_;
};

}  // namespace modicum
