// SPDX-License-Identifier: Apache-2.0
#include "plan/scaling.h"

#include <gtest/gtest.h>

#include <cmath>

namespace modicum {
namespace {

const ScalingLaw& Law(const char* id) { return *FindScalingLaw(id).value(); }

// Besiroglu et al. 2024: at Chinchilla's own budget.
TEST(Scaling, ChinchillaAtItsBudget) {
  const Sizing sizing = ComputeOptimal(Law("epoch"), Flops(5.76e23));
  EXPECT_NEAR(sizing.parameters, 72.2e9, 0.1e9);
  EXPECT_NEAR(sizing.tokens, 1.33e12, 0.01e12);
  EXPECT_NEAR(sizing.tokens / sizing.parameters, 18.4, 0.1);
}

// The rounding of the exponents as printed, and what it does.
TEST(Scaling, PrintedConstantsGiveTooManyTokens) {
  const Sizing printed = ComputeOptimal(Law("hoffmann"), Flops(5.76e23));
  EXPECT_NEAR(printed.parameters, 32e9, 0.5e9);
  EXPECT_NEAR(printed.tokens / printed.parameters, 93, 1);
  const Sizing whole =
      ComputeOptimal(Law("hoffmann-unrounded"), Flops(5.76e23));
  EXPECT_LT(whole.tokens / whole.parameters, 75);
}

TEST(Scaling, OptimumSpendsTheBudgetAndIsLeast) {
  for (const ScalingLaw& law : ScalingLaws())
    for (double budget = 1e18; budget < 1e27; budget *= 10) {
      const Sizing best = ComputeOptimal(law, Flops(budget));
      EXPECT_NEAR(best.training().value() / budget, 1, 1e-12);
      for (const double factor : {0.5, 0.99, 1.01, 2.0}) {
        const Sizing other{best.parameters * factor, best.tokens / factor};
        EXPECT_GT(LossOf(law, other), LossOf(law, best)) << factor;
      }
    }
}

TEST(Scaling, GrowsWithTheBudget) {
  const ScalingLaw& law = Law("epoch");
  Sizing last = ComputeOptimal(law, Flops(1e17));
  for (double budget = 3e17; budget < 1e28; budget *= 3) {
    const Sizing next = ComputeOptimal(law, Flops(budget));
    EXPECT_GT(next.parameters, last.parameters);
    EXPECT_GT(next.tokens, last.tokens);
    EXPECT_LT(LossOf(law, next), LossOf(law, last));
    last = next;
  }
}

TEST(Scaling, CheapestWithALossIsTheOptimumOfItsBudget) {
  const ScalingLaw& law = Law("epoch");
  const Sizing sizing = CheapestWithLoss(law, 2.0);
  EXPECT_NEAR(LossOf(law, sizing), 2.0, 1e-12);
  const Sizing same = ComputeOptimal(law, sizing.training());
  EXPECT_NEAR(same.parameters / sizing.parameters, 1, 1e-9);
}

TEST(Scaling, MoreServedTokensMakeItSmaller) {
  const ScalingLaw& law = Law("epoch");
  const Sizing best = ComputeOptimal(law, Flops(1e22));
  const double loss = LossOf(law, best);
  double last = best.parameters;
  for (double served = 1e9; served < 1e16; served *= 10) {
    const Sizing life = CheapestOverLife(law, loss, served);
    EXPECT_LT(life.parameters, last) << served;
    EXPECT_GT(life.tokens, best.tokens) << served;
    EXPECT_NEAR(LossOf(law, life), loss, 1e-9) << served;
    const auto total = [&](const Sizing& s) {
      return s.training().value() + s.serving(served).value();
    };
    EXPECT_LT(total(life), total(best)) << served;
    // A little to either side, at the same loss, is no cheaper.
    for (const double factor : {0.98, 1.02}) {
      const double n = life.parameters * factor;
      const double left = loss - law.e - law.a / std::pow(n, law.alpha);
      if (left <= 0) continue;
      const Sizing beside{n, std::pow(law.b / left, 1 / law.beta)};
      EXPECT_GE(total(beside), total(life)) << served << " " << factor;
    }
    last = life.parameters;
  }
}

TEST(Scaling, WithoutServingItIsComputeOptimal) {
  const ScalingLaw& law = Law("epoch");
  const Sizing best = ComputeOptimal(law, Flops(1e22));
  for (const double served : {0.0, 1.0, 1e5})
    EXPECT_NEAR(CheapestOverLife(law, LossOf(law, best), served).parameters /
                    best.parameters,
                1, 1e-4)
        << served;
}

TEST(Scaling, ErrorsGrowAwayFromTheFittedRuns) {
  EXPECT_GT(SizeSd(Flops(1e24)), SizeSd(Flops(1e22)));
  EXPECT_GT(SizeSd(Flops(1e16)), SizeSd(Flops(1e20)));
  const ScalingLaw& law = Law("epoch");
  EXPECT_GT(LossSd(law, ComputeOptimal(law, Flops(1e26))), 0.03);
}

TEST(Scaling, AShiftedLawHasItsOptimumOneErrorFurther) {
  const ScalingLaw& law = Law("epoch");
  const Flops budget(1e23);
  const double shifted =
      ComputeOptimal(ShiftedLaw(law, budget), budget).parameters;
  EXPECT_NEAR(std::log(shifted / ComputeOptimal(law, budget).parameters),
              SizeSd(budget), 1e-12);
}

TEST(Scaling, UnknownConstants) {
  const auto law = FindScalingLaw("epcoh");
  ASSERT_FALSE(law);
  EXPECT_EQ(law.error().message,
            "unknown constants 'epcoh', did you mean 'epoch'?");
}

}  // namespace
}  // namespace modicum
