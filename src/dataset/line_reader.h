// SPDX-License-Identifier: Apache-2.0
// Lines of a file or pipe, whatever its size: one block is in memory, and a
// line longer than the limit is refused before it is read whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace modicum {

class LineReader {
 public:
  // kNotFound, kPermission, kInvalidInput (a directory). "-" is stdin.
  static Result<LineReader> Open(const std::string& path,
                                 size_t max_line_bytes = size_t{64} << 20);
  // Reads `fd`, which stays the caller's; `name` is for errors.
  LineReader(int fd, std::string name,
             size_t max_line_bytes = size_t{64} << 20);
  LineReader(LineReader&& other) noexcept;
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();

  // The next line without its line end (LF or CRLF) and, on the first, without
  // a byte order mark; nullopt at the end. Valid until the next call.
  Result<std::optional<std::string_view>> Next();
  size_t line() const { return line_; }  // of the last line, 1-based
  const std::string& name() const { return name_; }
  // "name:line"
  std::string Where() const;

  // Every byte read from here on also goes into `hash`, which outlives this.
  void HashInto(Sha256* hash) { hash_ = hash; }

 private:
  Result<bool> Fill();  // false at the end
  std::string_view Finish(size_t length, size_t skip);

  int fd_;
  bool owned_ = false;
  bool ended_ = false;
  std::string name_;
  size_t max_line_bytes_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // unread bytes are buffer_[begin_, end_)
  size_t end_ = 0;
  size_t line_ = 0;
  Sha256* hash_ = nullptr;
};

}  // namespace modicum
