// SPDX-License-Identifier: Apache-2.0
// Reads along what a command prints: every byte goes on unchanged and at once,
// and each line is shown to a function.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"

namespace modicum {

// Cuts bytes into lines at '\n' and at '\r' (progress bars). What is longer
// than kLongest is cut there and the rest of the line is left out.
class LineCutter {
 public:
  static constexpr size_t kLongest = 64 * 1024;
  using OnLine = std::function<void(std::string_view line)>;

  void Add(std::string_view bytes, const OnLine& on_line);
  // What had no line end yet.
  void Finish(const OnLine& on_line);

 private:
  std::string line_;
};

// Two pipes, for stdout and stderr of a child, and the thread that empties
// them. A reader that goes away (| head) closes the child's end as well.
class OutputTap {
 public:
  // `on_line` is called from the tap's thread.
  static Result<std::unique_ptr<OutputTap>> Open(LineCutter::OnLine on_line);
  ~OutputTap();
  OutputTap(const OutputTap&) = delete;
  OutputTap& operator=(const OutputTap&) = delete;

  int child_stdout() const { return write_[0]; }
  int child_stderr() const { return write_[1]; }
  // Once the child has started: only it holds the write ends then.
  void CloseWriteEnds();
  // The child has ended: passes on what it printed and stops, even if a
  // process it left behind still holds the pipes. Once.
  void Finish();

 private:
  explicit OutputTap(LineCutter::OnLine on_line)
      : on_line_(std::move(on_line)) {}
  void Loop();
  // False when the stream has ended.
  bool Pump(int stream);

  const LineCutter::OnLine on_line_;
  LineCutter lines_[2];
  int read_[2] = {-1, -1};
  int write_[2] = {-1, -1};
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace modicum
