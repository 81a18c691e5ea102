// SPDX-License-Identifier: Apache-2.0
#include "cli/shell_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/format.h"

namespace modicum {
namespace {

// How soon a stop request is noticed, and an end that closed stdout before.
constexpr int kStopMilliseconds = 50;
constexpr int kEndMilliseconds = 1;

// With all that it started it ends with this object.
class Shell {
 public:
  Shell() = default;
  ~Shell() {
    if (output_ >= 0) close(output_);
    if (pid_ <= 0) return;
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // 0, or the errno of what failed.
  int Start(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    output_ = ends[0];
    const int error = Spawn(command, ends[1]);
    close(ends[1]);
    return error;
  }

  // Waits a moment for some of its output. False at its end.
  bool Read(std::string& text) {
    pollfd ready{output_, POLLIN, 0};
    if (poll(&ready, 1, kStopMilliseconds) <= 0) return true;
    char buffer[4096];
    const ssize_t n = read(output_, buffer, sizeof buffer);
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }

  // Waits a moment for it to end.
  bool Ended() {
    if (waitpid(pid_, &status_, WNOHANG) == pid_) {
      pid_ = 0;
      return true;
    }
    poll(nullptr, 0, kEndMilliseconds);
    return false;
  }
  bool succeeded() const {
    return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
  }

 private:
  int Spawn(std::string command, int out) {
    std::string sh = "sh", flag = "-c";
    char* words[] = {sh.data(), flag.data(), command.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_t group;
    posix_spawnattr_init(&group);
    posix_spawnattr_setflags(&group, POSIX_SPAWN_SETPGROUP);
    const int error =
        posix_spawn(&pid_, "/bin/sh", &actions, &group, words, environ);
    posix_spawnattr_destroy(&group);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) pid_ = 0;
    return error;
  }

  pid_t pid_ = 0;  // 0: none, or ended
  int output_ = -1;
  int status_ = 0;
};

}  // namespace

Result<std::string> ReadShellCommand(const std::string& command,
                                     const std::stop_token& stop,
                                     ShellLimits limits) {
  Shell shell;
  if (const int error = shell.Start(command); error != 0)
    return Fail(ErrorCode::kIo, fmt::format("cannot be given to a shell: {}",
                                            std::strerror(error)));
  const MonotonicTime began = SystemClock().Now();
  std::string text;
  for (bool more = true; more || !shell.Ended();) {
    if (stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "was interrupted");
    if (SystemClock().Now() - began > limits.time)
      return Fail(ErrorCode::kRetry, fmt::format("did not end within {}",
                                                 FormatDuration(limits.time)));
    more = more && shell.Read(text);
    if (text.size() > limits.bytes)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("printed more than {} bytes", limits.bytes));
  }
  if (!shell.succeeded()) return Fail(ErrorCode::kInvalidInput, "failed");
  return text;
}

}  // namespace modicum
