// SPDX-License-Identifier: Apache-2.0
// In kPrepare a block's features are found, in kPrefill all its items walk
// down tree after tree, so that a tree is read once per block.
#include "model/tree_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "model/blocks.h"
#include "model/bytes.h"
#include "model/explain_text.h"
#include "model/linear_weights.h"
#include "model/payload.h"

namespace modicum {

namespace {

// Items that walk down a tree side by side, so that their loads overlap.
constexpr size_t kAbreast = 8;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// All trees one after the other, ready to be walked: `left` counts from the
// first node of all, and a leaf is its own left child whatever the value.
class Forest {
 public:
  explicit Forest(const TreeWeights& w) : groups_(w.groups()) {
    for (const Tree& tree : w.trees) Append(tree);
  }

  size_t trees() const { return roots_.size(); }
  size_t nodes() const { return nodes_.size(); }

  // Adds each tree's leaf to its group's sum: sums[item * groups + group].
  void AddTo(std::span<const float* const> rows, std::span<float> sums) const {
    for (size_t t = 0; t < roots_.size(); ++t) {
      float* sum = sums.data() + t % groups_;
      size_t i = 0;
      for (; i + kAbreast <= rows.size(); i += kAbreast) {
        AddAbreast(t, &rows[i], sum);
        sum += kAbreast * groups_;
      }
      for (; i < rows.size(); ++i, sum += groups_) *sum += Leaf(t, rows[i]);
    }
  }

  // Calls visit(feature, change of the expected value) for every split on the
  // row's paths through the trees of `group`.
  template <class Visit>
  void Explain(uint32_t group, const float* row, Visit visit) const {
    for (size_t t = group; t < roots_.size(); t += groups_) {
      uint32_t at = roots_[t];
      for (uint32_t next = Step(at, row); next != at; next = Step(at, row)) {
        visit(nodes_[at].index(), double{nodes_[next].mean} - nodes_[at].mean);
        at = next;
      }
    }
  }

 private:
  void Append(const Tree& tree) {
    const auto root = static_cast<uint32_t>(nodes_.size());
    std::vector<uint32_t> depth(tree.size());
    for (size_t i = 0; i < tree.size(); ++i) {
      TreeNode node = tree[i];
      if (node.left == 0) {
        node.left = static_cast<uint32_t>(nodes_.size());
        node.feature = TreeNode::kMissingLeft;
        node.threshold = kMissing;  // no value is at or above it
      } else {
        depth[node.left] = depth[node.left + 1] = depth[i] + 1;
        node.left += root;
      }
      nodes_.push_back(node);
    }
    roots_.push_back(root);
    depths_.push_back(depth.back());  // by level: the last is the deepest
  }

  uint32_t Step(uint32_t at, const float* row) const {
    const TreeNode& node = nodes_[at];
    const float value = row[node.index()];
    const bool missing_right = (node.feature & TreeNode::kMissingLeft) == 0;
    const bool right =
        (value >= node.threshold) | (std::isnan(value) & missing_right);
    return node.left + static_cast<uint32_t>(right);
  }

  float Leaf(size_t tree, const float* row) const {
    uint32_t at = roots_[tree];
    for (uint32_t next = Step(at, row); next != at; next = Step(at, row))
      at = next;
    return nodes_[at].mean;
  }

  void AddAbreast(size_t tree, const float* const* rows, float* sum) const {
    uint32_t at[kAbreast];
    std::fill_n(at, kAbreast, roots_[tree]);
    for (uint32_t level = 0; level < depths_[tree]; ++level)
      for (size_t i = 0; i < kAbreast; ++i) at[i] = Step(at[i], rows[i]);
    for (size_t i = 0; i < kAbreast; ++i)
      sum[i * groups_] += nodes_[at[i]].mean;
  }

  const size_t groups_;
  std::vector<TreeNode> nodes_;
  std::vector<uint32_t> roots_, depths_;
};

// The features of a block's items, one row of numbers each.
class BlockRows {
 public:
  explicit BlockRows(const TreeWeights& w)
      : config_(w.config),
        columns_(w.features()),
        table_(w.table()),
        index_(w.hashes),
        counts_(table_ ? 0 : kBlock * columns_, kMissing) {
    rows_.reserve(kBlock);
  }

  bool unique() const { return !index_.duplicate(); }
  std::span<const float* const> rows() const { return rows_; }

  Status Set(std::span<const Item> items) {
    rows_.clear();
    for (const size_t at : touched_) counts_[at] = kMissing;
    touched_.clear();
    for (const Item& item : items)
      MODICUM_RETURN_IF_ERROR(table_ ? AddNumbers(item) : AddText(item));
    return {};
  }

 private:
  Status AddNumbers(const Item& item) {
    MODICUM_TRY(const auto values, NumbersOf(item, columns_));
    rows_.push_back(values.data());
    return {};
  }
  Status AddText(const Item& item) {
    MODICUM_TRY(const std::string_view text, TextOf(item));
    hashes_.clear();
    HashFeatures(text, config_, hashes_);
    const size_t begin = rows_.size() * columns_;
    rows_.push_back(counts_.data() + begin);
    for (const uint32_t hash : hashes_) {
      const uint32_t feature = index_.Find(hash);
      if (feature == HashIndex::kAbsent) continue;
      float& count = counts_[begin + feature];
      if (std::isnan(count)) {
        count = 0;
        touched_.push_back(begin + feature);
      }
      ++count;
    }
    return {};
  }

  const FeatureConfig config_;
  const size_t columns_;
  const bool table_;
  const HashIndex index_;
  std::vector<float> counts_;  // an n-gram the text does not have is missing
  std::vector<size_t> touched_;
  std::vector<uint32_t> hashes_;
  std::vector<const float*> rows_;
};

class TreeModel final : public Model {
 public:
  TreeModel(TreeWeights weights, ModelInfo info)
      : forest_(weights),
        rows_(weights),
        w_(std::move(weights)),
        info_(std::move(info)) {
    w_.trees = {};  // the forest has them
    sums_.reserve(kBlock * w_.groups());
  }

  const ModelInfo& info() const override { return info_; }
  bool valid() const { return rows_.unique(); }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    const auto prepare = [this](std::span<const Item> block) {
      return rows_.Set(block);
    };
    const auto answer = [&](std::span<const Item> block,
                            std::vector<Output>& outputs) -> Status {
      sums_.assign(block.size() * w_.groups(), w_.base);
      forest_.AddTo(rows_.rows(), sums_);
      for (size_t i = 0; i < block.size(); ++i) {
        Label label = Answer(i);
        if (options.explain > 0)
          label.reasons = Explain(block[i], i, label.index, options.explain);
        outputs.emplace_back(std::move(label));
      }
      return {};
    };
    return PredictInBlocks(items, options, sink, prepare, answer);
  }

 private:
  Label Answer(size_t item) const {
    const size_t groups = w_.groups();
    const float* sums = &sums_[item * groups];
    Label label;
    label.probabilities.resize(w_.classes);
    std::vector<float>& p = label.probabilities;
    if (groups == 1) {
      p[1] = 1 / (1 + std::exp(-sums[0]));
      p[0] = 1 - p[1];
    } else {
      const float largest = *std::max_element(sums, sums + groups);
      for (size_t c = 0; c < groups; ++c) p[c] = std::exp(sums[c] - largest);
      const float sum = std::accumulate(p.begin(), p.end(), 0.0F);
      for (float& one : p) one /= sum;
    }
    label.index = static_cast<LabelIndex>(std::max_element(p.begin(), p.end()) -
                                          p.begin());
    return label;
  }

  std::vector<Reason> Explain(const Item& item, size_t at, LabelIndex label,
                              int count) {
    const bool one = w_.groups() == 1;
    const double sign = one && label == 0 ? -1 : 1;
    std::vector<double> effects(w_.features());
    forest_.Explain(
        one ? 0 : static_cast<uint32_t>(label), rows_.rows()[at],
        [&](uint32_t feature, double change) { effects[feature] += change; });
    std::vector<Reason> reasons =
        w_.table() ? Columns(at, effects) : Ngrams(item, at, effects);
    KeepStrongest(reasons, count);
    for (Reason& reason : reasons) reason.effect *= sign;
    return reasons;
  }

  std::vector<Reason> Columns(size_t at,
                              const std::vector<double>& effects) const {
    const float* row = rows_.rows()[at];
    std::vector<Reason> reasons;
    for (size_t c = 0; c < effects.size(); ++c) {
      if (effects[c] != 0)
        reasons.push_back({ColumnText(w_.columns[c], row[c]), effects[c]});
    }
    return reasons;
  }

  // The n-grams a text does not have have no name: one reason for them all.
  std::vector<Reason> Ngrams(const Item& item, size_t at,
                             const std::vector<double>& effects) const {
    const std::string& text = std::get<Text>(item.payload).text;
    const float* row = rows_.rows()[at];
    std::vector<Reason> reasons{{"(n-grams not in the text)", 0}};
    for (size_t f = 0; f < effects.size(); ++f) {
      if (std::isnan(row[f])) {
        reasons[0].effect += effects[f];
      } else if (effects[f] != 0) {
        reasons.push_back(
            {NgramText(text, w_.config, w_.hashes[f]), effects[f]});
      }
    }
    if (reasons[0].effect == 0) reasons.erase(reasons.begin());
    return reasons;
  }

  const Forest forest_;
  BlockRows rows_;
  TreeWeights w_;  // without its trees
  const ModelInfo info_;
  std::vector<float> sums_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeTreeModel(
    std::string_view bytes, const std::vector<std::string>& labels) {
  MODICUM_TRY(TreeWeights weights, DecodeTrees(bytes));
  if (weights.classes != labels.size()) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the tree model has {} classes, its card {}",
                            weights.classes, labels.size()));
  }
  ModelInfo info;
  info.family = weights.forest ? "forest" : "boosted";
  info.engine = "xgboost";
  info.engine_version = XgboostVersion(weights.library_version);
  for (const Tree& tree : weights.trees) info.parameters += tree.size();
  info.bytes = Bytes(static_cast<double>(bytes.size()));
  info.labels = labels;
  auto model = std::make_unique<TreeModel>(std::move(weights), std::move(info));
  if (!model->valid()) {
    return Fail(ErrorCode::kInvalidInput,
                "not a tree model this program wrote: a feature comes twice");
  }
  return model;
}

Result<std::unique_ptr<Model>> LoadTreeModel(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(const std::string bytes,
              ReadWholeFile(directory + "/" + kTreeFile, kMaxModelFile));
  return MakeTreeModel(bytes, labels);
}

}  // namespace modicum
