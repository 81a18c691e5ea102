// SPDX-License-Identifier: Apache-2.0
#include "model/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace modicum {

namespace {

ErrorCode CodeOf(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM) return ErrorCode::kPermission;
  return ErrorCode::kIo;
}

auto FailErrno(const char* what, const std::string& path) {
  const int error = errno;
  return Fail(CodeOf(error), std::string("cannot ") + what + " " + path + ": " +
                                 std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> ReadWholeFile(const std::string& path, uint64_t limit) {
  // Neither a link out of the artifact nor a pipe that never ends.
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.fd() < 0) return FailErrno("read", path);
  struct stat info {};
  if (fstat(file.fd(), &info) != 0) return FailErrno("read", path);
  if (!S_ISREG(info.st_mode))
    return Fail(ErrorCode::kInvalidInput, path + " is not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > limit) {
    return Fail(ErrorCode::kInvalidInput,
                path + " has " + std::to_string(size) +
                    " bytes, more than the " + std::to_string(limit) +
                    " allowed");
  }
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = read(file.fd(), bytes.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno("read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace modicum
