// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace modicum {

Result<MappedFile> MappedFile::Open(const std::string& path, size_t bytes) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat is {};
  void* data = MAP_FAILED;
  if (file >= 0 && fstat(file, &is) == 0) {
    // Beyond its end there is nothing to read, which ends a process.
    if (static_cast<size_t>(is.st_size) < bytes)
      errno = ENODATA;
    else
      data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
  }
  const int error = errno;
  if (file >= 0) close(file);
  if (data == MAP_FAILED)
    return Fail(ErrorCode::kIo, "cannot read " + path + ": " +
                                    std::string(std::strerror(error)));
  madvise(data, bytes, MADV_WILLNEED);
  return MappedFile(static_cast<char*>(data), bytes);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace modicum
