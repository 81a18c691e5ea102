// SPDX-License-Identifier: Apache-2.0
#include "cli/equals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modicum {
namespace {

using testing::HasSubstr;

TEST(EqualsText, CountsTheEnergyOfTheBuildingAndNamesEachFactor) {
  Bill bill;
  bill.energy = Exactly(KilowattHours(0.012), Origin::kCounter, Scope::kHost);
  bill.operational = Exactly(GramsCo2e(244), Origin::kModelled, Scope::kHost);
  bill.factors.push_back({"PUE, somewhere", 1.5, "", "a source", "2024"});
  const std::string text = EqualsText(bill);
  EXPECT_THAT(text, HasSubstr("equals    1.5 phone charges ["));
  EXPECT_THAT(text, HasSubstr("at 0.012 kWh each (US EPA equivalencies, "));
  EXPECT_THAT(text, HasSubstr("equals    1 km by car ["));
}

}  // namespace
}  // namespace modicum
