// SPDX-License-Identifier: Apache-2.0
#include "probe/kept_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <typeinfo>
#include <utility>

namespace modicum {

// A class derived from RootFs decides itself what each read gives.
KeptFile::KeptFile(const RootFs& fs, std::string path, bool keep)
    : fs_(fs),
      path_(std::move(path)),
      keep_(keep && typeid(fs) == typeid(RootFs)) {}

KeptFile::~KeptFile() { Close(); }

KeptFile::KeptFile(KeptFile&& other) noexcept
    : fs_(other.fs_),
      path_(other.path_),
      keep_(other.keep_),
      fd_(std::exchange(other.fd_, -1)) {}

void KeptFile::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Status KeptFile::ReadInto(std::string& buffer) {
  if (keep_ && ReadKept(buffer)) return {};
  // What was open is gone, but there may be another file of that name; if
  // not, this says why.
  Close();
  return fs_.ReadInto(path_, buffer);
}

Result<uint64_t> KeptFile::ReadWord(uint64_t offset) {
  uint64_t word = 0;
  if (keep_ && Keep() &&
      pread(fd_, &word, sizeof word, static_cast<off_t>(offset)) == sizeof word)
    return word;
  Close();
  return fs_.ReadWord(path_, offset);
}

bool KeptFile::Keep() {
  if (fd_ < 0) fd_ = open((fs_.root() + path_).c_str(), O_RDONLY | O_CLOEXEC);
  return fd_ >= 0;
}

// The kernel writes such a file in one piece: a read that does not fill the
// buffer has reached its end.
bool KeptFile::ReadKept(std::string& buffer) {
  if (!Keep()) return false;
  buffer.resize(std::max<size_t>(buffer.capacity(), 4096));
  while (true) {
    const ssize_t n = pread(fd_, buffer.data(), buffer.size(), 0);
    if (n < 0) return false;
    if (static_cast<size_t>(n) < buffer.size()) {
      buffer.resize(static_cast<size_t>(n));
      return true;
    }
    buffer.resize(buffer.size() * 2);
  }
}

}  // namespace modicum
