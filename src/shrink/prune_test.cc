// SPDX-License-Identifier: Apache-2.0
#include "model/linear_weights.h"
#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

LinearWeights LinearIn(const std::string& folder) {
  return DecodeLinear(*ReadFile(folder + "/" + kLinearFile)).value();
}

TEST(Prune, KeepsItsContract) {
  const Dataset data = MakeZipfTexts(2, 300);
  const Trained model("linear", data);
  CheckContract(PrunePass(), model.input(), Keep(0.25));
}

TEST(Prune, KeepingAllIsTheIdentity) {
  for (const size_t classes : {2U, 4U}) {
    const Dataset data = MakeZipfTexts(classes, 300);
    const Trained model("linear", data);
    const TestFolder pruned;
    ASSERT_TRUE(ApplyInto(PrunePass(), model.input(), Keep(1), pruned.path()));
    EXPECT_EQ(FilesIn(pruned.path()), FilesIn(model.input().directory));
  }
}

// The heaviest stay, in their order, with the weights they had.
TEST(Prune, DropsTheLightestFeatures) {
  const Dataset data = MakeZipfTexts(3, 400);
  const Trained model("linear", data);
  const TestFolder pruned;
  ASSERT_TRUE(ApplyInto(PrunePass(), model.input(), Keep(0.1), pruned.path()));
  const LinearWeights full = LinearIn(model.input().directory);
  const LinearWeights few = LinearIn(pruned.path());
  EXPECT_EQ(few.hashes.size(), (full.hashes.size() + 9) / 10);
  EXPECT_EQ(few.bias, full.bias);
  const HashIndex index(few.hashes);
  float lightest_kept = INFINITY, heaviest_gone = 0;
  uint32_t next = 0;
  for (size_t i = 0; i < full.hashes.size(); ++i) {
    float weight = 0;
    for (size_t r = 0; r < 3; ++r)
      weight = std::max(weight, std::abs(full.weights[3 * i + r]));
    weight *= full.idf[i];
    const uint32_t at = index.Find(full.hashes[i]);
    if (at == HashIndex::kAbsent) {
      heaviest_gone = std::max(heaviest_gone, weight);
      continue;
    }
    lightest_kept = std::min(lightest_kept, weight);
    EXPECT_EQ(at, next++);
    EXPECT_EQ(few.idf[at], full.idf[i]);
    EXPECT_EQ(few.weights[3 * at], full.weights[3 * i]);
  }
  EXPECT_GE(lightest_kept, heaviest_gone);
}

TEST(Prune, AgreementFallsAsLessIsKept) {
  for (const size_t classes : {2U, 5U}) {
    const Dataset data = MakeZipfTexts(classes, 800);
    const Dataset fresh = MakeZipfTexts(classes, 800, 2);
    const Trained model("linear", data);
    const auto full = Answers("linear", model.input().directory, fresh);
    double before = 1;
    for (const double share : {0.5, 0.25, 0.1, 0.03}) {
      const TestFolder pruned;
      ASSERT_TRUE(
          ApplyInto(PrunePass(), model.input(), Keep(share), pruned.path()));
      const double agreement =
          Agreement(full, Answers("linear", pruned.path(), fresh));
      EXPECT_LE(agreement, before) << classes << " classes, " << share;
      before = agreement;
      if (share == 0.5) {
        EXPECT_GT(agreement, 0.75) << classes << " classes";
      }
    }
    EXPECT_LT(before, 1);
  }
}

// Fewer features make shorter vectors, hence larger scores: without a refit
// the probabilities of a model that keeps a tenth would be far too sure.
TEST(Prune, ProbabilitiesStayAsSureAsTheyWere) {
  const Dataset data = MakeZipfTexts(2, 800);
  const Dataset fresh = MakeZipfTexts(2, 800, 2);
  const Trained model("linear", data);
  const TestFolder pruned, raw;
  ASSERT_TRUE(ApplyInto(PrunePass(), model.input(), Keep(0.1), pruned.path()));
  LinearWeights weights = LinearIn(pruned.path());
  EXPECT_LT(weights.slope[0], 1);
  weights.slope = {1};
  weights.offset = {0};
  ASSERT_TRUE(WriteFileAtomically(raw.path() + "/" + kLinearFile,
                                  EncodeLinear(weights)));
  const auto full = Answers("linear", model.input().directory, fresh);
  const auto distance = [&](const std::string& folder) {
    double sum = 0;
    const auto answers = Answers("linear", folder, fresh);
    for (size_t i = 0; i < full.size(); ++i)
      sum += std::abs(std::get<Label>(answers[i]).probabilities[1] -
                      std::get<Label>(full[i]).probabilities[1]);
    return sum / static_cast<double>(full.size());
  };
  EXPECT_LT(distance(pruned.path()), 0.9 * distance(raw.path()));
}

TEST(Prune, SaysWhyNot) {
  const Dataset data = MakeZipfTexts(2, 60);
  const Trained model("linear", data);
  EXPECT_TRUE(PrunePass().Accepts(model.planned()));
  PassInput planned = model.planned();
  planned.family = "fasttext";
  EXPECT_EQ(PrunePass().Accepts(planned).error().message,
            "prune is for linear models of texts, not fasttext");
  Dataset table = data;
  table.columns = {"x"};
  const PassInput of_table{table, {}, "linear", {}, "", {}};
  EXPECT_EQ(PrunePass().Accepts(of_table).error().message,
            "prune is for linear models of texts, not of tables");
  const TestFolder rounded, out;
  ASSERT_TRUE(ApplyInto(EightBitPass(), model.input(), {}, rounded.path()));
  PassInput input = model.input();
  input.directory = rounded.path();
  EXPECT_EQ(PrunePass().Accepts(input).error().message,
            "its weights have 8 bits: prune before 8-bit, not after");
  const auto message = [&](const Params& params) {
    return ApplyInto(PrunePass(), model.input(), params, out.path())
        .error()
        .message;
  };
  EXPECT_EQ(message({{"kep", 0.5}}),
            "pass prune has no parameter 'kep', did you mean 'keep'?");
  EXPECT_EQ(message({}), "pass prune needs all its parameters");
  EXPECT_EQ(message(Keep(1.5)),
            "parameter keep = 1.5: a number from 0.001 to 1 expected");
  EXPECT_EQ(ToString(PassStep{"prune", Keep(0.1)}), "prune keep=0.1");
  EXPECT_EQ(ToString(PassStep{"8-bit", {}}), "8-bit");
}

TEST(Prune, RefusesADamagedModel) {
  const Dataset data = MakeZipfTexts(2, 60);
  const TestFolder folder, out;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/" + kLinearFile, "MODLIN"));
  const PassInput input{data, {}, "linear", {}, folder.path(), {kLinearFile}};
  EXPECT_EQ(
      ApplyInto(PrunePass(), input, Keep(0.5), out.path()).error().message,
      "not a linear model this program wrote: it does not begin MODLIN1 "
      "or MODLIN2");
  EXPECT_TRUE(FilesIn(out.path()).empty());
}

}  // namespace
}  // namespace modicum
