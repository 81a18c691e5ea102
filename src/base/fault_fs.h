// SPDX-License-Identifier: Apache-2.0
// A RootFs whose nth read fails, to test what happens when a counter, a
// process or a permission goes away in the middle of a run.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/root_fs.h"

namespace modicum {

// Thread-safe. Read, ReadInto, ReadWord and List count as one read each, Exists
// as none; with `only_path`, just those of that file or folder count.
class FaultFs final : public RootFs {
 public:
  // For `count`: every read from the nth on fails.
  static constexpr uint64_t kForEver = std::numeric_limits<uint64_t>::max();

  // Reads number `nth` (from 1) to nth + count - 1 fail with `code`. An nth of
  // 0 never fails: it only counts.
  FaultFs(std::string root, uint64_t nth, ErrorCode code, uint64_t count = 1,
          std::string only_path = "")
      : RootFs(std::move(root)),
        nth_(nth),
        count_(count),
        code_(code),
        only_path_(std::move(only_path)) {}

  // RootFs::Read goes through ReadInto and so is counted there.
  Status ReadInto(std::string_view path, std::string& buffer) const override {
    MODICUM_RETURN_IF_ERROR(Count(path));
    return RootFs::ReadInto(path, buffer);
  }
  Result<uint64_t> ReadWord(std::string_view path,
                            uint64_t offset) const override {
    MODICUM_RETURN_IF_ERROR(Count(path));
    return RootFs::ReadWord(path, offset);
  }
  Result<std::vector<std::string>> List(std::string_view path) const override {
    MODICUM_RETURN_IF_ERROR(Count(path));
    return RootFs::List(path);
  }

  // Reads so far, failed ones included.
  uint64_t reads() const { return reads_; }

 private:
  Status Count(std::string_view path) const {
    if (!only_path_.empty() && path != only_path_) return {};
    const uint64_t read = ++reads_;
    if (nth_ == 0 || read < nth_ || read - nth_ >= count_) return {};
    return Fail(code_, "cannot read " + std::string(path) + ": injected fault");
  }

  const uint64_t nth_;
  const uint64_t count_;
  const ErrorCode code_;
  const std::string only_path_;
  mutable std::atomic<uint64_t> reads_{0};
};

}  // namespace modicum
