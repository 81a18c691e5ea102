// SPDX-License-Identifier: Apache-2.0
#include "meter/host_cpu.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace modicum {
namespace {

// Columns of the "cpu" lines: proc(5). Guest time is inside user and nice.
enum Column { kUser, kNice, kSystem, kIdle, kIoWait, kIrq, kSoftIrq, kSteal };

// The next unsigned number of `text`, which is cut behind it.
bool TakeNumber(std::string_view& text, uint64_t& value) {
  const size_t start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return true;
}

}  // namespace

Seconds HostCpuReader::Tick() {
  static const Seconds tick(1.0 / static_cast<double>(sysconf(_SC_CLK_TCK)));
  return tick;
}

std::optional<CpuTicks> ParseCpuTicks(std::string_view columns) {
  std::array<uint64_t, 8> ticks{};
  size_t count = 0;
  while (count < ticks.size() && TakeNumber(columns, ticks[count])) ++count;
  // Kernels before 2.6.11 have no steal; fewer columns mean another format.
  if (count < kSteal) return std::nullopt;
  const uint64_t busy = ticks[kUser] + ticks[kNice] + ticks[kSystem] +
                        ticks[kIrq] + ticks[kSoftIrq];
  return CpuTicks{busy, ticks[kSteal],
                  busy + ticks[kIdle] + ticks[kIoWait] + ticks[kSteal]};
}

Result<HostCpu> HostCpuReader::Read() {
  MODICUM_RETURN_IF_ERROR(stat_.ReadInto(buffer_));
  std::string_view line = buffer_;
  line = line.substr(0, line.find('\n'));
  const auto ticks =
      line.starts_with("cpu ") ? ParseCpuTicks(line.substr(4)) : std::nullopt;
  if (!ticks)
    return Fail(ErrorCode::kInvalidInput,
                "/proc/stat does not begin with the CPU totals",
                "mount a Linux /proc");
  return HostCpu{FromTicks(ticks->busy), FromTicks(ticks->steal)};
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=<microseconds>"
Seconds HostCpuReader::ReadPressure() {
  if (!has_pressure_) return Seconds(0);
  if (!pressure_.ReadInto(buffer_)) {
    has_pressure_ = false;
    return Seconds(0);
  }
  const std::string_view text = buffer_;
  const size_t total = text.find("total=");
  uint64_t micros = 0;
  if (text.starts_with("some ") && total != std::string_view::npos) {
    std::string_view rest = text.substr(total + 6);
    TakeNumber(rest, micros);
  }
  return Seconds(static_cast<double>(micros) / 1e6);
}

int HostCpuReader::CountCpus() {
  if (!stat_.ReadInto(buffer_)) return 0;
  int cpus = 0;
  const std::string_view text = buffer_;
  for (size_t at = text.find("\ncpu"); at != std::string_view::npos;
       at = text.find("\ncpu", at + 1))
    ++cpus;
  return cpus;
}

}  // namespace modicum
