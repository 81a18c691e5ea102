// SPDX-License-Identifier: Apache-2.0
// Fewer-trees and shallower, for forests and boosted trees. A forest's answer
// is the mean of its trees, so a part of them, scaled, is a smaller forest
// (Breiman 2001); boosted trees are a sum in which each corrects those before
// it, so the first ones are the model as it stood then (staged prediction,
// Friedman 2001). Cut at a depth, a node answers with the mean of the leaves
// that were under it. N-grams no tree asks for any more leave the index.
#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "model/bytes.h"
#include "model/params.h"
#include "model/tree_weights.h"
#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

// Depth of every node; the root's is 0. Children come after their parent.
std::vector<int64_t> Depths(const Tree& tree) {
  std::vector<int64_t> depths(tree.size());
  for (size_t i = 0; i < tree.size(); ++i) {
    if (tree[i].left == 0) continue;
    depths[tree[i].left] = depths[tree[i].left + 1] = depths[i] + 1;
  }
  return depths;
}

int64_t Depth(const TreeWeights& weights) {
  int64_t depth = 0;
  for (const Tree& tree : weights.trees)
    for (const int64_t one : Depths(tree)) depth = std::max(depth, one);
  return depth;
}

size_t Rounds(const TreeWeights& weights) {
  return weights.trees.size() / weights.groups();
}

void KeepRounds(size_t rounds, TreeWeights& weights) {
  const auto before = static_cast<float>(Rounds(weights));
  weights.trees.resize(rounds * weights.groups());
  if (!weights.forest) return;
  for (Tree& tree : weights.trees)
    for (TreeNode& node : tree)
      node.mean *= before / static_cast<float>(rounds);
}

// Nodes come by level, so that a shallower tree is the beginning of a deeper.
void CutAt(int64_t depth, Tree& tree) {
  const std::vector<int64_t> depths = Depths(tree);
  const auto end = std::upper_bound(depths.begin(), depths.end(), depth);
  tree.resize(static_cast<size_t>(end - depths.begin()));
  for (size_t i = 0; i < tree.size(); ++i)
    if (depths[i] == depth) tree[i] = {0, 0, 0, tree[i].mean};
}

// A table's columns stay: items still have them.
void DropUnusedNgrams(TreeWeights& weights) {
  if (weights.table()) return;
  constexpr uint32_t kUnused = UINT32_MAX;
  std::vector<uint32_t> index(weights.hashes.size(), kUnused);
  for (const Tree& tree : weights.trees)
    for (const TreeNode& node : tree)
      if (node.left != 0) index[node.index()] = 0;
  std::vector<uint32_t> kept;
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] == kUnused) continue;
    index[i] = static_cast<uint32_t>(kept.size());
    kept.push_back(weights.hashes[i]);
  }
  for (Tree& tree : weights.trees)
    for (TreeNode& node : tree)
      if (node.left != 0)
        node.feature =
            (node.feature & TreeNode::kMissingLeft) | index[node.index()];
  weights.hashes = std::move(kept);
}

// What both passes share.
class TreePass : public Pass {
 public:
  Needs needs() const override { return Needs::kArithmetic; }

  Status Accepts(const PassInput& input) const override {
    if (input.family != "forest" && input.family != "boosted") {
      return Fail(ErrorCode::kUnavailable,
                  std::string(name()) + " is for forests and boosted trees, " +
                      "not " + input.family);
    }
    if (input.directory.empty()) return {};
    MODICUM_TRY(const TreeWeights weights, Read(input));
    return CanCut(weights);
  }

  // 3 ns a byte to read, check and write, measured on the letters.
  PassForecast Predict(const PassInput& input, const Params&) const override {
    const double bytes = ModelBytes(input);
    return Forecast(1e-3 + 3e-9 * bytes, 3 * bytes);
  }

  Result<TrainedModel> Apply(const PassInput& input, const Params& params,
                             const Budget& budget, const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kTrain);
    MODICUM_RETURN_IF_ERROR(CheckParams(params));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted,
                  std::string(name()) + " interrupted");
    MODICUM_TRY(TreeWeights weights, Read(input));
    Cut(params, weights);
    DropUnusedNgrams(weights);
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/" + kTreeFile, EncodeTrees(weights)));
    return TrainedModel{{kTreeFile}};
  }

 protected:
  static Result<TreeWeights> Read(const PassInput& input) {
    MODICUM_TRY(
        const std::string bytes,
        ReadWholeFile(input.directory + "/" + kTreeFile, kMaxModelFile));
    return DecodeTrees(bytes);
  }

 private:
  virtual Status CanCut(const TreeWeights& weights) const = 0;
  virtual Status CheckParams(const Params& params) const = 0;
  virtual void Cut(const Params& params, TreeWeights& weights) const = 0;
};

class FewerTrees final : public TreePass {
 public:
  std::string_view name() const override { return "fewer-trees"; }
  std::string_view summary() const override {
    return "keeps a share of the trees";
  }
  std::vector<Params> Space(const PassInput&) const override {
    return KeepSpace({0.5, 0.25, 0.1});
  }

 private:
  Status CanCut(const TreeWeights& weights) const override {
    if (Rounds(weights) > 1) return {};
    return Fail(ErrorCode::kUnavailable, "it has one tree for each class");
  }
  Status CheckParams(const Params& params) const override {
    MODICUM_RETURN_IF_ERROR(KeepParam(params, name()));
    return {};
  }
  void Cut(const Params& params, TreeWeights& weights) const override {
    const double keep = KeepParam(params, name()).value();
    const double rounds = keep * static_cast<double>(Rounds(weights));
    KeepRounds(static_cast<size_t>(std::ceil(rounds)), weights);
  }
};

class Shallower final : public TreePass {
 public:
  std::string_view name() const override { return "shallower"; }
  std::string_view summary() const override {
    return "cuts every tree at a depth";
  }
  std::vector<Params> Space(const PassInput& input) const override {
    std::vector<Params> space;
    const int64_t deepest = DeepestCut(input);
    for (const int64_t depth : {12, 8, 6, 4, 3, 2, 1})
      if (depth <= deepest) space.push_back({{"depth", depth}});
    return space;
  }

 private:
  // One less than the depth the trees have or may get.
  static int64_t DeepestCut(const PassInput& input) {
    // What the trainers take where no depth is asked for.
    const int64_t fallback = input.family == "forest" ? 12 : 6;
    int64_t depth = Get<int64_t>(input.params, "depth", fallback);
    if (const auto weights = Read(input)) depth = Depth(*weights);
    return std::max<int64_t>(1, depth - 1);
  }
  Status CanCut(const TreeWeights& weights) const override {
    if (Depth(weights) > 1) return {};
    return Fail(ErrorCode::kUnavailable, "its trees have one split at most");
  }
  Status CheckParams(const Params& params) const override {
    static constexpr std::string_view kKnown[] = {"depth"};
    MODICUM_RETURN_IF_ERROR(CheckPassParams(params, name(), kKnown));
    MODICUM_RETURN_IF_ERROR(IntegerParam(params, "depth", 1, 1, 64));
    return {};
  }
  void Cut(const Params& params, TreeWeights& weights) const override {
    const int64_t depth = IntegerParam(params, "depth", 1, 1, 64).value();
    for (Tree& tree : weights.trees) CutAt(depth, tree);
  }
};

}  // namespace

Pass& FewerTreesPass() {
  static FewerTrees pass;
  return pass;
}

Pass& ShallowerPass() {
  static Shallower pass;
  return pass;
}

}  // namespace modicum
