// SPDX-License-Identifier: Apache-2.0
#include "probe/traffic.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "base/trim.h"

namespace modicum {
namespace {

// Linux counts in these whatever the device's own are
// (Documentation/admin-guide/iostats.rst).
constexpr uint64_t kSectorBytes = 512;
// What the kernel had counted but not shown yet.
constexpr Seconds kSlack{0.1};

std::string_view TakeLine(std::string_view& text) {
  const size_t length = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return line;
}

std::string_view TakeField(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const size_t length = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, length);
  line.remove_prefix(length);
  return field;
}

// The first numbers of `line`; false when there are fewer.
bool TakeNumbers(std::string_view line, std::span<uint64_t> numbers) {
  for (uint64_t& number : numbers) {
    const std::string_view field = TakeField(line);
    const char* end = field.data() + field.size();
    const auto [stop, error] = std::from_chars(field.data(), end, number);
    if (error != std::errc() || stop != end) return false;
  }
  return true;
}

tl::unexpected<Error> CutShort(const char* file, std::string_view device) {
  return Fail(ErrorCode::kRetry, std::string(file) + " is cut short at '" +
                                     std::string(device) + "'");
}

// Counted on from `before` to `now`, in at most `most`.
std::optional<uint64_t> Passed(uint64_t before, uint64_t now, double most) {
  if (now < before) return std::nullopt;
  if (static_cast<double>(now - before) > most) return std::nullopt;
  return now - before;
}

}  // namespace

std::optional<TrafficCounts> TrafficBetween(const TrafficCounts& before,
                                            const TrafficCounts& now,
                                            Seconds span,
                                            const TrafficLimit& limit) {
  const double seconds = (span + kSlack).value();
  TrafficCounts passed;
  if (before.size() != now.size()) return std::nullopt;
  for (const auto& [device, count] : now) {
    const auto found = before.find(device);
    if (found == before.end()) return std::nullopt;
    const TrafficCount& last = found->second;
    const auto bytes = Passed(last.bytes, count.bytes, limit.bytes * seconds);
    const auto operations =
        Passed(last.operations, count.operations, limit.operations * seconds);
    if (!bytes || !operations) return std::nullopt;
    passed[device] = {*bytes, *operations, count.busy_ms - last.busy_ms};
  }
  return passed;
}

// major minor name reads merged sectors ms writes merged sectors ms in-flight
// busy-ms ...
Result<TrafficCounts> ParseDiskStats(std::string_view text,
                                     const WantsDevice& wanted) {
  TrafficCounts counts;
  bool any = false;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    TakeField(line);
    TakeField(line);
    const std::string_view name = TakeField(line);
    if (name.empty()) continue;
    any = true;
    if (!wanted(name)) continue;
    std::array<uint64_t, 10> numbers{};
    if (!TakeNumbers(line, numbers)) return CutShort("/proc/diskstats", name);
    counts[std::string(name)] = {(numbers[2] + numbers[6]) * kSectorBytes,
                                 numbers[0] + numbers[4],
                                 static_cast<uint32_t>(numbers[9])};
  }
  if (!any) return Fail(ErrorCode::kRetry, "/proc/diskstats lists no device");
  return counts;
}

// Two lines of titles, then "name: received-bytes packets (6 more) sent-bytes
// packets ...". A long count may stand right behind the colon.
Result<TrafficCounts> ParseNetworkDevices(std::string_view text,
                                          const WantsDevice& wanted) {
  TrafficCounts counts;
  bool any = false;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    const size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = Trim(line.substr(0, colon));
    any = true;
    if (!wanted(name)) continue;
    std::array<uint64_t, 10> numbers{};
    if (!TakeNumbers(line.substr(colon + 1), numbers))
      return CutShort("/proc/net/dev", name);
    counts[std::string(name)] = {numbers[0] + numbers[8],
                                 numbers[1] + numbers[9], 0};
  }
  if (!any) return Fail(ErrorCode::kRetry, "/proc/net/dev lists no interface");
  return counts;
}

TrafficReader::TrafficReader(const RootFs& fs, Source source,
                             WantsDevice wanted)
    : source_(std::move(source)),
      wanted_(std::move(wanted)),
      file_(fs, source_.file) {}

Result<TrafficCounts> TrafficReader::ReadCounts() {
  MODICUM_RETURN_IF_ERROR(file_.ReadInto(buffer_));
  return source_.parse(buffer_, wanted_);
}

Status TrafficReader::Start(MonotonicTime now) {
  MODICUM_TRY(last_, ReadCounts());
  last_at_ = now;
  based_ = true;
  return {};
}

Result<TrafficReader::Passed> TrafficReader::Read(MonotonicTime now) {
  auto counts = ReadCounts();
  if (!counts) {
    based_ = false;
    return Fail(std::move(counts).error());
  }
  const Seconds span = now - std::exchange(last_at_, now);
  const TrafficCounts before = std::exchange(last_, *std::move(counts));
  if (!std::exchange(based_, true)) return Passed{span, std::nullopt};
  return Passed{span, TrafficBetween(before, last_, span, source_.limit)};
}

}  // namespace modicum
