// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/network_trial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/file.h"
#include "model/ggml/compute.h"

namespace modicum {

namespace {

constexpr int kPassed = 0;
constexpr int kRefused = 1;
constexpr int kNotStarted = 127;
// More is no error that the child writes.
constexpr size_t kMostText = 65536;
constexpr int kPollMilliseconds = 50;
constexpr char kTrust[] =
    "the file is damaged or made to do harm: get it from another source; "
    "MODICUM_TRUST=1 loads it all the same";

// Which files they are, without reading them.
std::optional<std::string> IdentityOf(std::span<const std::string> files,
                                      std::string_view version) {
  std::string identity(version);
  for (const std::string& path : files) {
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) return std::nullopt;
    identity +=
        fmt::format(" {:x} {:x} {} {}.{:09}", facts.st_dev, facts.st_ino,
                    facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
  }
  return identity + "\n";
}

bool IsKnown(const NetworkGuard& guard, const std::string& identity) {
  const auto known = ReadFile(guard.known);
  return known && ("\n" + *known).find("\n" + identity) != known->npos;
}

// Where it cannot be kept, the file is tried again next time.
void Remember(const NetworkGuard& guard, const std::string& identity) {
  std::error_code ignored;
  std::filesystem::create_directories(
      std::filesystem::path(guard.known).parent_path(), ignored);
  const int fd = open(guard.known.c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // Whole lines, also where another process appends.
  static_cast<void>(!write(fd, identity.data(), identity.size()));
  close(fd);
}

struct Child {
  pid_t pid = -1;
  int output = -1;
};

// Between fork and exec only what a signal handler may do.
[[noreturn]] void Become(const char* program, char* const* words, int output,
                         bool silent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  if (silent) dup2(null, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execv(program, words);
  _exit(kNotStarted);
}

Result<Child> Start(const NetworkGuard& guard,
                    std::span<const std::string> files) {
  std::vector<std::string> texts = {"modicum", kTryNetwork};
  texts.insert(texts.end(), files.begin(), files.end());
  std::vector<char*> words;
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorCode::kIo,
                std::string("cannot make a pipe: ") + std::strerror(errno));
  // What the library says last is no explanation to a user.
  const bool silent = std::getenv("MODICUM_LLAMA_LOG") == nullptr;
  Child child{fork(), ends[0]};
  if (child.pid == 0)
    Become(guard.program.c_str(), words.data(), ends[1], silent);
  close(ends[1]);
  if (child.pid > 0) return child;
  close(ends[0]);
  return Fail(ErrorCode::kIo,
              std::string("cannot start a process: ") + std::strerror(errno));
}

struct Ended {
  int status = 0;
  std::string text;
};

Ended WaitFor(const Child& child, const CallOptions& call) {
  Ended ended;
  bool killed = false;
  while (true) {
    pollfd output{child.output, POLLIN, 0};
    const int ready = poll(&output, 1, kPollMilliseconds);
    if (!killed && !CheckCall(call)) killed = kill(child.pid, SIGKILL) == 0;
    if (ready <= 0) continue;
    char buffer[4096];
    const ssize_t got = read(child.output, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (ended.text.size() < kMostText)
      ended.text.append(buffer, static_cast<size_t>(got));
  }
  close(child.output);
  while (waitpid(child.pid, &ended.status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

// "4\nmessage\nhint", as EndTrial writes it.
std::optional<Error> ErrorIn(const std::string& text) {
  const size_t first = text.find('\n');
  const size_t second = text.find('\n', first + 1);
  if (first == text.npos || second == text.npos) return std::nullopt;
  const int code = std::atoi(text.c_str());
  if (code < 0 || code > static_cast<int>(ErrorCode::kInternal))
    return std::nullopt;
  return Error{static_cast<ErrorCode>(code),
               text.substr(first + 1, second - first - 1),
               text.substr(second + 1)};
}

std::string HowItEnded(int status) {
  if (!WIFSIGNALED(status))
    return fmt::format("exit code {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  if (signal == SIGXCPU || signal == SIGALRM) return "it took too long";
  return fmt::format("signal {}, {}", signal, strsignal(signal));
}

}  // namespace

Status TryInChild(const NetworkGuard& guard, std::span<const std::string> files,
                  std::string_view version, const CallOptions& call) {
  const auto identity = IdentityOf(files, version);
  if (!identity || IsKnown(guard, *identity)) return {};
  MODICUM_TRY(const Child child, Start(guard, files));
  const Ended ended = WaitFor(child, call);
  MODICUM_RETURN_IF_ERROR(CheckCall(call));
  if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == kPassed) {
    Remember(guard, *identity);
    return {};
  }
  if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == kNotStarted)
    return Fail(ErrorCode::kUnavailable,
                files.front() + " cannot be tried in a process of its own",
                "is /proc there? MODICUM_TRUST=1 loads it without a trial");
  if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == kRefused)
    if (auto error = ErrorIn(ended.text)) return Fail(*std::move(error));
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: a child process that loaded it did not survive "
                          "({}), so it is not loaded here",
                          fmt::join(files, " with "), HowItEnded(ended.status)),
              kTrust);
}

void EndTrial(const Status& status) {
  if (status) _exit(kPassed);
  const Error& error = status.error();
  const std::string text = fmt::format(
      "{}\n{}\n{}", static_cast<int>(error.code), error.message, error.hint);
  static_cast<void>(!write(STDOUT_FILENO, text.data(), text.size()));
  _exit(kRefused);
}

}  // namespace modicum
