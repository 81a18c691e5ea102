// SPDX-License-Identifier: Apache-2.0
#include "probe/sensor_probe.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace modicum {
namespace {

// What the sampler does next: what has vanished will not come back.
Error ForSampler(Error error) {
  if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kEnded;
  if (error.code != ErrorCode::kEnded && error.code != ErrorCode::kPermission)
    error.code = ErrorCode::kRetry;
  return error;
}

}  // namespace

Result<uint64_t> FileCount::Read() {
  MODICUM_RETURN_IF_ERROR(file_.ReadInto(buffer_));
  uint64_t value = 0;
  const char* end = buffer_.data() + buffer_.size();
  const auto [stop, error] = std::from_chars(buffer_.data(), end, value);
  if (error != std::errc() || (stop != end && *stop != '\n'))
    return Fail(ErrorCode::kRetry, path_ + " holds no unsigned integer");
  return value;
}

Status Sensor::Start(MonotonicTime now) {
  MODICUM_TRY(const uint64_t count, reader->Read());
  Advance(gauge, count, now);
  return {};
}

std::string NamesOf(const std::vector<Sensor>& sensors) {
  std::string text;
  for (const Sensor& sensor : sensors)
    if (sensor.domain.counted)
      text += (text.empty() ? "" : ", ") + sensor.domain.name;
  return text;
}

Result<std::unique_ptr<Probe>> OpenSource(std::string_view name,
                                          Result<SensorSource> source) {
  if (!source) return Fail(std::move(source).error());
  return std::unique_ptr<Probe>(new SensorProbe(
      name, std::move(source->sensors), std::move(source->errors)));
}

ProbeReport ReportSource(std::string_view name,
                         const Result<SensorSource>& source) {
  ProbeReport report = ReportOf(name, source);
  if (!source) return report;
  report.covers =
      source->covers.empty() ? NamesOf(source->sensors) : source->covers;
  report.reading = source->reading;
  report.reason = source->note.message;
  report.cure = source->note.hint;
  return report;
}

SensorProbe::SensorProbe(std::string_view name, std::vector<Sensor> sensors,
                         std::vector<Share> errors)
    : name_(name), sensors_(std::move(sensors)), errors_(std::move(errors)) {
  for (const Sensor& sensor : sensors_) domains_.push_back(sensor.domain);
}

Result<std::vector<DomainDelta>> SensorProbe::Read(MonotonicTime now) {
  std::vector<DomainDelta> deltas;
  deltas.reserve(sensors_.size());
  std::optional<Error> failure;
  size_t failures = 0;
  for (Sensor& sensor : sensors_) {
    auto count = sensor.reader->Read();
    if (count) {
      deltas.push_back(Advance(sensor.gauge, *count, now));
      continue;
    }
    Lose(sensor.gauge);
    deltas.push_back({Joules(0), true});
    ++failures;
    if (!failure) failure = std::move(count).error();
  }
  if (failures == sensors_.size()) return Fail(ForSampler(*std::move(failure)));
  return deltas;
}

Seconds SensorProbe::update_period() const {
  Seconds longest;
  for (const Sensor& sensor : sensors_)
    if (sensor.domain.counted)
      longest = std::max(longest, PeriodOf(sensor.gauge));
  return longest;
}

}  // namespace modicum
