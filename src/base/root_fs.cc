// SPDX-License-Identifier: Apache-2.0
#include "base/root_fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/trim.h"

namespace modicum {
namespace {

ErrorCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
      return ErrorCode::kPermission;
    case ESRCH:
      return ErrorCode::kEnded;
    case EAGAIN:
      return ErrorCode::kRetry;
    default:
      return ErrorCode::kIo;
  }
}

tl::unexpected<Error> CannotRead(std::string_view path, int error_number) {
  return Fail(CodeOf(error_number), "cannot read " + std::string(path) + ": " +
                                        std::strerror(error_number));
}

}  // namespace

Status RootFs::ReadInto(std::string_view path, std::string& buffer) const {
  const std::string full = root_ + std::string(path);
  const int fd = open(full.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  buffer.resize(std::max<size_t>(buffer.capacity(), 4096));
  size_t used = 0;
  while (true) {
    if (used == buffer.size()) buffer.resize(buffer.size() * 2);
    const ssize_t n = read(fd, buffer.data() + used, buffer.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error_number = errno;
      close(fd);
      buffer.clear();
      return CannotRead(path, error_number);
    }
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  close(fd);
  buffer.resize(used);
  return {};
}

Result<std::string> RootFs::Read(std::string_view path) const {
  std::string buffer;
  MODICUM_RETURN_IF_ERROR(ReadInto(path, buffer));
  return buffer;
}

Result<uint64_t> RootFs::ReadWord(std::string_view path,
                                  uint64_t offset) const {
  const std::string full = root_ + std::string(path);
  const int fd = open(full.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  uint64_t word = 0;
  const ssize_t n = pread(fd, &word, sizeof word, static_cast<off_t>(offset));
  const int error_number = n < 0 ? errno : EIO;
  close(fd);
  if (n == sizeof word) return word;
  return CannotRead(path, error_number);
}

Result<std::vector<std::string>> RootFs::List(std::string_view path) const {
  const std::string full = root_ + std::string(path);
  DIR* dir = opendir(full.c_str());
  if (dir == nullptr) return CannotRead(path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

bool RootFs::Exists(std::string_view path) const {
  return access((root_ + std::string(path)).c_str(), F_OK) == 0;
}

Result<std::string> ReadTrimmed(const RootFs& fs, std::string_view path) {
  MODICUM_TRY(std::string text, fs.Read(path));
  return std::string(Trim(text));
}

Result<uint64_t> ReadUnsigned(const RootFs& fs, std::string_view path) {
  MODICUM_TRY(const std::string text, ReadTrimmed(fs, path));
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty())
    return Fail(ErrorCode::kInvalidInput,
                std::string(path) + " holds no unsigned integer");
  return value;
}

}  // namespace modicum
