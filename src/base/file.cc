// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/root_fs.h"

namespace modicum {
namespace {

tl::unexpected<Error> CannotWrite(const std::string& path, int error_number) {
  const std::string message =
      "cannot write " + path + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT)
    return Fail(ErrorCode::kIo, message,
                "free some space or choose another place; nothing was "
                "half-written");
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS)
    return Fail(ErrorCode::kPermission, message,
                "choose a folder you may write to");
  return Fail(ErrorCode::kIo, message);
}

// For a file that was not read.
std::string HintOf(ErrorCode code) {
  return code == ErrorCode::kNotFound     ? "check the path"
         : code == ErrorCode::kPermission ? "make it readable"
                                          : "";
}

tl::unexpected<Error> CannotRead(const std::string& path, int error_number) {
  const ErrorCode code =
      error_number == ENOENT || error_number == ENOTDIR ? ErrorCode::kNotFound
      : error_number == EACCES || error_number == EPERM ? ErrorCode::kPermission
                                                        : ErrorCode::kIo;
  return Fail(code, "cannot read " + path + ": " + std::strerror(error_number),
              HintOf(code));
}

// 0, or the errno of the step that failed.
int WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

// Renaming onto a device or a pipe would replace it: those are written to.
Status WriteInPlace(const std::string& path, std::string_view content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return CannotWrite(path, errno);
  int failed = WriteAll(fd, content);
  // What cannot be fsynced is not a disk.
  if (failed == 0 && fsync(fd) != 0 && errno != EINVAL) failed = errno;
  if (close(fd) != 0 && failed == 0) failed = errno;
  if (failed != 0) return CannotWrite(path, failed);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    return Fail(ErrorCode::kInvalidInput, path + " is a folder, not a file");
  auto text = RootFs().Read(path);
  if (!text)
    return Fail(text.error().code, text.error().message,
                HintOf(text.error().code));
  return text;
}

Status WriteFileAtomically(const std::string& named, std::string_view content) {
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::status(named, error);
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    return WriteInPlace(named, content);
  const std::filesystem::path folder =
      std::filesystem::path(named).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, error) &&
      !std::filesystem::create_directories(folder, error))
    return CannotWrite(named, error.value());
  MODICUM_TRY(AtomicFile file, AtomicFile::Create(named));
  MODICUM_RETURN_IF_ERROR(file.Append(content));
  return file.Commit();
}

Result<AtomicFile> AtomicFile::Create(const std::string& named) {
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::status(named, error);
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    return Fail(ErrorCode::kInvalidInput,
                "cannot write " + named + ": it is no regular file",
                "name a new file, or one to replace");
  std::string path = named;
  if (std::filesystem::is_symlink(named, error) &&
      std::filesystem::exists(status))
    path = std::filesystem::canonical(named, error).string();
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return CannotWrite(path, errno);
  return AtomicFile(path, std::move(temporary), fd);
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, "")),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Status AtomicFile::Append(std::string_view bytes) {
  const int failed = WriteAll(fd_, bytes);
  if (failed != 0) return CannotWrite(path_, failed);
  return {};
}

int AtomicFile::CloseAndRename() {
  int failed = fsync(fd_) == 0 ? 0 : errno;
  if (failed == 0 && fchmod(fd_, 0644) != 0) failed = errno;
  if (close(std::exchange(fd_, -1)) != 0 && failed == 0) failed = errno;
  if (failed == 0 && rename(temporary_.c_str(), path_.c_str()) != 0)
    failed = errno;
  return failed;
}

Status AtomicFile::Commit() {
  const int failed = CloseAndRename();
  if (failed != 0) return CannotWrite(path_, failed);
  temporary_.clear();
  return {};
}

Result<RandomAccessFile> RandomAccessFile::Open(const std::string& path) {
  // A pipe must not be waited for.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return CannotRead(path, errno);
  struct stat info {};
  const int failed = fstat(fd, &info) == 0 ? 0 : errno;
  RandomAccessFile file(path, fd, static_cast<uint64_t>(info.st_size));
  if (failed != 0) return CannotRead(path, failed);
  if (S_ISDIR(info.st_mode))
    return Fail(ErrorCode::kInvalidInput, path + " is a folder, not a file");
  if (!S_ISREG(info.st_mode))
    return Fail(ErrorCode::kInvalidInput, path + " is not a regular file");
  return file;
}

RandomAccessFile::RandomAccessFile(std::string path, int fd, uint64_t size)
    : path_(std::move(path)), fd_(fd), size_(size) {}

RandomAccessFile::RandomAccessFile(RandomAccessFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_) {}

RandomAccessFile::~RandomAccessFile() {
  if (fd_ >= 0) close(fd_);
}

Status RandomAccessFile::ReadInto(uint64_t offset, char* buffer,
                                  size_t size) const {
  while (size > 0) {
    const ssize_t n = pread(fd_, buffer, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path_, errno);
    if (n == 0)
      return Fail(ErrorCode::kIo, path_ + " became shorter while it was read",
                  "wait until whatever writes it has ended");
    buffer += n;
    offset += static_cast<uint64_t>(n);
    size -= static_cast<size_t>(n);
  }
  return {};
}

Result<std::string> RandomAccessFile::Read(uint64_t offset, size_t size) const {
  std::string bytes(size, '\0');
  MODICUM_RETURN_IF_ERROR(ReadInto(offset, bytes.data(), size));
  return bytes;
}

Status MoveFolder(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) == 0)
    return {};
  if (errno == EEXIST && renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                                   RENAME_EXCHANGE) == 0)
    return {};
  const int reason = errno;
  if (reason != EINVAL && reason != ENOSYS && reason != EEXIST)
    return CannotWrite(to, reason);
  // Some network file systems know neither flag: leave a moment's gap.
  const std::string aside = from + ".old";
  if (rename(to.c_str(), aside.c_str()) != 0 && errno != ENOENT)
    return CannotWrite(to, errno);
  std::error_code ignored;
  if (rename(from.c_str(), to.c_str()) != 0) {
    const int failed = errno;
    std::filesystem::rename(aside, to, ignored);
    return CannotWrite(to, failed);
  }
  std::filesystem::remove_all(aside, ignored);
  return {};
}

}  // namespace modicum
