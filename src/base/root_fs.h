// SPDX-License-Identifier: Apache-2.0
// Everything read from /sys, /proc and /dev goes through here, so that tests
// read a recorded machine ("tests/roots/<machine>") or fail the nth read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// Thread-safe. Paths are absolute as the machine has them ("/proc/stat").
class RootFs {
 public:
  // `root` is put before every path; "" is the machine itself.
  explicit RootFs(std::string root = "") : root_(std::move(root)) {}
  virtual ~RootFs() = default;

  // The whole file. kNotFound, kPermission, kEnded (the process is gone)
  // or kIo.
  virtual Result<std::string> Read(std::string_view path) const;
  // Like Read, into a buffer that is reused: for the sampler's hot path.
  virtual Status ReadInto(std::string_view path, std::string& buffer) const;
  // The eight bytes at `offset`, as this machine orders them: what a device
  // with a register there gives. kIo also where the file ends before.
  virtual Result<uint64_t> ReadWord(std::string_view path,
                                    uint64_t offset) const;
  // Entry names of a directory, sorted; no "." and "..".
  virtual Result<std::vector<std::string>> List(std::string_view path) const;
  virtual bool Exists(std::string_view path) const;

  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

// Read with surrounding white space removed.
Result<std::string> ReadTrimmed(const RootFs& fs, std::string_view path);
// A file that holds one unsigned decimal integer; else kInvalidInput.
Result<uint64_t> ReadUnsigned(const RootFs& fs, std::string_view path);

}  // namespace modicum
