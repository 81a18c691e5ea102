// SPDX-License-Identifier: Apache-2.0
#include "dataset/annotated_lines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string WordsFault(std::string_view line) {
  TaggedWords words;
  const auto status = ReadTaggedWords(line, "tokens", "tags", words);
  return status ? "" : status.error().message;
}

std::string QuestionFault(std::string_view line) {
  ContextQuestion question;
  const auto status = ReadQuestion(line, true, question);
  return status ? "" : status.error().message;
}

TEST(AnnotatedLines, WordsAndTags) {
  TaggedWords words;
  ASSERT_TRUE(ReadTaggedWords(R"({"id": 7, "tokens": ["K\u00f6ln", "ist"],
                             "tags": ["B-LOC", "O"]})",
                              "tokens", "tags", words));
  EXPECT_THAT(words.words, ElementsAre("Köln", "ist"));
  EXPECT_THAT(words.tags, ElementsAre("B-LOC", "O"));
  ASSERT_TRUE(ReadTaggedWords(R"({"w": [], "w": ["x"]})", "w", "", words));
  EXPECT_THAT(words.words, ElementsAre("x"));
  EXPECT_TRUE(words.tags.empty());
}

TEST(AnnotatedLines, WhatIsWrongWithWordsIsSaid) {
  EXPECT_THAT(WordsFault("{"), HasSubstr("not valid JSON"));
  EXPECT_EQ(WordsFault("[1]"), "not a JSON object");
  EXPECT_EQ(WordsFault("{}"), "'tokens' is missing");
  EXPECT_EQ(WordsFault(R"({"tokens": null})"), "'tokens' is null");
  EXPECT_EQ(WordsFault(R"({"tokens": "a b"})"), "'tokens' is no list of texts");
  EXPECT_EQ(WordsFault(R"({"tokens": ["a", 1], "tags": []})"),
            "item 2 of 'tokens' is no text");
  EXPECT_EQ(WordsFault(R"({"tokens": ["a", "b"], "tags": ["O"]})"),
            "2 words in 'tokens' and 1 tags in 'tags'");
  EXPECT_EQ(WordsFault(R"({"tokens": ["a\u0000"], "tags": ["O"]})"),
            "'tokens' has a NUL, which no text has");
}

TEST(AnnotatedLines, QuestionsHaveTheirAnswersInThreeForms) {
  for (const char* answers :
       {R"({"text": ["a", "b"], "answer_start": [0, 4]})",
        R"([{"text": "a", "answer_start": 0}, {"text": "b"}])",
        R"(["a", "b"])"}) {
    ContextQuestion question;
    const std::string line =
        R"({"question": "q?", "context": "c", "answers": )" +
        std::string(answers) + "}";
    ASSERT_TRUE(ReadQuestion(line, true, question)) << line;
    EXPECT_EQ(question.question, "q?");
    EXPECT_EQ(question.context, "c");
    EXPECT_THAT(question.answers, ElementsAre("a", "b"));
    ASSERT_TRUE(ReadQuestion(line, false, question));
    EXPECT_TRUE(question.answers.empty());
  }
}

TEST(AnnotatedLines, WhatIsWrongWithAQuestionIsSaid) {
  EXPECT_EQ(QuestionFault(R"({"context": "c"})"), "'question' is missing");
  EXPECT_EQ(QuestionFault(R"({"question": 1})"), "'question' is no text");
  const auto answers = [](const std::string& json) {
    return QuestionFault(R"({"question": "q", "context": "c", "answers": )" +
                         json + "}");
  };
  EXPECT_EQ(answers("3"), "'answers' is no list of texts");
  EXPECT_EQ(answers("[]"), "'answers' has none");
  EXPECT_EQ(answers(R"({"text": []})"), "'answers' has none");
  EXPECT_EQ(answers(R"([{"text": "a"}, 1])"),
            "item 2 of 'answers' is no object");
  EXPECT_EQ(answers(R"([{"txt": "a"}])"), "'text' is missing");
  EXPECT_EQ(answers(R"(["a", {}])"), "item 2 of 'answers' is no text");
}

class AnnotatedFiles : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = folder_.path() + "/data.jsonl";
    MODICUM_CHECK(WriteFileAtomically(path, text).has_value());
    return path;
  }
  TempFolder folder_;
};

TEST_F(AnnotatedFiles, TagsAreTheDatasLabels) {
  const auto data = LoadTaggedWords(
      Write("{\"tokens\":[\"a\",\"b\"],\"tags\":[\"O\",\"B-X\"]}\n\n"
            "{\"tokens\":[\"c\"],\"tags\":[\"B-A\"]}\n"),
      "tokens", "tags");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_THAT(data->labels, ElementsAre("B-A", "B-X", "O"));
  ASSERT_EQ(data->items.size(), 2U);
  EXPECT_EQ(data->items[1].id, 1U);
  EXPECT_THAT(std::get<Tokens>(data->items[0].payload).words,
              ElementsAre("a", "b"));
  EXPECT_THAT(data->items[0].wanted, ElementsAre("O", "B-X"));
  EXPECT_NE(data->hash, Hash{});
}

TEST_F(AnnotatedFiles, QuestionsAboutOneContextAreAGroup) {
  const std::string rest = R"(","context":"c","answers":["x"]})"
                           "\n";
  const auto data =
      LoadQuestions(Write(R"({"question":"1)" + rest +
                          R"({"question":"2","context":"d","answers":["y"]})"
                          "\n" +
                          R"({"question":"3)" + rest),
                    true);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->items[0].group, 0U);
  EXPECT_EQ(data->items[1].group, 1U);
  EXPECT_EQ(data->items[2].group, 0U);
  EXPECT_EQ(std::get<TextPair>(data->items[2].payload).first, "3");
}

// Characters, not bytes: before the second "a" stands a letter of two.
TEST_F(AnnotatedFiles, AnswersHaveTheirPlaces) {
  const auto place = [&](const std::string& answers) {
    std::vector<MarkedRange> where;
    const auto data =
        LoadQuestions(Write(R"({"question":"q","context":"a é a","answers":)" +
                            answers + "}\n"),
                      true, &where);
    if (!data) return data.error().message.substr(folder_.path().size());
    return fmt::format("{} {}", where.at(0).begin, where[0].end);
  };
  EXPECT_EQ(place(R"({"text":["a"],"answer_start":[4]})"), "5 6");
  EXPECT_EQ(place(R"([{"text":"a","answer_start":4}])"), "5 6");
  EXPECT_EQ(place(R"(["a"])"), "0 1");
  EXPECT_EQ(place(R"([{"text":"é"},{"text":"a","answer_start":4}])"), "2 4");
  EXPECT_EQ(place(R"({"text":["a"],"answer_start":[3]})"),
            "/data.jsonl:1: the answer 'a' does not begin at character 3 of "
            "its context");
  EXPECT_EQ(place(R"({"text":["a"],"answer_start":[99]})"),
            "/data.jsonl:1: the answer 'a' does not begin at character 99 of "
            "its context");
  EXPECT_EQ(place(R"(["b"])"),
            "/data.jsonl:1: the answer 'b' is not in its context");
  EXPECT_EQ(place(R"([""])"), "/data.jsonl:1: its first answer is empty");
  EXPECT_EQ(place(R"({"text":["a"],"answer_start":[-1]})"),
            "/data.jsonl:1: 'answer_start' is no whole number from 0 on");
  EXPECT_EQ(place(R"({"text":["a"],"answer_start":4})"),
            "/data.jsonl:1: 'answer_start' is no list of a number for each "
            "text");
}

TEST_F(AnnotatedFiles, ErrorsNameFileAndLine) {
  const std::string path =
      Write("{\"tokens\":[\"a\"],\"tags\":[\"O\"]}\n{\"tokens\":[\"a\"]}\n");
  EXPECT_EQ(LoadTaggedWords(path, "tokens", "tags").error().message,
            path + ":2: 'tags' is missing");
  EXPECT_EQ(LoadQuestions(path, true).error().message,
            path + ":1: 'question' is missing");
  EXPECT_THAT(LoadQuestions(Write("\n"), true).error().message,
              HasSubstr("no rows: the file is empty"));
}

}  // namespace
}  // namespace modicum
