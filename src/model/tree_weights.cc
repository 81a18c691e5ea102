// SPDX-License-Identifier: Apache-2.0
#include "model/tree_weights.h"

#include <algorithm>
#include <cmath>

#include "dataset/utf8.h"
#include "model/bytes.h"

namespace modicum {

namespace {

constexpr std::string_view kTreeMagic = "MODTREE1";
// More classes than any task here has; bounds the sums of one item.

// Far above any log-odds, and no sum of such values overflows.
constexpr float kMaxTreeValue = 1e30F;

static_assert(sizeof(TreeNode) == 16, "nodes are copied as they are in memory");

auto RefuseTrees(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              "not a tree model this program wrote: " + what,
              "train it again with 'modicum fit'");
}

bool Plausible(NgramRange range, int limit) {
  if (range == NgramRange{}) return true;
  return range.min >= 1 && range.min <= range.max && range.max <= limit;
}

bool Plausible(const TreeWeights& w, uint8_t kind) {
  return kind <= 1 && Plausible(w.config.words, kMaxWordNgram) &&
         Plausible(w.config.chars, kMaxCharNgram) &&
         w.config.hash_bits <= (w.table() ? 0 : kMaxHashBits) &&
         w.classes >= 2 && w.classes <= kMaxClasses &&
         std::abs(w.base) <= kMaxTreeValue;
}

// Children are where the order says, every index is in bounds.
bool Plausible(const Tree& tree, size_t features) {
  size_t next = 1;
  for (const TreeNode& node : tree) {
    if (!(std::abs(node.mean) <= kMaxTreeValue) ||
        !std::isfinite(node.threshold))
      return false;
    if (node.left == 0) continue;
    if (node.left != next || node.index() >= features) return false;
    next += 2;
  }
  return next == tree.size();
}

std::vector<std::string> GetNames(ByteReader& in, uint64_t count) {
  std::vector<std::string> names;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::vector<char> name = in.GetAll<char>(in.Get<uint32_t>());
    names.emplace_back(name.begin(), name.end());
  }
  return names;
}

// A tree has at least one node, which takes 16 bytes of the file, so that the
// count cannot ask for more memory than the file has.
Status GetTrees(ByteReader& in, uint64_t count, TreeWeights& w) {
  const std::vector<uint32_t> sizes = in.GetAll<uint32_t>(count);
  if (!in.ok()) return RefuseTrees("it is shorter than its header says");
  for (const uint32_t size : sizes) {
    if (size > in.left() / sizeof(TreeNode))
      return RefuseTrees("it is shorter than its header says");
    w.trees.push_back(in.GetAll<TreeNode>(size));
    if (!Plausible(w.trees.back(), w.features()))
      return RefuseTrees("tree " + std::to_string(w.trees.size()) +
                         " is not a tree");
  }
  return {};
}

}  // namespace

std::string EncodeTrees(const TreeWeights& weights) {
  ByteWriter out;
  out.PutText(kTreeMagic);
  out.Put(static_cast<uint8_t>(weights.forest ? 1 : 0));
  out.Put(weights.config.words.min);
  out.Put(weights.config.words.max);
  out.Put(weights.config.chars.min);
  out.Put(weights.config.chars.max);
  out.Put(weights.config.hash_bits);
  out.Put(weights.classes);
  out.Put(static_cast<uint32_t>(weights.features()));
  out.Put(static_cast<uint32_t>(weights.trees.size()));
  out.Put(weights.library_version);
  out.Put(weights.base);
  for (const std::string& column : weights.columns) {
    out.Put(static_cast<uint32_t>(column.size()));
    out.PutText(column);
  }
  out.PutAll(weights.hashes);
  for (const Tree& tree : weights.trees)
    out.Put(static_cast<uint32_t>(tree.size()));
  for (const Tree& tree : weights.trees) out.PutAll(tree);
  return out.Take();
}

Result<TreeWeights> DecodeTrees(std::string_view bytes) {
  if (!bytes.starts_with(kTreeMagic))
    return RefuseTrees("it does not begin MODTREE1");
  ByteReader in(bytes.substr(kTreeMagic.size()));
  TreeWeights w;
  const auto kind = in.Get<uint8_t>();
  w.forest = kind == 1;
  w.config.words.min = in.Get<uint8_t>();
  w.config.words.max = in.Get<uint8_t>();
  w.config.chars.min = in.Get<uint8_t>();
  w.config.chars.max = in.Get<uint8_t>();
  w.config.hash_bits = in.Get<uint8_t>();
  w.classes = in.Get<uint32_t>();
  const uint64_t features = in.Get<uint32_t>();
  const uint64_t trees = in.Get<uint32_t>();
  w.library_version = in.Get<uint32_t>();
  w.base = in.Get<float>();
  if (!in.ok()) return RefuseTrees("it ends in its header");
  if (!Plausible(w, kind) || features == 0 || trees % w.groups() != 0 ||
      (!w.table() && features > kMaxTreeNgrams))
    return RefuseTrees("its header has values out of range");
  if (w.table()) {
    w.columns = GetNames(in, features);
  } else {
    w.hashes = in.GetAll<uint32_t>(features);
  }
  if (!in.ok()) return RefuseTrees("it is shorter than its header says");
  for (const std::string& name : w.columns)
    if (FirstUnusableByte(name) != name.npos)
      return RefuseTrees("a column's name is not text");
  MODICUM_RETURN_IF_ERROR(GetTrees(in, trees, w));
  if (in.left() != 0) return RefuseTrees("it is longer than its header says");
  return w;
}

std::string XgboostVersion(uint32_t number) {
  return std::to_string(number / 10000) + "." +
         std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

}  // namespace modicum
