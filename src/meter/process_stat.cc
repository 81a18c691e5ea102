// SPDX-License-Identifier: Apache-2.0
#include "meter/process_stat.h"

#include "meter/words.h"

namespace modicum {

std::string PidPath(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + std::string(file);
}

// pid (comm) state ppid ... utime(14) stime cutime cstime ... threads(20) ...
// start(22) size resident(24) ... processor(39). The name may hold spaces and
// parentheses: fields count from the last.
std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  const size_t begin = text.find('(');
  const size_t end = text.rfind(')');
  if (end == std::string_view::npos || begin > end) return std::nullopt;
  ProcessStat stat;
  stat.name = text.substr(begin + 1, end - begin - 1);
  text.remove_prefix(end + 1);
  for (int field = 3; field <= 22; ++field) {
    const std::string_view word = TakeWord(text);
    uint64_t number = 0;
    if (field == 4 && !ParseNumber(word, stat.parent)) return std::nullopt;
    if (field == 3) stat.running = word == "R";
    if (field == 20 && !ParseNumber(word, stat.threads)) return std::nullopt;
    if (field < 14 || (field > 17 && field < 22)) continue;
    if (!ParseNumber(word, number)) return std::nullopt;
    if (field <= 15)
      stat.ticks += number;
    else if (field <= 17)
      stat.waited += number;
    else
      stat.start = number;
  }
  TakeWord(text);
  ParseNumber(TakeWord(text), stat.resident);
  for (int field = 25; field < 39; ++field) TakeWord(text);
  ParseNumber(TakeWord(text), stat.cpu);
  return stat;
}

// "read_bytes: 4096" and so on. What was written and then cut off before it
// reached the disk was cancelled.
std::optional<uint64_t> ParseDiskBytes(std::string_view text) {
  std::optional<uint64_t> read, written, cancelled;
  while (!text.empty()) {
    std::string_view line = TakeUntil(text, '\n');
    const std::string_view key = TakeWord(line);
    uint64_t bytes = 0;
    if (!ParseNumber(TakeWord(line), bytes)) continue;
    if (key == "read_bytes:") read = bytes;
    if (key == "write_bytes:") written = bytes;
    if (key == "cancelled_write_bytes:") cancelled = bytes;
  }
  if (!read || !written || !cancelled) return std::nullopt;
  return *read + (*written > *cancelled ? *written - *cancelled : 0);
}

std::optional<ProcessSchedule> ParseProcessSchedule(std::string_view text) {
  ProcessSchedule schedule;
  uint64_t waited = 0;
  if (!ParseNumber(TakeWord(text), schedule.nanos) ||
      !ParseNumber(TakeWord(text), waited) ||
      !ParseNumber(TakeWord(text), schedule.times) || schedule.nanos == 0)
    return std::nullopt;
  return schedule;
}

}  // namespace modicum
