// SPDX-License-Identifier: Apache-2.0
// What /proc/PID/stat says of a process's CPU time and family.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace modicum {

struct ProcessStat {
  std::string name;  // at most 15 bytes: fits a string without allocation
  pid_t parent = 0;
  uint64_t ticks = 0;   // user + system, its own threads
  uint64_t waited = 0;  // the same of the dead children it waited for
  uint64_t start = 0;   // ticks since boot: tells a reused pid
  uint32_t threads = 0;
  uint64_t resident = 0;  // pages of memory; 0 also where the text has none
  bool running = false;   // on a CPU or waiting for one
  int cpu = -1;  // of its first thread, where it ran last; -1: not told
};

// What changes whenever a thread runs.
struct ProcessSchedule {
  uint64_t nanos = 0;  // on a CPU
  uint64_t times = 0;  // that it came onto one
  friend bool operator==(const ProcessSchedule&,
                         const ProcessSchedule&) = default;
};

// "/proc/PID", and `file` behind it: "/stat".
std::string PidPath(pid_t pid, std::string_view file);
// proc(5); nullopt when a field is missing or no number.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);
// Of /proc/PID/io: bytes that went to and came from disks, of the process and
// of the dead children it waited for. nullopt where a line is missing.
std::optional<uint64_t> ParseDiskBytes(std::string_view text);
// Of /proc/PID/schedstat: the first thread's. nullopt also where the kernel
// does not count, and says 0.
std::optional<ProcessSchedule> ParseProcessSchedule(std::string_view text);

}  // namespace modicum
