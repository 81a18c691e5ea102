// SPDX-License-Identifier: Apache-2.0
#include "model/test_tables.h"
#include "model/tree_weights.h"
#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

Params Depth(int64_t depth) { return {{"depth", depth}}; }
Params Shape(int64_t trees, int64_t depth) {
  return {{"trees", trees}, {"depth", depth}};
}

TreeWeights TreesIn(const std::string& folder) {
  return DecodeTrees(*ReadFile(folder + "/" + kTreeFile)).value();
}

// Two trees over one column: x < 1 and x < 0 below; then x < 2.
TreeWeights ByHand(bool forest) {
  TreeWeights w;
  w.forest = forest;
  w.config = {{0, 0}, {0, 0}};
  w.columns = {"x"};
  w.trees = {{{0, 1, 1, 0.5F},
              {TreeNode::kMissingLeft, 0, 3, -1},
              {0, 0, 0, 2},
              {0, 0, 0, -3},
              {0, 0, 0, 1}},
             {{0, 2, 1, 0.25F}, {0, 0, 0, -4}, {0, 0, 0, 4}}};
  return w;
}

// `pass` applied to weights by hand.
TreeWeights Cut(Pass& pass, const TreeWeights& weights, const Params& params) {
  const Dataset data = MakeTable(2, 2, 1);
  const TestFolder in, out;
  const std::string family = weights.forest ? "forest" : "boosted";
  EXPECT_TRUE(
      WriteFileAtomically(in.path() + "/" + kTreeFile, EncodeTrees(weights)));
  const PassInput input{data, {}, family, {}, in.path(), {kTreeFile}};
  const auto cut = ApplyInto(pass, input, params, out.path());
  EXPECT_TRUE(cut) << cut.error().message;
  return TreesIn(out.path());
}

TEST(CutTrees, KeepTheirContract) {
  const Dataset table = MakeTable(3, 40, 4, 0.5);
  const Dataset texts = MakeZipfTexts(2, 150);
  const Trained boosted("boosted", table, Shape(8, 4));
  const Trained forest("forest", texts, Shape(8, 4));
  for (const Trained* model : {&boosted, &forest}) {
    CheckContract(FewerTreesPass(), model->input(), Keep(0.5));
    CheckContract(ShallowerPass(), model->input(), Depth(2));
  }
}

TEST(FewerTrees, TheFirstOfBoostedAndAScaledForest) {
  const TreeWeights boosted = Cut(FewerTreesPass(), ByHand(false), Keep(0.5));
  ASSERT_EQ(boosted.trees.size(), 1U);
  EXPECT_EQ(boosted.trees[0], ByHand(false).trees[0]);
  const TreeWeights forest = Cut(FewerTreesPass(), ByHand(true), Keep(0.5));
  ASSERT_EQ(forest.trees.size(), 1U);
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(forest.trees[0][i].mean, 2 * ByHand(true).trees[0][i].mean);
  for (const bool of_forest : {false, true})
    EXPECT_EQ(Cut(FewerTreesPass(), ByHand(of_forest), Keep(1)),
              ByHand(of_forest));
}

// Half of ten rounds of boosting is what training five would have given.
TEST(FewerTrees, BoostedIsTheModelAsItStoodThen) {
  const Dataset data = MakeTable(3, 60, 4, 0.5);
  const Trained ten("boosted", data, Shape(10, 3));
  const Trained five("boosted", data, Shape(5, 3));
  const TestFolder half;
  ASSERT_TRUE(ApplyInto(FewerTreesPass(), ten.input(), Keep(0.5), half.path()));
  EXPECT_EQ(FilesIn(half.path()), FilesIn(five.input().directory));
}

TEST(Shallower, ANodeBecomesTheMeanOfItsLeaves) {
  const TreeWeights cut = Cut(ShallowerPass(), ByHand(false), Depth(1));
  EXPECT_EQ(cut.trees[0], (Tree{{0, 1, 1, 0.5F}, {0, 0, 0, -1}, {0, 0, 0, 2}}));
  EXPECT_EQ(cut.trees[1], ByHand(false).trees[1]);
  EXPECT_EQ(Cut(ShallowerPass(), ByHand(false), Depth(2)), ByHand(false));
}

TEST(CutTrees, AgreementOfAMilderCutIsHigh) {
  const Dataset data = MakeTable(4, 100, 6, 0.7);
  for (const std::string family : {"forest", "boosted"}) {
    const Trained model(family, data, Shape(20, 6));
    const auto full = Answers(family, model.input().directory, data);
    for (const auto& [pass, params] : {std::pair(&FewerTreesPass(), Keep(0.5)),
                                       std::pair(&ShallowerPass(), Depth(4))}) {
      const TestFolder cut;
      ASSERT_TRUE(ApplyInto(*pass, model.input(), params, cut.path()));
      EXPECT_GT(Agreement(full, Answers(family, cut.path(), data)), 0.85)
          << family << " " << pass->name();
    }
  }
}

// Words no tree asks for are not looked up, and no answer changes by it.
TEST(CutTrees, UnusedNgramsLeaveTheIndex) {
  const Dataset data = MakeZipfTexts(2, 300);
  const Trained model("boosted", data, Shape(5, 3));
  const TestFolder same, few;
  ASSERT_TRUE(ApplyInto(FewerTreesPass(), model.input(), Keep(1), same.path()));
  ASSERT_TRUE(
      ApplyInto(FewerTreesPass(), model.input(), Keep(0.2), few.path()));
  const TreeWeights full = TreesIn(model.input().directory);
  EXPECT_LE(TreesIn(same.path()).hashes.size(), full.hashes.size());
  EXPECT_LE(TreesIn(few.path()).hashes.size(), 7U);  // one tree of depth 3
  const auto before = Answers("boosted", model.input().directory, data);
  const auto after = Answers("boosted", same.path(), data);
  for (size_t i = 0; i < before.size(); ++i)
    ASSERT_EQ(std::get<Label>(before[i]).probabilities,
              std::get<Label>(after[i]).probabilities);
}

TEST(CutTrees, SpacesAndReasons) {
  const Dataset data = MakeTable(2, 30, 3);
  const Trained model("boosted", data, Shape(1, 1));
  EXPECT_EQ(FewerTreesPass().Accepts(model.input()).error().message,
            "it has one tree for each class");
  EXPECT_EQ(ShallowerPass().Accepts(model.input()).error().message,
            "its trees have one split at most");
  EXPECT_EQ(ShallowerPass().Space(model.input()),
            std::vector<Params>{Depth(1)});
  PassInput planned{data, {}, "forest", {}, "", {}};
  EXPECT_TRUE(ShallowerPass().Accepts(planned));
  EXPECT_EQ(ShallowerPass().Space(planned).front(), Depth(8));
  planned.family = "boosted";
  EXPECT_EQ(ShallowerPass().Space(planned),
            (std::vector<Params>{Depth(4), Depth(3), Depth(2), Depth(1)}));
  planned.family = "linear";
  EXPECT_EQ(FewerTreesPass().Accepts(planned).error().message,
            "fewer-trees is for forests and boosted trees, not linear");
  const auto message = [&](Pass& pass, const Params& params) {
    return ApplyInto(pass, model.input(), params, "/x").error().message;
  };
  EXPECT_EQ(message(ShallowerPass(), Depth(0)),
            "parameter depth = 0: a whole number from 1 to 64 expected");
  EXPECT_EQ(message(ShallowerPass(), {}),
            "pass shallower needs all its parameters");
  EXPECT_EQ(message(FewerTreesPass(), Keep(2)),
            "parameter keep = 2: a number from 0.001 to 1 expected");
}

}  // namespace
}  // namespace modicum
