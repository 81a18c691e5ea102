// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "meter/words.h"

namespace modicum {
namespace {

// How soon a stop is noticed.
constexpr int kSliceMs = 100;

}  // namespace

Screen::Screen() {
  keys_ = tcgetattr(STDIN_FILENO, &before_) == 0;
  if (keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  Measure();
}

Screen::~Screen() {
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
  if (keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void Screen::Measure() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return;
  rows_ = size.ws_row;
  columns_ = size.ws_col;
}

void Screen::Draw(std::string_view text) {
  Measure();
  // Lines are not wrapped: what is too wide is cut by the terminal.
  std::string out = "\x1b[?7l\x1b[H";
  for (size_t row = 0; row + 1 < rows_ && !text.empty(); ++row)
    out += std::string(TakeUntil(text, '\n')) + "\x1b[K\r\n";
  out += "\x1b[J\x1b[?7h";
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

std::optional<char> Screen::Key(Seconds wait, const std::stop_token& stop) {
  using SteadyClock = std::chrono::steady_clock;
  const auto until =
      SteadyClock::now() + std::chrono::duration<double>(wait.value());
  while (!stop.stop_requested()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - SteadyClock::now());
    if (left.count() <= 0) return std::nullopt;
    const int slice = static_cast<int>(
        std::min<int64_t>(kSliceMs, static_cast<int64_t>(left.count())));
    if (!keys_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(slice));
      continue;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, slice) <= 0) continue;
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) == 1) return key;
    keys_ = false;  // it was closed
  }
  return std::nullopt;
}

}  // namespace modicum
