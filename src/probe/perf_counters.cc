// SPDX-License-Identifier: Apache-2.0
#include "probe/perf_counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace modicum {
namespace {

class EventReader final : public CountReader {
 public:
  explicit EventReader(int fd) : fd_(fd) {}
  ~EventReader() override { close(fd_); }
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  Result<uint64_t> Read() override {
    uint64_t count = 0;
    const ssize_t n = read(fd_, &count, sizeof count);
    if (n == sizeof count) return count;
    // A CPU that went offline takes its counter with it: nothing to read.
    if (n == 0) return Fail(ErrorCode::kEnded, "the perf event is off its CPU");
    return Fail(ErrorCode::kRetry, std::string("cannot read a perf event: ") +
                                       std::strerror(errno));
  }

 private:
  const int fd_;
};

class System final : public PerfCounters {
 public:
  Result<std::unique_ptr<CountReader>> Open(uint32_t type, uint64_t config,
                                            int cpu) const override {
    perf_event_attr attr = {};
    attr.size = sizeof attr;
    attr.type = type;
    attr.config = config;
    const long fd =
        syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0)
      return std::unique_ptr<CountReader>(
          new EventReader(static_cast<int>(fd)));
    const bool denied = errno == EACCES || errno == EPERM;
    return Fail(denied ? ErrorCode::kPermission : ErrorCode::kUnavailable,
                std::string("perf_event_open: ") + std::strerror(errno));
  }
};

}  // namespace

const PerfCounters& SystemPerfCounters() {
  static const System system;
  return system;
}

}  // namespace modicum
