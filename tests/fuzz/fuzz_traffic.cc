// SPDX-License-Identifier: Apache-2.0
// Texts of /proc/diskstats, /proc/net/dev and /proc/PID/io, two after each
// other with a line "--" between them: what passed is never more than devices
// can move, and a text that was read once is read the same way again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "meter/process_stat.h"
#include "probe/traffic.h"

namespace {

using namespace modicum;  // NOLINT(google-build-using-namespace)

bool NotLoopback(std::string_view device) { return device != "lo"; }

void Check(Result<TrafficCounts> (*parse)(std::string_view, const WantsDevice&),
           std::string_view first, std::string_view second) {
  constexpr TrafficLimit kLimit{1e9, 1e6};
  const auto before = parse(first, NotLoopback);
  const auto now = parse(second, NotLoopback);
  if (!before || !now) return;
  MODICUM_CHECK(TrafficBetween(*now, *now, Seconds(0), kLimit).has_value());
  MODICUM_CHECK(!now->contains("lo"));
  const auto passed = TrafficBetween(*before, *now, Seconds(1), kLimit);
  if (!passed) return;
  MODICUM_CHECK(passed->size() == now->size());
  for (const auto& [device, count] : *passed)
    MODICUM_CHECK(count.bytes <= 1'100'000'000 &&
                  count.operations <= 1'100'000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = text.find("--\n");
  const std::string_view first = text.substr(0, cut);
  const std::string_view second =
      cut == std::string_view::npos ? first : text.substr(cut + 3);
  Check(ParseDiskStats, first, second);
  Check(ParseNetworkDevices, first, second);
  static_cast<void>(ParseDiskBytes(text));
  return 0;
}
