// SPDX-License-Identifier: Apache-2.0
// Reads XGBoost's model file as a stream of events: a forest of many classes
// would fill gigabytes as a tree of JSON values.
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "model/xgboost/booster.h"

namespace modicum {

namespace {

// One tree as the library stores it, a column per property.
struct RawTree {
  std::vector<double> left, right, feature, threshold, missing_left, hessian;

  std::vector<double>* Column(std::string_view key) {
    if (key == "left_children") return &left;
    if (key == "right_children") return &right;
    if (key == "split_indices") return &feature;
    if (key == "split_conditions") return &threshold;  // a leaf's value too
    if (key == "default_left") return &missing_left;
    if (key == "sum_hessian") return &hessian;
    return nullptr;
  }
  // Every column has one number per node and every child is a node.
  bool Consistent(size_t features) const {
    const size_t nodes = left.size();
    for (const auto* column :
         {&right, &feature, &threshold, &missing_left, &hessian})
      if (column->size() != nodes) return false;
    const auto last = static_cast<double>(nodes) - 1;
    for (size_t i = 0; i < nodes; ++i) {
      if (left[i] < 0) continue;
      if (left[i] > last || right[i] < 0 || right[i] > last) return false;
      if (feature[i] < 0 || feature[i] >= static_cast<double>(features))
        return false;
    }
    return nodes > 0;
  }
};

struct RawModel {
  std::vector<RawTree> trees;
  std::vector<double> groups;  // of each tree
  double base_score = 0;
};

class Reader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Reader(RawModel& model) : model_(model) {}

  bool null() override { return true; }
  bool boolean(bool value) override { return Number(value ? 1 : 0); }
  bool number_integer(number_integer_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override {
    return Number(value);
  }
  bool string(string_t& value) override {
    if (key_ != "base_score") return true;
    const auto [end, error] = std::from_chars(
        value.data(), value.data() + value.size(), model_.base_score);
    return error == std::errc() && end == value.data() + value.size();
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    if (++depth_ == tree_depth_) model_.trees.emplace_back();
    return true;
  }
  bool key(string_t& value) override {
    key_ = value;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (key_ == "trees") tree_depth_ = depth_ + 1;
    if (key_ == "tree_info") column_ = &model_.groups;
    if (depth_ == tree_depth_) column_ = model_.trees.back().Column(key_);
    return true;
  }
  bool end_array() override {
    if (depth_ + 1 == tree_depth_) tree_depth_ = kNowhere;
    column_ = nullptr;
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  static constexpr int kNowhere = -1;
  bool Number(double value) {
    if (column_ != nullptr) column_->push_back(value);
    return true;
  }
  RawModel& model_;
  std::string key_;
  int depth_ = 0;
  int tree_depth_ = kNowhere;  // of the objects that are trees
  std::vector<double>* column_ = nullptr;
};

// By level from the root.
Tree Flatten(const RawTree& raw, float scale) {
  std::vector<size_t> order{0};
  Tree tree;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t from = order[i];
    TreeNode node;
    const auto number = static_cast<float>(raw.threshold[from]);
    if (raw.left[from] < 0) {
      node.mean = number * scale;
    } else {
      node.threshold = number;
      node.feature = static_cast<uint32_t>(raw.feature[from]);
      if (raw.missing_left[from] != 0) node.feature |= TreeNode::kMissingLeft;
      node.left = static_cast<uint32_t>(order.size());
      order.push_back(static_cast<size_t>(raw.left[from]));
      order.push_back(static_cast<size_t>(raw.right[from]));
    }
    tree.push_back(node);
    // More nodes than there are: a node has two parents.
    if (order.size() > raw.left.size()) return {};
  }
  for (size_t i = tree.size(); i-- > 0;) {
    const uint32_t left = tree[i].left;
    if (left == 0) continue;
    const double a = raw.hessian[order[left]];
    const double b = raw.hessian[order[left + 1]];
    const double share = a + b > 0 ? a / (a + b) : 0.5;
    tree[i].mean = static_cast<float>(share * tree[left].mean +
                                      (1 - share) * tree[left + 1].mean);
  }
  return tree;
}

auto Unexpected(const std::string& what) {
  return Fail(ErrorCode::kInternal,
              "XGBoost saved an unexpected model: " + what);
}

}  // namespace

Status AppendTrees(std::string_view saved, float scale, TreeWeights& weights) {
  RawModel raw;
  Reader reader(raw);
  if (!nlohmann::json::sax_parse(saved, &reader,
                                 nlohmann::json::input_format_t::ubjson))
    return Unexpected("not Universal Binary JSON");
  if (raw.groups.size() != raw.trees.size())
    return Unexpected("trees without a class");
  const uint32_t groups = weights.groups();
  std::vector<std::vector<Tree>> by_group(groups);
  for (size_t t = 0; t < raw.trees.size(); ++t) {
    const double group = raw.groups[t];
    if (group < 0 || group >= groups ||
        !raw.trees[t].Consistent(weights.features()))
      return Unexpected("a tree that is inconsistent");
    by_group[static_cast<size_t>(group)].push_back(
        Flatten(raw.trees[t], scale));
    raw.trees[t] = {};
    if (by_group[static_cast<size_t>(group)].back().empty())
      return Unexpected("a tree that is inconsistent");
  }
  for (const std::vector<Tree>& trees : by_group)
    if (trees.size() != by_group[0].size())
      return Unexpected("classes with different numbers of trees");
  for (size_t round = 0; round < by_group[0].size(); ++round)
    for (std::vector<Tree>& trees : by_group)
      weights.trees.push_back(std::move(trees[round]));
  // The library keeps the base of two classes as a probability.
  const double base = raw.base_score;
  weights.base =
      static_cast<float>(groups == 1 ? std::log(base / (1 - base)) : base);
  return {};
}

}  // namespace modicum
