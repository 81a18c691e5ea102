// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signals.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/privileges.h"
#include "cli/command.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

// request_stop() runs callbacks, which a signal handler must not: the handler
// writes to this pipe and a thread does the rest.
int pipe_ends[2] = {-1, -1};

void OnStop(int) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t ignored = write(pipe_ends[1], "s", 1);
  errno = saved;
}

// A handler and not SIG_IGN, which a started command would inherit.
void OnPipe(int) {}

// SA_RESETHAND: the second signal has its default effect.
void Handle(int signal_number, void (*handler)(int), unsigned flags) {
  struct sigaction old {};
  sigaction(signal_number, nullptr, &old);
  if (old.sa_handler == SIG_IGN && handler == OnStop) return;
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(flags);
  sigaction(signal_number, &action, nullptr);
}

char ReadByte() {
  char byte = 0;
  while (read(pipe_ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  return byte;
}

}  // namespace

StopSignals::StopSignals() {
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    PrintError({ErrorCode::kIo,
                fmt::format("cannot open a pipe: {}", std::strerror(errno)),
                "raise the limit of open files: `ulimit -n 1024`"});
    std::exit(kExitFailed);
  }
  // The watcher gets no signal itself: they interrupt the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  watcher_ = std::thread([source = source_]() mutable {
    // It needs none, and outlives who gives them up later. Of root's threads
    // setresuid(2) takes them, and wants all to be alike.
    if (geteuid() != 0) DropCapabilities();
    if (ReadByte() == 's') source.request_stop();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  Handle(SIGINT, OnStop, SA_RESETHAND);
  Handle(SIGTERM, OnStop, SA_RESETHAND);
  Handle(SIGPIPE, OnPipe, 0);
}

StopSignals::~StopSignals() {
  Handle(SIGINT, SIG_DFL, 0);
  Handle(SIGTERM, SIG_DFL, 0);
  [[maybe_unused]] const ssize_t ignored = write(pipe_ends[1], "q", 1);
  watcher_.join();
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace modicum
