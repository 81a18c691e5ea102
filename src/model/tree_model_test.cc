// SPDX-License-Identifier: Apache-2.0
#include "model/tree_model.h"

#include <gmock/gmock.h>

#include <cmath>

#include "model/test_data.h"
#include "model/test_tables.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint32_t kMissingLeft = TreeNode::kMissingLeft;

// Of two columns: "a" below 2 (or missing) and then "b" below 5.
TreeWeights TwoColumns() {
  TreeWeights w;
  w.config = {{0, 0}, {0, 0}};
  w.library_version = 10704;
  w.columns = {"a", "b"};
  w.trees = {{{0 | kMissingLeft, 2, 1, 0.25F},
              {1, 5, 3, -0.5F},
              {0, 0, 0, 1},
              {0, 0, 0, -1},
              {0, 0, 0, 0.5F}},
             {{1, 3, 1, 0.5F}, {0, 0, 0, 0.25F}, {0, 0, 0, 0.75F}}};
  return w;
}

const std::vector<std::string> kLabels{"no", "yes"};

std::vector<Output> PredictAll(const TreeWeights& weights,
                               const std::vector<Item>& items,
                               const std::vector<std::string>& labels,
                               int explain = 0) {
  auto model = MakeTreeModel(EncodeTrees(weights), labels);
  MODICUM_CHECK(model.has_value());
  NullSink sink;
  CallOptions options;
  options.explain = explain;
  return (*model)->Predict(items, options, sink).value();
}

Label PredictRow(std::vector<float> values, int explain = 0) {
  const std::vector<Item> items{RowItem(std::move(values))};
  return std::get<Label>(
      PredictAll(TwoColumns(), items, kLabels, explain).at(0));
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

TEST(TreeModel, WalksAsByHand) {
  const auto p = [](float a, float b) {
    return PredictRow({a, b}).probabilities[1];
  };
  EXPECT_NEAR(p(1, 0), Logistic(-1 + 0.25), 1e-6);
  EXPECT_NEAR(p(1, 4), Logistic(-1 + 0.75), 1e-6);
  EXPECT_NEAR(p(1, 5), Logistic(0.5 + 0.75), 1e-6);  // at the threshold: right
  EXPECT_NEAR(p(2, 0), Logistic(1 + 0.25), 1e-6);
  EXPECT_NEAR(p(INFINITY, -INFINITY), Logistic(1 + 0.25), 1e-6);
}

TEST(TreeModel, AMissingValueGoesWhereTheNodeSays) {
  // "a" missing: left; "b" missing: right in both trees.
  const Label label = PredictRow({kNan, kNan});
  EXPECT_NEAR(label.probabilities[1], Logistic(0.5 + 0.75), 1e-6);
  EXPECT_EQ(label.index, 1);
}

TEST(TreeModel, ExplainsByTheChangeOfTheExpectedValue) {
  // Tree 1: 0.25 -a-> -0.5 -b-> -1; tree 2: 0.5 -b-> 0.25. The answer is "no".
  const Label no = PredictRow({1, 0}, 5);
  EXPECT_EQ(no.index, 0);
  ASSERT_EQ(no.reasons.size(), 2U);
  EXPECT_EQ(no.reasons[0].feature, "a = 1");
  EXPECT_NEAR(no.reasons[0].effect, 0.75, 1e-6);
  EXPECT_EQ(no.reasons[1].feature, "b = 0");
  EXPECT_NEAR(no.reasons[1].effect, 0.75, 1e-6);
  const Label yes = PredictRow({kNan, 7.5}, 1);
  EXPECT_EQ(yes.index, 1);
  ASSERT_EQ(yes.reasons.size(), 1U);
  EXPECT_EQ(yes.reasons[0].feature, "b = 7.5");
  EXPECT_NEAR(yes.reasons[0].effect, 1.25, 1e-6);
  EXPECT_EQ(PredictRow({kNan, 7.5}, 2).reasons[1].feature, "a is missing");
  EXPECT_TRUE(PredictRow({1, 0}).reasons.empty());
}

// Random trees over random rows: reasons and roots sum up to the score.
TreeWeights RandomTrees(uint32_t classes, size_t features, size_t rounds,
                        uint64_t seed) {
  Rng rng(seed);
  TreeWeights w;
  w.config = {{0, 0}, {0, 0}};
  w.classes = classes;
  w.base = 0.125F;
  for (size_t f = 0; f < features; ++f)
    w.columns.push_back("x" + std::to_string(f));
  for (size_t t = 0; t < rounds * w.groups(); ++t) {
    Tree tree(1);
    for (size_t i = 0; i < tree.size(); ++i) {
      tree[i].mean = static_cast<float>(rng.Unit() - 0.5);
      if (tree.size() > 60 || rng.Unit() < 0.2) continue;
      tree[i].feature = rng.Below(static_cast<uint32_t>(features)) |
                        (rng.Next() & kMissingLeft);
      tree[i].threshold = static_cast<float>(rng.Unit());
      tree[i].left = static_cast<uint32_t>(tree.size());
      tree.resize(tree.size() + 2);
    }
    w.trees.push_back(std::move(tree));
  }
  return w;
}

TEST(TreeModel, AllReasonsSumUpToTheScore) {
  for (const uint32_t classes : {2U, 5U}) {
    const TreeWeights w = RandomTrees(classes, 6, 20, classes);
    const Dataset data = MakeTable(classes, 30, 6, 0, 0.2);
    const auto outputs = PredictAll(w, data.items, data.labels, 6);
    for (const Output& output : outputs) {
      const auto& label = std::get<Label>(output);
      const bool one = w.groups() == 1;
      const size_t group = one ? 0 : static_cast<size_t>(label.index);
      double score = w.base;
      for (size_t t = group; t < w.trees.size(); t += w.groups())
        score += w.trees[t][0].mean;
      if (one && label.index == 0) score = -score;
      for (const Reason& reason : label.reasons) score += reason.effect;
      if (one) {
        EXPECT_NEAR(Logistic(score),
                    label.probabilities[static_cast<size_t>(label.index)],
                    1e-5);
      } else {
        // Log-odds up to what all classes share: compare with plain sums.
        std::vector<double> sums(classes, w.base);
        const size_t row = static_cast<size_t>(&output - outputs.data());
        const auto& x = std::get<Numbers>(data.items[row].payload).values;
        for (size_t t = 0; t < w.trees.size(); ++t) {
          const TreeNode* node = w.trees[t].data();
          while (node->left != 0) {
            const float v = x[node->index()];
            const bool left = std::isnan(v)
                                  ? (node->feature & kMissingLeft) != 0
                                  : v < node->threshold;
            node = &w.trees[t][node->left + (left ? 0 : 1)];
          }
          sums[t % classes] += node->mean;
        }
        EXPECT_NEAR(score, sums[group], 1e-5);
      }
    }
  }
}

TEST(TreeModel, TheItemsBesideDoNotMatter) {
  const TreeWeights w = RandomTrees(3, 4, 30, 9);
  const Dataset data = MakeTable(3, 67, 4, 0.5, 0.3);
  const auto together = PredictAll(w, data.items, data.labels);
  ASSERT_EQ(together.size(), data.items.size());
  for (size_t i = 0; i < data.items.size(); ++i) {
    const auto alone = PredictAll(w, {data.items[i]}, data.labels);
    EXPECT_EQ(std::get<Label>(alone[0]).probabilities,
              std::get<Label>(together[i]).probabilities);
  }
}

TEST(TreeModel, ProbabilitiesSumToOneEvenFarOut) {
  TreeWeights w = RandomTrees(4, 2, 1, 3);
  for (Tree& tree : w.trees)
    for (TreeNode& node : tree) node.mean *= 1e30F;
  const Dataset data = MakeTable(4, 10, 2);
  for (const Output& output : PredictAll(w, data.items, data.labels)) {
    const auto& p = std::get<Label>(output).probabilities;
    EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-6);
  }
}

uint32_t HashOf(std::string_view word) {
  std::vector<uint32_t> hashes;
  HashFeatures(word, {{1, 1}, {0, 0}}, hashes);
  return hashes.at(0);
}

// "good" twice or more speaks for class 1, no "bad" too.
TreeWeights TwoWords() {
  TreeWeights w;
  w.forest = true;
  w.config = {{1, 1}, {0, 0}};
  w.library_version = 10704;
  w.hashes = {HashOf("good"), HashOf("bad")};
  w.trees = {{{0 | kMissingLeft, 2, 1, 0.5F}, {0, 0, 0, -1}, {0, 0, 0, 2}},
             {{1, 100, 1, 0}, {0, 0, 0, -3}, {0, 0, 0, 1}}};
  return w;
}

TEST(TreeModel, CountsTheNgramsOfAText) {
  const std::vector<Item> items{
      TextItem("Good, good: neither"), TextItem("good"), TextItem(""),
      TextItem("bad GOOD good good bad"), TextItem("good good")};
  const auto outputs = PredictAll(TwoWords(), items, kLabels);
  const std::vector<double> scores{3, 0, 0, -1, 3};
  for (size_t i = 0; i < items.size(); ++i)
    EXPECT_NEAR(std::get<Label>(outputs[i]).probabilities[1],
                Logistic(scores[i]), 1e-6);
}

TEST(TreeModel, ExplainsATextByItsNgramsAndThoseItLacks) {
  const std::vector<Item> items{TextItem("Good and GOOD"), TextItem("so bad")};
  const auto outputs = PredictAll(TwoWords(), items, kLabels, 9);
  const auto& good = std::get<Label>(outputs[0]).reasons;
  ASSERT_EQ(good.size(), 2U);
  EXPECT_EQ(good[0].feature, "good");
  EXPECT_NEAR(good[0].effect, 1.5, 1e-6);
  EXPECT_EQ(good[1].feature, "(n-grams not in the text)");
  EXPECT_NEAR(good[1].effect, 1, 1e-6);
  const auto& bad = std::get<Label>(outputs[1]);
  EXPECT_EQ(bad.index, 0);
  EXPECT_EQ(bad.reasons[0].feature, "bad");
  EXPECT_NEAR(bad.reasons[0].effect, 3, 1e-6);
}

TEST(TreeModel, ReportsPhasesAndInfo) {
  auto model = MakeTreeModel(EncodeTrees(TwoColumns()), kLabels);
  PhaseList phases;
  const std::vector<Item> items{RowItem({1, 2})};
  ASSERT_TRUE((*model)->Predict(items, {}, phases));
  EXPECT_EQ(phases.seen, (std::vector{Phase::kPrepare, Phase::kPrefill}));
  const ModelInfo& info = (*model)->info();
  EXPECT_EQ(info.family, "boosted");
  EXPECT_EQ(info.engine, "xgboost");
  EXPECT_EQ(info.engine_version, "1.7.4");
  EXPECT_EQ(info.parameters, 8U);
  EXPECT_EQ(info.bytes.value(),
            static_cast<double>(EncodeTrees(TwoColumns()).size()));
  EXPECT_EQ(info.not_deterministic, "");
  EXPECT_EQ((*MakeTreeModel(EncodeTrees(TwoWords()), kLabels))->info().family,
            "forest");
}

TEST(TreeModel, StopsAndRefusesOtherPayloads) {
  auto model = MakeTreeModel(EncodeTrees(TwoColumns()), kLabels);
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  CallOptions options;
  options.stop = stop.get_token();
  std::vector<Item> items{RowItem({1, 2})};
  EXPECT_EQ((*model)->Predict(items, options, sink).error().code,
            ErrorCode::kInterrupted);
  items[0] = RowItem({1, 2, 3});
  EXPECT_EQ((*model)->Predict(items, {}, sink).error().message,
            "item 0 has 3 numbers, the model needs 2");
  items[0] = TextItem("1, 2");
  EXPECT_EQ((*model)->Predict(items, {}, sink).error().message,
            "item 0 is not a row of numbers, and this model reads only tables");
  // After an error the model answers as before.
  items[0] = RowItem({1, 0});
  EXPECT_TRUE((*model)->Predict(items, {}, sink));
  auto text = MakeTreeModel(EncodeTrees(TwoWords()), kLabels);
  EXPECT_EQ((*text)->Predict(items, {}, sink).error().message,
            "item 0 is not a text, and this model reads only text");
}

TEST(TreeFile, RoundTrip) {
  for (const TreeWeights& w :
       {TwoColumns(), TwoWords(), RandomTrees(7, 3, 4, 2)})
    EXPECT_EQ(*DecodeTrees(EncodeTrees(w)), w);
}

// The layout is the same on every machine.
TEST(TreeFile, BytesArePinned) {
  const std::string bytes = EncodeTrees(TwoColumns());
  EXPECT_EQ(bytes.size(), 8U + 6 + 20 + 2 * 5 + 2 * 4 + 8 * 16);
  EXPECT_EQ(bytes.substr(0, 44), std::string("MODTREE1"
                                             "\0\0\0\0\0\0"
                                             "\2\0\0\0"
                                             "\2\0\0\0"
                                             "\2\0\0\0"
                                             "\xD0\x29\0\0"
                                             "\0\0\0\0"
                                             "\1\0\0\0a"
                                             "\1\0\0\0b",
                                             44));
}

TEST(TreeFile, EveryTruncationAndExtensionIsRefused) {
  for (const TreeWeights& weights : {TwoColumns(), TwoWords()}) {
    const std::string bytes = EncodeTrees(weights);
    for (size_t n = 0; n < bytes.size(); ++n) {
      const auto w = DecodeTrees(std::string_view(bytes).substr(0, n));
      ASSERT_FALSE(w) << n;
      EXPECT_EQ(w.error().code, ErrorCode::kInvalidInput);
    }
    EXPECT_EQ(DecodeTrees(bytes + "x").error().message,
              "not a tree model this program wrote: it is longer than its "
              "header says");
  }
}

TEST(TreeFile, TreesThatAreNoneAreRefused) {
  const auto message = [](auto change) {
    TreeWeights w = TwoColumns();
    change(w);
    const auto decoded = DecodeTrees(EncodeTrees(w));
    return decoded ? "" : decoded.error().message;
  };
  const std::string bad =
      "not a tree model this program wrote: tree 1 is not a tree";
  using W = TreeWeights&;
  EXPECT_EQ(message([](W w) { w.trees[0][1].left = 1; }), bad);  // a cycle
  EXPECT_EQ(message([](W w) { w.trees[0][1].left = 4; }), bad);  // beyond
  EXPECT_EQ(message([](W w) { w.trees[0][1].left = 0; }), bad);  // orphans
  EXPECT_EQ(message([](W w) { w.trees[0][1].feature = 2; }), bad);
  EXPECT_EQ(message([](W w) { w.trees[0][0].threshold = kNan; }), bad);
  EXPECT_EQ(message([](W w) { w.trees[0][4].mean = INFINITY; }), bad);
  EXPECT_EQ(message([](W w) { w.trees[0].clear(); }), bad);
  EXPECT_THAT(message([](W w) { w.classes = 1; }), HasSubstr("out of range"));
  EXPECT_THAT(message([](W w) { w.classes = 3; }), HasSubstr("out of range"));
  EXPECT_THAT(message([](W w) { w.base = kNan; }), HasSubstr("out of range"));
  EXPECT_THAT(message([](W w) { w.columns[0] = "\xFF"; }),
              HasSubstr("a column's name is not text"));
  EXPECT_EQ(message([](W) {}), "");
}

TEST(TreeFile, HugeCountsAllocateNothing) {
  for (const size_t at : {18U, 22U, 34U, 44U}) {  // features, trees, a length
    std::string bytes = EncodeTrees(TwoColumns());
    for (size_t i = at; i < at + 4; ++i) bytes[i] = '\x7F';
    EXPECT_THAT(DecodeTrees(bytes).error().message,
                HasSubstr("shorter than its header says"));
  }
}

TEST(TreeFile, LabelsMustFitAndFeaturesBeUnique) {
  EXPECT_EQ(
      MakeTreeModel(EncodeTrees(TwoColumns()), {"a", "b", "c"}).error().message,
      "the tree model has 2 classes, its card 3");
  TreeWeights w = TwoWords();
  w.hashes[1] = w.hashes[0];
  EXPECT_EQ(MakeTreeModel(EncodeTrees(w), kLabels).error().message,
            "not a tree model this program wrote: a feature comes twice");
}

}  // namespace
}  // namespace modicum
