// SPDX-License-Identifier: Apache-2.0
// Texts of /proc/PID/stat, schedstat and cgroup: a name is never longer than
// the text, and a group's name never empty where it has a path.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "meter/cgroup.h"
#include "meter/process_stat.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto stat = ParseProcessStat(text))
    MODICUM_CHECK(stat->name.size() + 2 <= size);
  if (const auto schedule = ParseProcessSchedule(text))
    MODICUM_CHECK(schedule->nanos > 0);
  const std::string path = CgroupPath(text);
  MODICUM_CHECK(path.size() <= size);
  MODICUM_CHECK(path.empty() || !CgroupName(path).empty());
  return 0;
}
