// SPDX-License-Identifier: Apache-2.0
// XGBoost's C API behind Result, and its trees in our own form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/tree_weights.h"

namespace modicum {

// Compressed sparse rows; what a row does not have is missing.
struct CsrMatrix {
  size_t width = 0;  // columns
  std::vector<size_t> begins{0};
  std::vector<uint32_t> columns;
  std::vector<float> values;

  void Add(uint32_t column, float value) {
    columns.push_back(column);
    values.push_back(value);
  }
  void EndRow() { begins.push_back(values.size()); }
  size_t rows() const { return begins.size() - 1; }
};

// The library prints and logs nothing on this thread from now on.
void SilenceXgboost();

// The library's copy of a matrix and its labels. Movable, not thread-safe.
class XgboostData {
 public:
  static Result<XgboostData> Make(const CsrMatrix& matrix,
                                  const std::vector<float>& labels);
  ~XgboostData();
  XgboostData(XgboostData&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  XgboostData& operator=(XgboostData&&) = delete;
  void* handle() const { return handle_; }

 private:
  explicit XgboostData(void* handle) : handle_(handle) {}
  void* handle_;
};

using XgboostParams = std::vector<std::pair<std::string, std::string>>;

// Lifetime: the data must outlive it. Movable, not thread-safe.
class Booster {
 public:
  static Result<Booster> Make(const XgboostData& data,
                              const XgboostParams& params);
  ~Booster();
  Booster(Booster&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  Booster& operator=(Booster&&) = delete;
  void* handle() const { return handle_; }

  // One more round; `round` counts from 0.
  Status Update(int round, const XgboostData& data);
  // The model as Universal Binary JSON.
  Result<std::string> Save() const;

 private:
  explicit Booster(void* handle) : handle_(handle) {}
  void* handle_;
};

// Appends the trees of a saved booster, their values times `scale`, round by
// round; sets the base of the scores. weights.classes and its features are
// set. The mean of an inner node is that of its children weighted by their
// sums of second derivatives, as in XGBoost's own approximate contributions.
Status AppendTrees(std::string_view saved, float scale, TreeWeights& weights);

}  // namespace modicum
