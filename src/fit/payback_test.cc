// SPDX-License-Identifier: Apache-2.0
#include "fit/payback.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

Estimate<Joules> J(double mid, double relative) {
  return {Joules(mid), relative * mid, {}, Origin::kModelled, Scope::kPackage};
}

TEST(Payback, IsCostOverSavingPerPrediction) {
  const auto answer = PaybackOf(J(600, 0), J(3, 0), J(1, 0));
  ASSERT_TRUE(answer.payback);
  EXPECT_NEAR(answer.payback->mid, 300'000, 1e-6);
  EXPECT_NEAR(answer.payback->low, 300'000, 1e-3);
  EXPECT_NEAR(answer.payback->high, 300'000, 1e-3);
}

TEST(Payback, AnErrorSharedByAllCancels) {
  const SourceId model = InternSource("payback model");
  const auto answer =
      PaybackOf(J(600, 0).WithShared(model, 0.4),
                J(3, 0).WithShared(model, 0.4), J(1, 0).WithShared(model, 0.4));
  ASSERT_TRUE(answer.payback);
  EXPECT_NEAR(answer.payback->high / answer.payback->low, 1, 1e-6);
}

TEST(Payback, OwnErrorsWidenIt) {
  const auto answer = PaybackOf(J(600, 0.1), J(3, 0.1), J(1, 0.1));
  ASSERT_TRUE(answer.payback);
  EXPECT_LT(answer.payback->low, 270'000);
  EXPECT_GT(answer.payback->high, 330'000);
}

TEST(Payback, ASavingThatMayBeZeroIsNotEstablished) {
  const auto answer = PaybackOf(J(600, 0), J(1.1, 0.2), J(1, 0.2));
  EXPECT_FALSE(answer.payback);
  EXPECT_TRUE(answer.reason.starts_with("not established, from "))
      << answer.reason;
  EXPECT_TRUE(answer.reason.ends_with(" predictions, possibly never"));
}

// Then "from -inf predictions" would say nothing.
TEST(Payback, WhereAnyNumberIsPossibleNoneIsNamed) {
  const auto answer = PaybackOf(J(6, 6), J(1.1, 1), J(1, 1));
  EXPECT_FALSE(answer.payback);
  EXPECT_EQ(answer.reason, "not established, possibly never");
}

TEST(Payback, NoSavingIsNever) {
  const auto answer = PaybackOf(J(600, 0), J(1, 0), J(2, 0));
  EXPECT_FALSE(answer.payback);
  EXPECT_EQ(answer.reason, "never, it saves nothing per prediction");
}

}  // namespace
}  // namespace modicum
