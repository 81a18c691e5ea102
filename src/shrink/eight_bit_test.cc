// SPDX-License-Identifier: Apache-2.0
#include "model/linear_weights.h"
#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

TEST(EightBit, KeepsItsContract) {
  const Dataset data = MakeZipfTexts(2, 300);
  const Trained model("linear", data);
  CheckContract(EightBitPass(), model.input(), {});
}

TEST(EightBit, IsSmallerAndAgrees) {
  for (const size_t classes : {2U, 5U}) {
    const Dataset data = MakeZipfTexts(classes, 600);
    const Dataset fresh = MakeZipfTexts(classes, 600, 2);
    const Trained model("linear", data);
    const TestFolder rounded;
    ASSERT_TRUE(ApplyInto(EightBitPass(), model.input(), {}, rounded.path()));
    const auto before = FilesIn(model.input().directory).at(kLinearFile);
    const auto after = FilesIn(rounded.path()).at(kLinearFile);
    // Hash, IDF and one weight: 12 bytes become 6; of five, 28 become 10.
    EXPECT_LT(
        static_cast<double>(after.size()),
        (classes == 2 ? 0.52 : 0.37) * static_cast<double>(before.size()));
    EXPECT_GE(Agreement(Answers("linear", model.input().directory, fresh),
                        Answers("linear", rounded.path(), fresh)),
              0.985);
  }
}

// Every weight is within half a step, a step being its row's greatest / 127.
TEST(EightBit, EveryWeightIsWithinHalfAStep) {
  const Dataset data = MakeZipfTexts(3, 200);
  const Trained model("linear", data);
  const TestFolder rounded;
  ASSERT_TRUE(ApplyInto(EightBitPass(), model.input(), {}, rounded.path()));
  const LinearWeights full =
      *DecodeLinear(FilesIn(model.input().directory).at(kLinearFile));
  const LinearWeights few =
      *DecodeLinear(FilesIn(rounded.path()).at(kLinearFile));
  ASSERT_TRUE(few.eight_bit());
  ASSERT_EQ(few.weights8.size(), full.weights.size());
  std::vector<float> greatest(3);
  for (size_t i = 0; i < full.weights.size(); ++i) {
    greatest[i % 3] = std::max(greatest[i % 3], std::abs(full.weights[i]));
    const float scale = few.scale[i % 3];
    EXPECT_LE(
        std::abs(static_cast<float>(few.weights8[i]) * scale - full.weights[i]),
        0.5001F * scale);
  }
  for (size_t r = 0; r < 3; ++r)
    EXPECT_FLOAT_EQ(few.scale[r], greatest[r] / 127);
  for (size_t i = 0; i < full.idf.size(); ++i)
    EXPECT_LE(std::abs(few.idf[i] - full.idf[i]), 0.5001F * few.idf_scale);
}

TEST(EightBit, SaysWhyNot) {
  const Dataset data = MakeZipfTexts(2, 60);
  const Trained model("linear", data);
  const TestFolder rounded;
  ASSERT_TRUE(ApplyInto(EightBitPass(), model.input(), {}, rounded.path()));
  PassInput input = model.input();
  input.directory = rounded.path();
  EXPECT_EQ(EightBitPass().Accepts(input).error().message,
            "its weights have 8 bits already");
  PassInput planned = model.planned();
  planned.family = "boosted";
  EXPECT_EQ(EightBitPass().Accepts(planned).error().message,
            "8-bit is for linear models of texts, not boosted");
  const auto refused =
      ApplyInto(EightBitPass(), model.input(), {{"bits", int64_t{4}}}, "/x");
  EXPECT_EQ(refused.error().message, "pass 8-bit has no parameter 'bits'");
  EXPECT_EQ(refused.error().hint, "it has none");
}

}  // namespace
}  // namespace modicum
