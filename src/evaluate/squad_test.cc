// SPDX-License-Identifier: Apache-2.0
// Normalisation and scores; expected values are those of the published script.
#include "evaluate/squad.h"

#include <gtest/gtest.h>

#include <vector>

namespace modicum {
namespace {

TEST(NormalizedAnswer, DropsCaseMarksAndArticles) {
  EXPECT_EQ(NormalizedAnswer("The Denver Broncos."), "denver broncos");
  EXPECT_EQ(NormalizedAnswer("  a  an the  "), "");
  EXPECT_EQ(NormalizedAnswer("an-apple a.m."), "anapple am");
  EXPECT_EQ(NormalizedAnswer("theatre, anna & a"), "theatre anna");
  EXPECT_EQ(NormalizedAnswer("“The” end"), "“ ” end");
  EXPECT_EQ(NormalizedAnswer("ÉCOLE\xC2\xA0\x31st"), "école 1st");
  EXPECT_EQ(NormalizedAnswer(""), "");
}

TEST(Answers, AreExactUpToThat) {
  const std::vector<std::string> wanted = {"Levi's Stadium", "the stadium"};
  EXPECT_TRUE(IsExactAnswer("levis stadium", wanted));
  EXPECT_TRUE(IsExactAnswer("Stadium!", wanted));
  EXPECT_FALSE(IsExactAnswer("Levi's", wanted));
  EXPECT_FALSE(IsExactAnswer("", wanted));
}

TEST(Answers, ShareWords) {
  const std::vector<std::string> wanted = {"Santa Clara, California"};
  EXPECT_DOUBLE_EQ(AnswerF1("Santa Clara", wanted), 2 * 2.0 / 5);
  EXPECT_DOUBLE_EQ(AnswerF1("in the Santa Clara California", wanted),
                   2 * 3.0 / 7);
  EXPECT_DOUBLE_EQ(AnswerF1("Santa Santa", wanted), 2 * 1.0 / 5);
  EXPECT_DOUBLE_EQ(AnswerF1("Denver", wanted), 0);
  EXPECT_DOUBLE_EQ(AnswerF1("the", std::vector<std::string>{"a"}), 0);
  EXPECT_DOUBLE_EQ(
      AnswerF1("b c", std::vector<std::string>{"a b", "b c d", "x"}), 0.8);
}

}  // namespace
}  // namespace modicum
