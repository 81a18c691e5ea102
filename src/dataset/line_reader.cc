// SPDX-License-Identifier: Apache-2.0
#include "dataset/line_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dataset/utf8.h"

namespace modicum {
namespace {

constexpr size_t kBlock = size_t{1} << 18;

ErrorCode CodeOf(int error) {
  if (error == ENOENT) return ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM) return ErrorCode::kPermission;
  return ErrorCode::kIo;
}

std::string HintOf(int error) {
  if (error == ENOENT) return "check the path";
  if (error == EACCES) return "check the file's permissions with ls -l";
  return "";
}

bool IsDirectory(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Result<LineReader> LineReader::Open(const std::string& path,
                                    size_t max_line_bytes) {
  if (path == "-") return LineReader(STDIN_FILENO, "stdin", max_line_bytes);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    return Fail(CodeOf(error),
                "cannot read " + path + ": " + std::strerror(error),
                HintOf(error));
  }
  LineReader reader(fd, path, max_line_bytes);
  reader.owned_ = true;
  if (IsDirectory(fd))
    return Fail(ErrorCode::kInvalidInput,
                "cannot read " + path + ": it is a directory",
                "name the data file in it");
  return reader;
}

LineReader::LineReader(int fd, std::string name, size_t max_line_bytes)
    : fd_(fd), name_(std::move(name)), max_line_bytes_(max_line_bytes) {}

LineReader::LineReader(LineReader&& other) noexcept
    : fd_(other.fd_),
      owned_(std::exchange(other.owned_, false)),
      ended_(other.ended_),
      name_(std::move(other.name_)),
      max_line_bytes_(other.max_line_bytes_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      end_(other.end_),
      line_(other.line_),
      hash_(other.hash_) {}

LineReader::~LineReader() {
  if (owned_) close(fd_);
}

std::string LineReader::Where() const {
  return name_ + ":" + std::to_string(line_);
}

Result<bool> LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kBlock)
    buffer_.resize(std::max(2 * buffer_.size(), end_ + kBlock));
  ssize_t n = 0;
  do {
    n = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
  } while (n < 0 && errno == EINTR);
  if (n < 0)
    return Fail(ErrorCode::kIo,
                "cannot read " + name_ + ": " + std::strerror(errno));
  if (hash_ != nullptr)
    hash_->Add({buffer_.data() + end_, static_cast<size_t>(n)});
  end_ += static_cast<size_t>(n);
  return n > 0;
}

std::string_view LineReader::Finish(size_t length, size_t skip) {
  std::string_view line(buffer_.data() + begin_, length);
  begin_ += length + skip;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line_ == 1 && line.starts_with(kByteOrderMark))
    line.remove_prefix(kByteOrderMark.size());
  return line;
}

Result<std::optional<std::string_view>> LineReader::Next() {
  ++line_;
  size_t seen = 0;  // bytes of this line that hold no line end
  while (true) {
    const size_t there = end_ - begin_;
    const char* from = buffer_.data() + begin_;
    const void* stop =
        there == seen ? nullptr : std::memchr(from + seen, '\n', there - seen);
    const size_t length =
        stop == nullptr
            ? there
            : static_cast<size_t>(static_cast<const char*>(stop) - from);
    if (length > max_line_bytes_)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: the line is longer than {} bytes", Where(),
                              max_line_bytes_),
                  "is this the right file? one example per line is expected");
    if (stop != nullptr) return std::optional(Finish(length, 1));
    if (ended_) {
      if (there == 0) return std::optional<std::string_view>{};
      return std::optional(Finish(there, 0));
    }
    seen = there;
    MODICUM_TRY(const bool more, Fill());
    ended_ = !more;
  }
}

}  // namespace modicum
