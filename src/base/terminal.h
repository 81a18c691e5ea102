// SPDX-License-Identifier: Apache-2.0
// Tables, progress lines and colour for a terminal or a pipe.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace modicum {

enum class Align { kLeft, kRight };

// Columns as wide as their widest cell (display width of UTF-8), two spaces
// between, no trailing spaces. An empty table prints nothing. Text() and
// Markdown() print control characters as spaces, so that no cell moves the
// cursor; colour sequences stay.
class Table {
 public:
  explicit Table(std::vector<std::pair<std::string, Align>> columns);
  void AddRow(std::vector<std::string> cells);
  std::string Text(std::string_view indent = "") const;
  std::string Markdown() const;
  std::string Csv() const;

 private:
  std::vector<std::pair<std::string, Align>> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns a string takes on a terminal: UTF-8 code points, wide ones as 2,
// combining ones and colour sequences as 0, each broken byte as 1.
size_t DisplayWidth(std::string_view utf8);

// True when `file` is a terminal, TERM is not dumb and NO_COLOR is not set.
// FORCE_COLOR overrides: "0" for never, anything else for always.
bool UseColour(std::FILE* file);
bool IsTerminal(std::FILE* file);

// "  fit  3/12  linear C=1   4.2/s  ETA 12 s", redrawn in place at most ten
// times a second on a terminal; silent elsewhere. Thread-safe.
class Progress {
 public:
  Progress(std::FILE* file, std::string what, uint64_t total, Clock& clock);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void Update(uint64_t done, std::string_view detail = "");
  // Prints a whole line above the progress line; on a pipe too.
  void Line(std::string_view text);

 private:
  struct State;
  State* state_;
};

}  // namespace modicum
