// SPDX-License-Identifier: Apache-2.0
// Who ended and how much CPU time he had used, told by the kernel at that
// moment: processes that live and die between two looks at /proc are known by
// name instead of by what their parents were left with.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/root_fs.h"
#include "base/units.h"

namespace modicum {

// A thread that ended.
struct ThreadExit {
  pid_t process = 0;  // that it was of
  pid_t parent = 0;   // of the process
  uid_t user = 0;     // real
  std::string name;
  Seconds cpu;        // its own, from its beginning
  bool last = false;  // the process ended with it
};

// Not thread-safe.
class ExitSource {
 public:
  virtual ~ExitSource() = default;
  // All since the last call. An error where some were lost.
  virtual Result<std::vector<ThreadExit>> Drain() = 0;
};

// A message of the kernel's taskstats (Linux,
// Documentation/accounting/taskstats.rst); nullopt for another one.
std::optional<ThreadExit> ParseThreadExit(std::span<const uint8_t> message);

// What is read from `socket`, whose it becomes; each datagram is a message.
std::unique_ptr<ExitSource> ExitsFrom(int socket);

// This machine's exits, by taskstats: kPermission without CAP_NET_ADMIN,
// kUnavailable in a container of its own process ids, on a kernel older than
// 6.0, or on a recorded machine.
Result<std::unique_ptr<ExitSource>> OpenExits(const RootFs& fs);
// The same, or null: what it adds is not asked for, it is there or it is not.
std::unique_ptr<ExitSource> ExitsOrNone(const RootFs& fs);

}  // namespace modicum
