// SPDX-License-Identifier: Apache-2.0
// Files in and out, whole or in parts. Writing is all or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// kNotFound, kPermission or kIo; a directory is kInvalidInput.
Result<std::string> ReadFile(const std::string& path);

// Writes a temporary file beside `path`, fsyncs it and renames it: a reader
// or a crash sees the old content or the new, never a part. The temporary
// file is removed on failure. Missing folders are created.
// What a symbolic link names is written, not the link; a device or a pipe is
// written to and never replaced.
Status WriteFileAtomically(const std::string& path, std::string_view content);

// A file that is written in parts and there only once Commit has succeeded:
// until then it lies beside `path` under a name of its own and goes with this
// object. The folder must exist; what a symbolic link names is replaced, not
// the link.
class AtomicFile {
 public:
  static Result<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status Append(std::string_view bytes);
  // Its name until then, for a library that writes by name.
  const std::string& temporary() const { return temporary_; }
  // To the disk, then to its name. Nothing may be appended after it.
  Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, int fd);
  int CloseAndRename();  // 0, or the errno of the step that failed

  std::string path_;
  std::string temporary_;
  int fd_;  // -1 when closed
};

// A file of which parts are read, in any order. Thread-safe.
class RandomAccessFile {
 public:
  // kNotFound, kPermission, kIo; kInvalidInput for what is no regular file.
  static Result<RandomAccessFile> Open(const std::string& path);
  RandomAccessFile(RandomAccessFile&& other) noexcept;
  RandomAccessFile& operator=(RandomAccessFile&&) = delete;
  ~RandomAccessFile();

  uint64_t size() const { return size_; }  // when it was opened
  const std::string& path() const { return path_; }
  // All of it, or kIo: also where the file has become shorter.
  Status ReadInto(uint64_t offset, char* buffer, size_t size) const;
  Result<std::string> Read(uint64_t offset, size_t size) const;

 private:
  RandomAccessFile(std::string path, int fd, uint64_t size);

  std::string path_;
  int fd_;
  uint64_t size_;
};

// Puts the folder `from` at `to` in one step; a folder that was there ends up
// at `from`, or is removed where the file system cannot swap the two.
Status MoveFolder(const std::string& from, const std::string& to);

}  // namespace modicum
