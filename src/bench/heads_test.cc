// SPDX-License-Identifier: Apache-2.0
#include "bench/heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "bench/config.h"
#include "dataset/temp_folder.h"
#include "model/fake_headed_encoder.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HeadsTest : public ::testing::Test {
 protected:
  void SetTask(const char* name) {
    settings_.task = *FindBenchTask(name);
    workload_.settings = &settings_;
    workload_.data = "items";
  }
  static Item Numbered(uint64_t id, Payload payload,
                       std::vector<std::string> wanted = {}) {
    return {id, id, std::move(payload), kUnlabelled, std::move(wanted)};
  }
  std::vector<Output> Infer(BenchSubject& subject,
                            const std::vector<Item>& items) {
    CallOptions call;
    call.seed = 7;
    const auto outputs = subject.Infer(items, call, sink_, work_);
    EXPECT_TRUE(outputs.has_value()) << outputs.error().message;
    return *outputs;
  }

  TaskSettings settings_;
  Workload workload_;
  NullSink sink_;
  Work work_;
};

// The network knows A alone, and finds B next.
std::vector<float> MostlyA(const AskedText&, uint32_t) {
  std::vector<float> row(128, 0.0F);
  row['A'] = 3;
  row['B'] = 2;
  return row;
}

TEST_F(HeadsTest, AHiddenTokenIsRanked) {
  SetTask("fill-mask");
  const auto subject = EncoderSubject(
      std::make_unique<FakeHeadedEncoder>(HeadKind::kFillMask, MostlyA));
  const std::vector<Item> items = {
      Numbered(0, Text{"a"}), Numbered(1, Text{"b"}), Numbered(2, Text{""}),
      Numbered(3, Text{"c"})};
  const auto outputs = Infer(*subject, items);
  EXPECT_EQ(work_.tokens_in, 9U);
  EXPECT_EQ(std::get<Unmasked>(outputs[1]).above, 1U);
  EXPECT_FALSE(std::get<Unmasked>(outputs[2]).above.has_value());
  const auto score = [&](const char* metric) {
    settings_.metric = metric;
    return *ScoreUnmasked(*subject, workload_, items, outputs, {});
  };
  EXPECT_NEAR(score("").figure->mid, 1.0 / 3, 1e-9);
  EXPECT_EQ(score("").figure->metric, "accuracy");
  EXPECT_EQ(score("").figure->items, 3U);
  EXPECT_NEAR(*score("bits").correct_share, 1.0 / 3, 1e-9);
  EXPECT_NEAR(score("top-5").figure->mid, 1, 1e-9);
  const double all = std::log2(126 + std::exp(3.0) + std::exp(2.0));
  const double nat = std::log2(std::exp(1.0));
  EXPECT_NEAR(score("bits").figure->mid, all - (3 + 2 + 0) * nat / 3, 1e-6);
  const auto none =
      ScoreUnmasked(*subject, workload_, {&items[2], 1}, {&outputs[2], 1}, {});
  EXPECT_EQ(none->note, "not scored: no text has a token to hide");
}

// B-X for a word that begins with an a, I-X for one with an e.
std::vector<float> ByFirstLetter(const AskedText& text, uint32_t place) {
  const TokenId token = text.tokens[place];
  return {1, token == 'A' ? 2.0F : 0.0F, token == 'E' ? 2.0F : 0.0F};
}

TEST_F(HeadsTest, TagsAreScoredByEntities) {
  SetTask("token-classification");
  workload_.labels = {"B-X", "I-X", "O"};
  auto encoder = std::make_unique<FakeHeadedEncoder>(
      HeadKind::kTokenClassification, ByFirstLetter);
  encoder->facts().labels = {"O", "B-X", "I-X"};
  const auto subject = EncoderSubject(std::move(encoder));
  const std::vector<Item> items = {
      Numbered(0, Tokens{{"an", "elk", "runs"}}, {"B-X", "I-X", "O"}),
      Numbered(1, Tokens{{"one", "ant"}}, {"B-X", "O"})};
  const auto outputs = Infer(*subject, items);
  const auto scored = ScoreTags(*subject, workload_, items, outputs, {});
  ASSERT_TRUE(scored->figure.has_value());
  EXPECT_EQ(scored->figure->metric, "f1");
  EXPECT_NEAR(scored->figure->mid, 2.0 * 1 / (2 + 2), 1e-9);
  settings_.metric = "accuracy";
  EXPECT_NEAR(ScoreTags(*subject, workload_, items, outputs, {})->figure->mid,
              3.0 / 5, 1e-9);
  // Labels that are called otherwise in the data.
  workload_.labels = {"B-ANIMAL", "O"};
  settings_.answers = {{"O", "none"}};
  EXPECT_THAT(ScoreTags(*subject, workload_, items, outputs, {})->note,
              HasSubstr("it answers O, B-X, I-X, the data has B-ANIMAL, O"));
  settings_.answers = {{"B-X", "B-ANIMAL"}};
  EXPECT_TRUE(
      ScoreTags(*subject, workload_, items, outputs, {})->figure.has_value());
  workload_.labels.clear();
  EXPECT_EQ(ScoreTags(*subject, workload_, items, outputs, {})->note,
            "not scored: the data has no tags");
}

std::vector<float> FromQToZed(const AskedText& text, uint32_t place) {
  const TokenId token = text.tokens[place];
  return {token == 'Q' ? 5.0F : 0.0F, token == 'z' ? 4.0F : 0.0F};
}

TEST_F(HeadsTest, AnswersAreScoredAsSquadDoes) {
  SetTask("question-answering");
  const auto subject = EncoderSubject(std::make_unique<FakeHeadedEncoder>(
      HeadKind::kQuestionAnswering, FromQToZed));
  const std::vector<Item> items = {
      Numbered(0, TextPair{"who", "it is q fuzz here"}, {"x", "The Q fuzz!"}),
      Numbered(1, TextPair{"what", "a qz in b"}, {"qz in"})};
  const auto outputs = Infer(*subject, items);
  EXPECT_EQ(std::get<AnswerSpan>(outputs[0]).text, "q fuzz");
  EXPECT_EQ(std::get<AnswerSpan>(outputs[0]).begin, 6U);
  const auto score = [&](const char* metric) {
    settings_.metric = metric;
    return *ScoreAnswers(*subject, workload_, items, outputs, {});
  };
  EXPECT_NEAR(score("").figure->mid, (1 + 2.0 / 3) / 2, 1e-9);
  EXPECT_NEAR(score("exact-match").figure->mid, 0.5, 1e-9);
  EXPECT_NEAR(*score("").correct_share, 0.5, 1e-9);
  const std::vector<Item> open = {Numbered(0, TextPair{"who", "q"})};
  EXPECT_EQ(ScoreAnswers(*subject, workload_, open, {&outputs[0], 1}, {})->note,
            "not scored: the data has no answers");
}

TEST_F(HeadsTest, ALengthCutsWordsTagsAndContexts) {
  Item tagged = Numbered(0, Tokens{{"a", "b", "c"}}, {"O", "O", "B-X"});
  KeepTaggedWords(tagged, 2);
  EXPECT_THAT(std::get<Tokens>(tagged.payload).words, ElementsAre("a", "b"));
  EXPECT_THAT(tagged.wanted, ElementsAre("O", "O"));
  KeepTaggedWords(tagged, 0);
  EXPECT_EQ(tagged.wanted.size(), 2U);
  Item question = Numbered(0, TextPair{"a b c", "one two three"}, {"x"});
  KeepContextWords(question, 2);
  EXPECT_EQ(std::get<TextPair>(question.payload).first, "a b c");
  EXPECT_EQ(std::get<TextPair>(question.payload).second, "one two");
  EXPECT_THAT(question.wanted, ElementsAre("x"));
}

TEST_F(HeadsTest, AnUnknownMetricIsRefusedBeforeAnythingIsMeasured) {
  BenchConfig config;
  config.tasks.emplace_back();
  TaskSettings& settings = config.tasks[0];
  settings.task = *FindBenchTask("fill-mask");
  settings.models = {"m.gguf"};
  settings.data = {"d.jsonl"};
  settings.metric = "top-6";
  const auto checked = CheckBenchConfig(config);
  EXPECT_EQ(checked.error().message,
            "fill-mask: unknown metric 'top-6', did you mean 'top-5'?");
  EXPECT_EQ(checked.error().hint, "metrics are: accuracy, top-5, bits");
  settings.metric = "bits";
  EXPECT_TRUE(CheckBenchConfig(config).has_value());
}

TEST_F(HeadsTest, APatternFindsNoHeads) {
  const TempFolder folder;
  for (const char* name : {"a.gguf", "a.head.gguf", "b.gguf"})
    folder.Write(name, "x");
  EXPECT_THAT(
      *FindModels({folder.path() + "/*.gguf"}),
      ElementsAre(folder.path() + "/a.gguf", folder.path() + "/b.gguf"));
}

}  // namespace
}  // namespace modicum
