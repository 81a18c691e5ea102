// SPDX-License-Identifier: Apache-2.0
// A file of /proc or /sys that is read again and again: it stays open, so that
// a sample costs one system call a file.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/root_fs.h"

namespace modicum {

// Not thread-safe.
// Lifetime: the file system outlives it.
class KeptFile {
 public:
  // With `keep` false, or a file system that is not the machine's own (a
  // test's), every read opens the file anew.
  KeptFile(const RootFs& fs, std::string path, bool keep = true);
  ~KeptFile();
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&&) = delete;

  // As RootFs::ReadInto: the file as it is now, from its beginning.
  Status ReadInto(std::string& buffer);
  // As RootFs::ReadWord.
  Result<uint64_t> ReadWord(uint64_t offset);

 private:
  bool Keep();
  bool ReadKept(std::string& buffer);
  void Close();

  const RootFs& fs_;
  const std::string path_;
  const bool keep_;
  int fd_ = -1;
};

}  // namespace modicum
