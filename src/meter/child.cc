// SPDX-License-Identifier: Apache-2.0
#include "meter/child.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace modicum {
namespace {

constexpr std::array<int, 4> kRelayed = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What the signal handler sees.
std::atomic<pid_t> relay_to{0};
std::atomic<int> received{0};
std::atomic<bool> undelivered{false};  // came before there was a child
static_assert(std::atomic<pid_t>::is_always_lock_free);

void Relay(int number, siginfo_t* info, void*) {
  const int saved = errno;
  received = number;
  // The terminal signals its whole foreground group, the child with it.
  if (info->si_code != SI_KERNEL) {
    const pid_t child = relay_to;
    if (child > 0)
      kill(child, number);
    else
      undelivered = true;
  }
  errno = saved;
}

tl::unexpected<Error> CannotRun(const std::string& program, int error) {
  const std::string what = "cannot run '" + program + "': ";
  std::error_code ignored;
  if (error == ENOENT && program.find('/') == std::string::npos)
    return Fail(ErrorCode::kNotFound, what + "command not found",
                "check the spelling, or give its path: ./" + program);
  if (error == ENOENT || error == ENOTDIR)
    return Fail(ErrorCode::kNotFound, what + "no such file",
                "a script fails so, too, when its #! interpreter is missing");
  if (error == EACCES && program.find('/') != std::string::npos &&
      std::filesystem::is_directory(program, ignored))
    return Fail(ErrorCode::kPermission, what + "it is a folder",
                "name a program in it");
  if (error == EACCES)
    return Fail(ErrorCode::kPermission, what + "not executable",
                "chmod +x " + program);
  if (error == ENOEXEC)
    return Fail(ErrorCode::kPermission, what + "not a program",
                "a script needs a first line such as #!/bin/sh");
  return Fail(ErrorCode::kIo, what + strerror(error));
}

// The children of all of its threads, as far as the kernel tells
// (CONFIG_PROC_CHILDREN).
void AddChildren(pid_t pid, std::vector<pid_t>& pids) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  DIR* const folder = opendir(tasks.c_str());
  if (folder == nullptr) return;
  while (const dirent* task = readdir(folder)) {
    if (task->d_name[0] == '.') continue;
    const std::string path = tasks + "/" + task->d_name + "/children";
    std::FILE* const file = std::fopen(path.c_str(), "re");
    if (file == nullptr) continue;
    for (pid_t child = 0; std::fscanf(file, "%d", &child) == 1;)
      pids.push_back(child);
    std::fclose(file);
  }
  closedir(folder);
}

// Every process below `pid`, parents before their children.
std::vector<pid_t> Descendants(pid_t pid) {
  std::vector<pid_t> found{pid};
  for (size_t i = 0; i < found.size(); ++i) AddChildren(found[i], found);
  found.erase(found.begin());
  return found;
}

}  // namespace

// Restores what was there before.
struct Child::SignalHandlers {
  SignalHandlers() {
    received = 0;
    relay_to = 0;
    undelivered = false;
    for (size_t i = 0; i < kRelayed.size(); ++i) {
      sigaction(kRelayed[i], nullptr, &old[i]);
      // Ignored on purpose (nohup): the child inherits that.
      if (old[i].sa_handler == SIG_IGN) continue;
      struct sigaction action {};
      action.sa_sigaction = Relay;
      action.sa_flags = SA_SIGINFO | SA_RESTART;
      sigaction(kRelayed[i], &action, nullptr);
    }
  }
  ~SignalHandlers() {
    relay_to = 0;
    for (size_t i = 0; i < kRelayed.size(); ++i)
      sigaction(kRelayed[i], &old[i], nullptr);
  }
  std::array<struct sigaction, kRelayed.size()> old{};
};

// Ours, with `variable` in the place of one of its name. exec() never writes.
std::vector<char*> EnvironmentWith(const std::string& variable) {
  const std::string_view name =
      std::string_view(variable).substr(0, variable.find('=') + 1);
  std::vector<char*> all;
  for (char** own = environ; *own != nullptr; ++own)
    if (name.empty() || !std::string_view(*own).starts_with(name))
      all.push_back(*own);
  if (!variable.empty()) all.push_back(const_cast<char*>(variable.c_str()));
  all.push_back(nullptr);
  return all;
}

Child::Child() : handlers_(std::make_unique<SignalHandlers>()) {}
Child::~Child() = default;

Result<std::unique_ptr<Child>> Child::Start(
    const std::vector<std::string>& command, ChildStreams streams,
    const std::string& variable) {
  MODICUM_CHECK(!command.empty());
  // Orphans of the tree then become ours, to be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  std::unique_ptr<Child> child(new Child);
  std::vector<char*> argv;
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));  // exec() never writes
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (streams.out >= 0)
    posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  if (streams.err >= 0)
    posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
  const int error = posix_spawnp(&child->pid_, argv[0], &actions, nullptr,
                                 argv.data(), EnvironmentWith(variable).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return CannotRun(command[0], error);
  relay_to = child->pid_;
  if (undelivered) kill(child->pid_, received);
  return child;
}

bool Child::EndsWithin(Seconds moment) const {
  // Not by glibc's pidfd_open(), which is newer than the call.
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (fd < 0) return false;
  pollfd ended{fd, POLLIN, 0};
  const bool yes = poll(&ended, 1, static_cast<int>(moment.value() * 1e3)) > 0;
  close(fd);
  return yes;
}

void Child::SignalAll(int signal) const {
  if (relay_to != pid_) return;  // has ended
  std::vector<pid_t> pids = Descendants(getpid());
  if (pids.empty()) pids.push_back(pid_);
  for (const pid_t pid : pids) kill(pid, signal);
}

ChildExit Child::Wait() {
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == pid_) break;
    MODICUM_CHECK(ended > 0 || errno == EINTR);
  }
  relay_to = 0;  // the pid may be given to another process from here on
  ChildExit result;
  if (WIFSIGNALED(status))
    result.signal = WTERMSIG(status);
  else
    result.code = WEXITSTATUS(status);
  result.asked = received != 0;
  pid_t orphan = 0;
  while ((orphan = waitpid(-1, nullptr, WNOHANG)) > 0) {
  }
  result.survivors = orphan == 0;
  return result;
}

std::string SignalName(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? name : "signal " + std::to_string(number);
}

}  // namespace modicum
