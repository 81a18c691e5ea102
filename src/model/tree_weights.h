// SPDX-License-Identifier: Apache-2.0
// A forest or boosted trees over columns of a table or n-grams of a text, and
// their file format, MODTREE1.
//
// Little endian, no padding, nothing after the end:
//   "MODTREE1"
//   u8 kind (0 boosted, 1 forest), words.min, words.max, chars.min, chars.max,
//      hash_bits (all five zero for a table)
//   u32 classes, features, trees, XGBoost's version as a number (10704)
//   f32 base
//   a table: features times { u32 length, name in UTF-8 }
//   a text:  u32 hash[features]
//   u32 nodes[trees]
//   nodes of all trees: { u32 feature, f32 threshold, u32 left, f32 mean }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/text_features.h"

namespace modicum {

inline constexpr char kTreeFile[] = "trees.bin";
// N-grams a text model may have: a block of texts is kept dense.
inline constexpr uint32_t kMaxTreeNgrams = uint32_t{1} << 16;

// A node. A value below the threshold goes left, any other right; a missing
// one (NaN; an n-gram the text does not have) goes where training found best.
struct TreeNode {
  static constexpr uint32_t kMissingLeft = uint32_t{1} << 31;
  uint32_t feature = 0;  // the top bit, kMissingLeft: missing goes left
  float threshold = 0;
  // Within the tree; the right child is the next one. 0: a leaf.
  uint32_t left = 0;
  // A leaf's value. Of an inner node the mean of its leaves, weighted by the
  // training rows' second derivatives: what it would say as a leaf.
  float mean = 0;

  uint32_t index() const { return feature & ~kMissingLeft; }
  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};

// By level, root first: the children of the k-th inner node are nodes 2k + 1
// and 2k + 2.
using Tree = std::vector<TreeNode>;

struct TreeWeights {
  bool forest = false;   // else boosted
  FeatureConfig config;  // of a text; no n-grams at all for a table
  uint32_t classes = 2;
  uint32_t library_version = 0;
  float base = 0;  // added to every class's sum
  // One of the two: a text's n-grams or a table's columns.
  std::vector<uint32_t> hashes;  // unique
  std::vector<std::string> columns;
  // Round by round, in each round one tree per group: tree t adds to group
  // t % groups(). The leaves of a forest are divided by its rounds already.
  std::vector<Tree> trees;

  // Sums of log-odds: one for two classes (that of class 1), else one each.
  uint32_t groups() const { return classes == 2 ? 1 : classes; }
  bool table() const { return config.words.max == 0 && config.chars.max == 0; }
  size_t features() const { return table() ? columns.size() : hashes.size(); }
  friend bool operator==(const TreeWeights&, const TreeWeights&) = default;
};

std::string EncodeTrees(const TreeWeights& weights);
// kInvalidInput for anything EncodeTrees cannot have written from valid
// weights: every index is within bounds and every path ends.
Result<TreeWeights> DecodeTrees(std::string_view bytes);

// 10704 -> "1.7.4".
std::string XgboostVersion(uint32_t number);

}  // namespace modicum
