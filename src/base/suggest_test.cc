// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace modicum {
namespace {

constexpr std::array<std::string_view, 5> kCommands{"fit", "predict", "run",
                                                    "ledger", "doctor"};

TEST(Nearest, FindsOneEditOfEachKind) {
  EXPECT_EQ(Nearest("pedict", kCommands), "predict");    // deleted
  EXPECT_EQ(Nearest("preddict", kCommands), "predict");  // inserted
  EXPECT_EQ(Nearest("prefict", kCommands), "predict");   // replaced
  EXPECT_EQ(Nearest("perdict", kCommands), "predict");   // swapped
  EXPECT_EQ(Nearest("fti", kCommands), "fit");  // a swap is one edit, not two
}

TEST(Nearest, AllowsAThirdOfTheLengthAndAtLeastOne) {
  EXPECT_EQ(Nearest("ru", kCommands), "run");
  EXPECT_EQ(Nearest("ledgrs", kCommands), "ledger");  // 2 of 6
  EXPECT_EQ(Nearest("lgrs", kCommands), "");          // 3 of 4
  EXPECT_EQ(Nearest("xun9", kCommands), "");          // 2 of 4
}

TEST(Nearest, TakesTheNearestAndTheFirstOfATie) {
  constexpr std::array<std::string_view, 4> kWords{"colour", "color", "cat",
                                                   "car"};
  EXPECT_EQ(Nearest("colr", kWords), "color");
  EXPECT_EQ(Nearest("caz", kWords), "cat");
  EXPECT_EQ(Nearest("cat", kWords), "cat");
}

TEST(Nearest, NothingForNothingOrAHugeWord) {
  EXPECT_EQ(Nearest("", kCommands), "");
  EXPECT_EQ(Nearest("fit", {}), "");
  EXPECT_EQ(Nearest(std::string(1'000'000, 'x'), kCommands), "");
}

TEST(DidYouMean, WordsTheQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("docter", kCommands), ", did you mean 'doctor'?");
  EXPECT_EQ(DidYouMean("zzzzzz", kCommands), "");
}

}  // namespace
}  // namespace modicum
