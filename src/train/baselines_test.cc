// SPDX-License-Identifier: Apache-2.0
#include "train/baselines.h"

#include <gmock/gmock.h>

namespace modicum {
namespace {

TEST(WordTable, HasEachWordsMostFrequentTag) {
  const std::vector<TaggedExample> examples = {
      {{"may", "may", "may", "Paris"}, {2, 1, 1, 0}}, {{"x", "y"}, {1, 2}}};
  const WordTable table(examples, 3);
  EXPECT_EQ(table.TagOf("may"), 1U);
  EXPECT_EQ(table.TagOf("Paris"), 0U);
  EXPECT_EQ(table.TagOf("y"), 2U);
  EXPECT_EQ(table.TagOf("paris"), 1U);  // not known: the most frequent of all
}

std::string Near(size_t words, const std::string& question,
                 const std::string& context) {
  std::string answer;
  for (size_t i = 0; i < words; ++i) answer += "w ";
  const std::vector<AnswerExample> examples = {
      {{"q", answer}, {0, static_cast<uint32_t>(answer.size())}}};
  const TextRange range = NearbyWords(examples).Answer({question, context});
  return context.substr(range.begin, range.end - range.begin);
}

TEST(NearbyWords, StandWhereMostOfTheQuestionIs) {
  const std::string far(60, ' ');
  EXPECT_EQ(Near(1, "Who wrote the notes?",
                 "nobody a b c d e f g h i j k l m n o p Wrote ada the notes"),
            "j");
  EXPECT_EQ(Near(1, "wrote notes", "wrote ada notes"), "ada");
  EXPECT_EQ(Near(2, "when", "in may when it rains"), "in may");
  EXPECT_EQ(Near(3, "when", "one two"), "one two");
  EXPECT_EQ(Near(2, "when", ""), "");
}

TEST(FollowingTokens, AreThoseThatFollowMostThenTheMostFrequent) {
  const std::vector<TokenIds> texts = {
      {1, 7, 8}, {1, 7, 9}, {1, 7, 9}, {1, 5, 5, 5}};
  const FollowingTokens following(texts);
  EXPECT_THAT(following.Likeliest(7, 1), testing::ElementsAre(9));
  // 7 and 5 come thrice, 9 twice, 8 once.
  EXPECT_THAT(following.Likeliest(7, 5), testing::ElementsAre(9, 8, 5, 7));
  EXPECT_THAT(following.Likeliest(99, 2), testing::ElementsAre(5, 7));
  EXPECT_THAT(FollowingTokens({}).Likeliest(7, 5), testing::IsEmpty());
}

}  // namespace
}  // namespace modicum
