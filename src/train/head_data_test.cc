// SPDX-License-Identifier: Apache-2.0
#include "train/head_data.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HeadDataTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    MODICUM_CHECK(WriteFileAtomically(path, text).has_value());
    return path;
  }
  void Split(const std::string& train, const std::string& validation,
             const std::string& test) {
    task_.train = Write("train.jsonl", train);
    task_.validation = Write("validation.jsonl", validation);
    task_.test = test.empty() ? "" : Write("test.jsonl", test);
  }
  std::string ErrorOf() const {
    const auto data = LoadHeadData(task_);
    if (data) return "";
    return data.error().message.substr(folder_.path().size() + 1);
  }

  TempFolder folder_;
  HeadTask task_;
};

constexpr char kAda[] =
    "{\"tokens\":[\"Ada\",\"saw\"],\"tags\":[\"B-P\",\"O\"]}\n";
constexpr char kLyon[] =
    "{\"tokens\":[\"in\",\"Lyon\"],\"tags\":[\"O\",\"B-L\"]}\n";

TEST_F(HeadDataTest, TagsBecomeNumbers) {
  Split(std::string(kAda) + kLyon, kLyon, "");
  const auto data = LoadHeadData(task_);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_THAT(data->labels, ElementsAre("B-L", "B-P", "O"));
  EXPECT_EQ(data->metric, "f1");
  ASSERT_EQ(data->tagged.size(), 2U);
  EXPECT_THAT(data->tagged[0].labels, ElementsAre(1U, 2U));
  EXPECT_THAT(data->tagged[1].labels, ElementsAre(2U, 0U));
  EXPECT_FALSE(data->test.has_value());
  EXPECT_THAT(data->notes,
              ElementsAre("1 of the 1 examples of validation are in the "
                          "training data too: the figure is of what was seen "
                          "as well"));
}

TEST_F(HeadDataTest, SaysWhichTagsCannotBeAnswered) {
  Split(kAda, "{\"tokens\":[\"a\"],\"tags\":[\"O\"]}\n", kLyon);
  const auto data = LoadHeadData(task_);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_THAT(data->notes,
              ElementsAre("test has 1 word with the tag 'B-L', which the "
                          "training data does not have: counted as wrong"));
}

TEST_F(HeadDataTest, RefusesWhatTeachesNoTags) {
  const std::string alone = "{\"tokens\":[\"a\"],\"tags\":[\"O\"]}\n";
  Split(alone + alone, kAda, "");
  EXPECT_EQ(ErrorOf(),
            "train.jsonl: every word has the tag 'O': there is nothing to "
            "tell apart");
  Split("{\"tokens\":[],\"tags\":[]}\n", kAda, "");
  EXPECT_EQ(ErrorOf(), "train.jsonl: there are no words");
  Split("{\"tokens\":[\"a\",\"b\"],\"tags\":[\"\",\"O\"]}\n", kAda, "");
  EXPECT_EQ(ErrorOf(), "train.jsonl: the tag '' is no name");
  Split("\n", kAda, "");
  EXPECT_EQ(ErrorOf(), "train.jsonl: no rows: the file is empty");
  const std::string plain =
      "{\"tokens\":[\"a\",\"b\"],\"tags\":[\"NOUN\",\"VERB\"]}\n";
  Split(plain, plain, "");
  EXPECT_EQ(LoadHeadData(task_)->metric, "accuracy");
  task_.metric = "f1";
  EXPECT_EQ(ErrorOf(),
            "train.jsonl: f1 is of entities, and no tag begins with B- or I-: "
            "NOUN, VERB");
}

TEST_F(HeadDataTest, AnswersHaveTheirPlaces) {
  task_.kind = HeadKind::kQuestionAnswering;
  Split(R"({"question":"q","context":"b a","answers":["a"]})"
        "\n",
        R"({"question":"r","context":"b a","answers":["c"]})"
        "\n",
        "");
  const auto data = LoadHeadData(task_);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->metric, "f1");
  EXPECT_EQ(data->answers.at(0).answer, (TextRange{2, 3}));
  EXPECT_TRUE(data->notes.empty());
  std::filesystem::rename(task_.validation, task_.train);
  Write("validation.jsonl", "");
  EXPECT_EQ(ErrorOf(), "train.jsonl:1: the answer 'c' is not in its context");
}

}  // namespace
}  // namespace modicum
