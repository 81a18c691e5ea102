// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

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

// 0, or the errno of the step that failed.
int WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<size_t>(n));
  }
  return fsync(fd) == 0 ? 0 : errno;
}

// Renaming onto a device or a pipe would replace it: those are written to.
Status WriteInPlace(const std::string& path, std::string_view content) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return CannotWrite(path, errno);
  int failed = WriteAll(fd, content);
  if (failed == EINVAL) failed = 0;  // what cannot be fsynced is not a disk
  if (close(fd) != 0 && failed == 0) failed = errno;
  if (failed != 0) return CannotWrite(path, failed);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    return Fail(ErrorCode::kInvalidInput, path + " is a folder, not a file");
  return RootFs().Read(path);
}

Status WriteFileAtomically(const std::string& named, std::string_view content) {
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::status(named, error);
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    return WriteInPlace(named, content);
  std::string path = named;
  if (std::filesystem::is_symlink(named, error) &&
      std::filesystem::exists(status))
    path = std::filesystem::canonical(named, error).string();
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, error) &&
      !std::filesystem::create_directories(folder, error))
    return CannotWrite(path, error.value());
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return CannotWrite(path, errno);
  int failed = WriteAll(fd, content);
  if (failed == 0 && fchmod(fd, 0644) != 0) failed = errno;
  if (close(fd) != 0 && failed == 0) failed = errno;
  if (failed == 0 && rename(temporary.c_str(), path.c_str()) != 0)
    failed = errno;
  if (failed == 0) return {};
  unlink(temporary.c_str());
  return CannotWrite(path, failed);
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
