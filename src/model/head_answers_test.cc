// SPDX-License-Identifier: Apache-2.0
#include "model/head_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "model/fake_headed_encoder.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Row = FakeHeadedEncoder::Row;

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (const TextRange& word : BasicWords(text))
    words.emplace_back(text.substr(word.begin, word.end - word.begin));
  return words;
}

TEST(BasicWords, AreCutAtBlanksAndMarks) {
  EXPECT_THAT(Words(" The  cat's\ttail, (a-b)\n"),
              ElementsAre("The", "cat", "'", "s", "tail", ",", "(", "a", "-",
                          "b", ")"));
  EXPECT_THAT(Words("“Ja”…nein"), ElementsAre("“", "Ja", "”", "…", "nein"));
  EXPECT_THAT(Words("Köln⁄東京"), ElementsAre("Köln⁄東京"));
  EXPECT_THAT(Words("x=1_000$"), ElementsAre("x", "=", "1", "_", "000", "$"));
  EXPECT_TRUE(BasicWords(" \n").empty());
  EXPECT_TRUE(BasicWords("").empty());
  EXPECT_THAT(BasicWords("\xE2\x80"), ElementsAre(TextRange{0, 2}));
}

TEST(Masks, AreAskedAbout) {
  FakeHeadedEncoder encoder(HeadKind::kFillMask, Row());
  const auto asked = ReadMasked(encoder, "ab [MASK] c[MASK]");
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->tokens, (TokenIds{1, 'A', 'b', 3, 'C', 3, 2}));
  EXPECT_THAT(asked->places, ElementsAre(3, 5));
  EXPECT_EQ(asked->second, 0U);
  EXPECT_EQ(ReadMasked(encoder, "ab").error().message, "nothing is hidden");
  encoder.facts().context = 4;
  EXPECT_THAT(ReadMasked(encoder, "[MASK] abc")->tokens,
              ElementsAre(1, 3, 'A', 2));
  EXPECT_EQ(ReadMasked(encoder, "abc [MASK]").error().message,
            "no [MASK] within the context of the network");
  EXPECT_EQ(ReadMasked(FakeHeadedEncoder(HeadKind::kQuestionAnswering, Row()),
                       "[MASK]")
                .error()
                .message,
            "fake has a head for question-answering, not for fill-mask");
}

TEST(HiddenTokens, AreWholeWordsDrawnByTheSeed) {
  const FakeHeadedEncoder encoder(HeadKind::kFillMask, Row());
  std::set<TokenId> drawn;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto hidden = *HideOneToken(encoder, "a bcd e 7 fg h", seed);
    ASSERT_TRUE(hidden.has_value());
    ASSERT_EQ(hidden->text.places.size(), 1U);
    EXPECT_EQ(hidden->text.tokens[hidden->text.places[0]],
              FakeHeadedEncoder::kMask);
    EXPECT_EQ(hidden->text.tokens.size(), 2U + 9);
    drawn.insert(hidden->was);
    EXPECT_EQ((*HideOneToken(encoder, "a bcd e 7 fg h", seed))->was,
              hidden->was);
  }
  EXPECT_THAT(drawn, ElementsAre('A', 'E', 'H'));
  // Of words in several pieces, any piece.
  drawn.clear();
  for (uint64_t seed = 0; seed < 50; ++seed)
    drawn.insert((*HideOneToken(encoder, "xyz", seed))->was);
  EXPECT_EQ(drawn.size(), 3U);
  EXPECT_FALSE(HideOneToken(encoder, " ", 1)->has_value());
}

TEST(LikeliestTokens, AreSortedAndShareOneWhole) {
  const std::vector<float> logits = {0, 2, 1, 2, -1};
  const auto likeliest = LikeliestTokens(logits, 3);
  ASSERT_EQ(likeliest.size(), 3U);
  EXPECT_EQ(likeliest[0].token, 1);
  EXPECT_EQ(likeliest[1].token, 3);
  EXPECT_EQ(likeliest[2].token, 2);
  const double all = 1 + 2 * std::exp(2.0) + std::exp(1.0) + std::exp(-1.0);
  EXPECT_NEAR(likeliest[2].probability, std::exp(1.0) / all, 1e-7);
  EXPECT_EQ(LikeliestTokens(logits, 9).size(), 5U);
  const TokenRank rank = RankOf(logits, 2);
  EXPECT_EQ(rank.above, 2U);
  EXPECT_NEAR(rank.bits, -std::log2(std::exp(1.0) / all), 1e-6);
  EXPECT_EQ(RankOf(logits, 3).above, 0U);
}

// Label 1 for a word that begins with a vowel.
std::vector<float> Vowels(const AskedText& text, uint32_t place) {
  const TokenId token = text.tokens[place];
  const bool vowel = std::string_view("AEIOU").find(static_cast<char>(token)) !=
                     std::string_view::npos;
  return vowel ? std::vector<float>{0, 1} : std::vector<float>{1, 0};
}

TEST(TagWords, LabelsEachWordByItsFirstPiece) {
  FakeHeadedEncoder encoder(HeadKind::kTokenClassification, Vowels);
  encoder.facts().labels = {"no", "yes"};
  NullSink sink;
  uint64_t read = 0;
  const std::vector<Tokens> texts = {{{"bad", "apples"}}, {{}}, {{"is"}}};
  const auto tags = TagWords(encoder, texts, {}, sink, &read);
  ASSERT_TRUE(tags.has_value());
  EXPECT_THAT(*tags,
              ElementsAre(ElementsAre(0, 1), ElementsAre(), ElementsAre(1)));
  EXPECT_EQ(read, 2U + 9 + 2 + 2);
  // Of a text that does not fit, every word all the same; what has no pieces
  // has a label too.
  encoder.facts().context = 7;
  const std::vector<Tokens> longer = {
      {{"abc", "de", "e", "", "longestword", "i"}}};
  const auto parts = TagWords(encoder, longer, {}, sink);
  ASSERT_TRUE(parts.has_value());
  EXPECT_THAT(*parts, ElementsAre(ElementsAre(1, 0, 1, 0, 0, 1)));
  for (const AskedText& text : encoder.asked())
    EXPECT_LE(text.tokens.size(), 7U);
}

// An answer begins at a Q and ends at the next z.
std::vector<float> FromQToZ(const AskedText& text, uint32_t place) {
  const TokenId token = text.tokens[place];
  return {token == 'Q' ? 5.0F : 0.0F, token == 'z' ? 4.0F : 0.0F};
}

TEST(AnswerQuestions, FindsTheBestPartInWholeWords) {
  FakeHeadedEncoder encoder(HeadKind::kQuestionAnswering, FromQToZ);
  NullSink sink;
  uint64_t read = 0;
  const std::vector<TextPair> questions = {{"who", "say qab and fuzzy, please"},
                                           {"what", ""}};
  const auto answers = AnswerQuestions(encoder, questions, {}, sink, &read);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  ASSERT_EQ(answers->size(), 2U);
  EXPECT_EQ((*answers)[0].range, (TextRange{4, 17}));
  EXPECT_EQ((*answers)[0].score, 9);
  EXPECT_EQ((*answers)[1].range, (TextRange{0, 0}));
  const AskedText& asked = encoder.asked()[0];
  EXPECT_EQ(asked.second, 5U);  // begin, w, h, o, separator
  EXPECT_EQ(asked.places.front(), 5U);
  EXPECT_EQ(asked.places.size() + 6, asked.tokens.size());
  EXPECT_EQ(asked.tokens.back(), FakeHeadedEncoder::kSeparator);
  EXPECT_EQ(read, asked.tokens.size());
}

TEST(AnswerQuestions, ReadsALongContextInWindows) {
  FakeHeadedEncoder encoder(HeadKind::kQuestionAnswering, FromQToZ);
  std::string context;
  for (int i = 0; i < 1000; ++i) context += "b ";
  context += "q a bz";
  NullSink sink;
  const std::vector<TextPair> questions = {{std::string(100, 'w'), context}};
  const auto answers = AnswerQuestions(encoder, questions, {}, sink);
  ASSERT_TRUE(answers.has_value());
  EXPECT_EQ((*answers)[0].range, (TextRange{2000, 2006}));
  // 384 - 3 - 64 = 317 pieces a window, the next 128 further on: the seventh
  // is the first to reach the 1,004th.
  ASSERT_EQ(encoder.asked().size(), 7U);
  EXPECT_EQ(encoder.asked()[0].tokens.size(), 384U);
  EXPECT_EQ(encoder.asked()[0].second, 66U);
  EXPECT_EQ(encoder.asked()[6].places.size(), 1004U - 6 * 128);
}

TEST(AnswerQuestions, AnswersAreOfThirtyTokensAtMost) {
  FakeHeadedEncoder encoder(HeadKind::kQuestionAnswering, FromQToZ);
  NullSink sink;
  const auto length = [&](int between) {
    std::string context = "q";
    for (int i = 0; i < between; ++i) context += " b";
    context += " z";
    // A piece that begins a word is a capital: no z in the way.
    context += " bz";
    const std::vector<TextPair> questions = {{"w", context}};
    return (*AnswerQuestions(encoder, questions, {}, sink))[0];
  };
  // "q", 27 times "b", "Z", "B", "z": 31 pieces.
  EXPECT_EQ(length(26).score, 9);
  EXPECT_EQ(length(27).score, 5);
}

TEST(AnswerQuestions, NeedsRoom) {
  FakeHeadedEncoder encoder(HeadKind::kQuestionAnswering, FromQToZ);
  NullSink sink;
  encoder.facts().context = 6;
  const std::vector<TextPair> questions = {{"who is it", "q it is z"}};
  EXPECT_TRUE(AnswerQuestions(encoder, questions, {}, sink).has_value());
  encoder.facts().context = 3;
  EXPECT_THAT(AnswerQuestions(encoder, questions, {}, sink).error().message,
              HasSubstr("has no room for a question and a text"));
}

}  // namespace
}  // namespace modicum
