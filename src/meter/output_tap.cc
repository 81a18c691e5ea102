// SPDX-License-Identifier: Apache-2.0
#include "meter/output_tap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace modicum {
namespace {

void Close(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

// False when nobody reads any more.
bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

void LineCutter::Add(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find_first_of("\r\n");
    const std::string_view part = bytes.substr(0, end);
    line_ += part.substr(0, kLongest - line_.size());
    if (end == std::string_view::npos) return;
    Finish(on_line);
    bytes.remove_prefix(end + 1);
  }
}

void LineCutter::Finish(const OnLine& on_line) {
  if (!line_.empty()) on_line(line_);
  line_.clear();
}

Result<std::unique_ptr<OutputTap>> OutputTap::Open(LineCutter::OnLine on_line) {
  std::unique_ptr<OutputTap> tap(new OutputTap(std::move(on_line)));
  for (const int i : {0, 1}) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return Fail(ErrorCode::kIo,
                  std::string("cannot open a pipe: ") + strerror(errno));
    tap->read_[i] = ends[0];
    tap->write_[i] = ends[1];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  tap->stop_ = eventfd(0, EFD_CLOEXEC);
  if (tap->stop_ < 0)
    return Fail(ErrorCode::kIo,
                std::string("cannot open an eventfd: ") + strerror(errno));
  tap->thread_ = std::thread([&self = *tap] { self.Loop(); });
  return tap;
}

OutputTap::~OutputTap() {
  Finish();
  for (const int i : {0, 1}) Close(read_[i]);
  Close(stop_);
}

void OutputTap::CloseWriteEnds() {
  for (const int i : {0, 1}) Close(write_[i]);
}

void OutputTap::Finish() {
  CloseWriteEnds();
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(stop_, &one, sizeof one);
  thread_.join();
}

bool OutputTap::Pump(int stream) {
  std::array<char, 16 * 1024> buffer;
  const ssize_t n = read(read_[stream], buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
  const bool taken =
      WriteAll(stream == 0 ? STDOUT_FILENO : STDERR_FILENO, bytes);
  lines_[stream].Add(bytes, on_line_);
  return taken;
}

void OutputTap::Loop() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  bool ended = false;
  while (read_[0] >= 0 || read_[1] >= 0) {
    // poll() passes over what is closed, -1.
    pollfd fds[3] = {{read_[0], POLLIN, 0},
                     {read_[1], POLLIN, 0},
                     {ended ? -1 : stop_, POLLIN, 0}};
    const int ready = poll(fds, 3, ended ? 0 : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;  // the child has ended and the pipes are empty
    for (const int i : {0, 1})
      if (fds[i].revents != 0 && !Pump(i)) Close(read_[i]);
    ended = ended || fds[2].revents != 0;
  }
  for (LineCutter& lines : lines_) lines.Finish(on_line_);
}

}  // namespace modicum
