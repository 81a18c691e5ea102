// SPDX-License-Identifier: Apache-2.0
#include "dataset/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace modicum {
namespace {

constexpr size_t kKeptOutput = 4096;
constexpr int kPollMillis = 50;
constexpr int kPatience = 40;  // polls between SIGTERM and SIGKILL

class Pipe {
 public:
  Pipe() { open_ = pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    CloseWriter();
    if (open_) close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool open() const { return open_; }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void CloseWriter() {
    if (open_ && ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool open_ = false;
};

// What posix_spawn needs, freed at the end.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  SpawnPlan(const std::string& folder, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

Result<pid_t> Spawn(const std::vector<std::string>& argv,
                    const std::string& folder, int output) {
  const SpawnPlan plan(folder, output);
  std::vector<char*> arguments;
  for (const std::string& argument : argv)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &plan.actions,
                                 &plan.attributes, arguments.data(), environ);
  if (error == 0) return child;
  return Fail(
      error == ENOENT ? ErrorCode::kUnavailable : ErrorCode::kIo,
      "cannot run " + argv[0] + ": " +
          (error == ENOENT ? "it is not installed" : std::strerror(error)));
}

void KeepTail(std::string& output) {
  if (output.size() > 2 * kKeptOutput)
    output.erase(0, output.size() - kKeptOutput);
}

// False at the end of the output.
bool ReadSome(int fd, std::string& output) {
  std::array<char, 4096> block{};
  const ssize_t n = read(fd, block.data(), block.size());
  if (n < 0) return errno == EINTR;
  output.append(block.data(), static_cast<size_t>(n));
  KeepTail(output);
  return n > 0;
}

// Asks the group to end, then ends it.
void EndGroup(pid_t child) {
  kill(-child, SIGTERM);
  int status = 0;
  for (int i = 0; i < kPatience; ++i) {
    if (waitpid(child, &status, WNOHANG) == child) return;
    poll(nullptr, 0, kPollMillis);
  }
  kill(-child, SIGKILL);
  waitpid(child, &status, 0);
}

int ExitCode(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ProcessResult> RunProcess(const std::vector<std::string>& argv,
                                 const std::string& folder,
                                 const std::stop_token& stop) {
  Pipe pipe;
  if (!pipe.open())
    return Fail(ErrorCode::kIo,
                std::string("cannot make a pipe: ") + std::strerror(errno));
  MODICUM_TRY(const pid_t child, Spawn(argv, folder, pipe.writer()));
  pipe.CloseWriter();
  ProcessResult result;
  bool more = true;
  while (more) {
    if (stop.stop_requested()) {
      EndGroup(child);
      return Fail(ErrorCode::kInterrupted, argv[0] + " was interrupted");
    }
    pollfd wait{pipe.reader(), POLLIN, 0};
    if (poll(&wait, 1, kPollMillis) > 0)
      more = ReadSome(pipe.reader(), result.output);
  }
  result.exit_code = ExitCode(child);
  return result;
}

}  // namespace modicum
