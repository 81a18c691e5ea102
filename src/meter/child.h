// SPDX-License-Identifier: Apache-2.0
// Starts a command and waits for it, as a shell does, and for every orphan of
// its tree that ends before it, so that their CPU time is counted.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct ChildExit {
  int code = 0;            // of exit(); 0 when a signal ended it
  int signal = 0;          // that ended it; 0 when it exited
  bool asked = false;      // we were sent SIGINT, SIGTERM, SIGHUP or SIGQUIT
  bool survivors = false;  // processes it started still run

  int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

// Where a child's output goes; -1: where ours goes.
struct ChildStreams {
  int out = -1;
  int err = -1;
};

// Signals sent to this process are passed on to the child, and this process
// goes on until the child ends. Those of the terminal (Ctrl-C) reach the child
// anyway and are not doubled.
// One at a time. Not thread-safe.
class Child {
 public:
  // Looks `command[0]` up on PATH. Standard streams are inherited where
  // `streams` names no other, and the environment but for `variable`
  // ("NAME=value"; "": all of it). kNotFound, kPermission (also: not a program)
  // or kIo.
  static Result<std::unique_ptr<Child>> Start(
      const std::vector<std::string>& command, ChildStreams streams = {},
      const std::string& variable = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Asks it and all processes that we and it have started to end (SIGTERM), or
  // ends them (SIGKILL); from another thread, too, but not once Wait() has
  // returned.
  void Terminate() const { SignalAll(SIGTERM); }
  void Kill() const { SignalAll(SIGKILL); }
  // Waits no longer than `moment`; true once the command has ended. Kernels
  // before 5.3 cannot tell: false at once.
  bool EndsWithin(Seconds moment) const;
  // Once.
  ChildExit Wait();

 private:
  struct SignalHandlers;
  Child();
  void SignalAll(int signal) const;

  std::unique_ptr<SignalHandlers> handlers_;
  pid_t pid_ = 0;
};

// "KILL" for 9; "signal 99" for one without a name.
std::string SignalName(int signal);

}  // namespace modicum
