// SPDX-License-Identifier: Apache-2.0
// A terminal that a command has to itself: redrawn in place, read key by key.
#pragma once

#include <termios.h>

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/units.h"

namespace modicum {

// While it lives, stdout shows the other screen buffer and stdin gives keys
// unechoed; Ctrl-C still interrupts. What was there before comes back.
// One at a time.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // From the top; lines that do not fit are cut.
  void Draw(std::string_view text);
  // The next key; none when none comes within `wait` or a stop is asked for.
  std::optional<char> Key(Seconds wait, const std::stop_token& stop);
  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

 private:
  void Measure();

  termios before_{};
  bool keys_ = false;  // stdin is a terminal
  size_t rows_ = 24;
  size_t columns_ = 80;
};

}  // namespace modicum
