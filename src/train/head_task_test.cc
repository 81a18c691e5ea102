// SPDX-License-Identifier: Apache-2.0
#include "train/head_task.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

constexpr char kLeast[] =
    "[train]\nkind = \"token-classification\"\n"
    "train = \"a.jsonl\"\nvalidation = \"b.jsonl\"\n";

std::string ErrorOf(const std::string& toml) {
  const auto task = ParseHeadTask(toml, "t.toml");
  return task ? "" : task.error().message;
}

TEST(HeadTask, HasDefaults) {
  const auto task = ParseHeadTask(kLeast, "in/tagger.toml");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->name, "tagger");
  EXPECT_EQ(task->train, "in/a.jsonl");
  EXPECT_EQ(task->test, "");
  EXPECT_EQ(task->text, "tokens");
  EXPECT_EQ(task->encoder.context, 256U);
  EXPECT_EQ(task->encoder.rate, 1e-3);
  EXPECT_EQ(task->seed, 1U);
}

TEST(HeadTask, ReadsWhatItHas) {
  const auto task = ParseHeadTask(
      "[train]\nkind = \"question-answering\"\nname = \"qa\"\n"
      "train = \"/d/a\"\nvalidation = \"b\"\ntest = \"c\"\n"
      "metric = \"exact-match\"\nseed = 7\n"
      "[encoder]\nbase = \"bert.gguf\"\nfrozen = true\nepochs = 3\n"
      "patience = 2\nbatch = 8\nrate = 0.01\ndropout = 0\ndecay = 0\n"
      "[budget]\nseconds = 60\nmemory_mb = 500\n",
      "t.toml");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->kind, HeadKind::kQuestionAnswering);
  EXPECT_EQ(task->train, "/d/a");
  EXPECT_EQ(task->metric, "exact-match");
  EXPECT_EQ(task->encoder.base, "bert.gguf");
  EXPECT_TRUE(task->encoder.frozen);
  EXPECT_EQ(task->encoder.batch, 8U);
  EXPECT_EQ(task->encoder.rate, 0.01);
  EXPECT_EQ(task->time.value(), 60);
  EXPECT_EQ(task->memory.value(), 5e8);
}

TEST(HeadTask, HidesTokensOfTexts) {
  constexpr char kTexts[] =
      "[train]\nkind = \"fill-mask\"\ntrain = \"a\"\nvalidation = \"b\"\n";
  const auto task = ParseHeadTask(kTexts, "t.toml");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->kind, HeadKind::kFillMask);
  EXPECT_EQ(task->text, "text");
  EXPECT_TRUE(ParseHeadTask(std::string(kTexts) + "metric = \"top-5\"\n", "t"));
  EXPECT_EQ(
      ErrorOf(std::string(kTexts) + "[encoder]\nbase = \"b\"\nfrozen = true\n"),
      "t.toml:7: encoder.frozen is not for fill-mask");
}

// A body that learns on is not thrown away by the rate of a new one.
TEST(HeadTask, ATrainedBodyIsTrainedGently) {
  const auto rate = [](const std::string& encoder) {
    return ParseHeadTask(std::string(kLeast) + "[encoder]\n" + encoder, "t")
        ->encoder.rate;
  };
  EXPECT_EQ(rate("base = \"b\"\n"), 1e-4);
  EXPECT_EQ(rate("base = \"b\"\nfrozen = true\n"), 5e-3);
}

TEST(HeadTask, NamesWhatIsWrong) {
  const std::string least = kLeast;
  EXPECT_EQ(ErrorOf(""), "t.toml:1: [settings file] has no 'train'");
  EXPECT_EQ(ErrorOf("[train]\nkind = \"token-clasification\"\n"),
            "t.toml:2: train.kind 'token-clasification' is not a known kind, "
            "did you mean 'token-classification'?");
  EXPECT_EQ(ErrorOf("[train]\nkind = \"token-classification\"\n"),
            "t.toml:1: [train] has no 'train'");
  EXPECT_EQ(ErrorOf(least + "metric = \"exact-match\"\n"),
            "t.toml:5: train.metric 'exact-match' is not a known metric");
  EXPECT_EQ(ErrorOf(least + "name = \"a/b\"\n"),
            "t.toml:5: train.name must be a plain name: it names the model's "
            "files");
  EXPECT_EQ(ErrorOf(least + "seed = -1\n"),
            "t.toml:5: train.seed must not be negative");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nwidth = 40\n"),
            "t.toml:6: encoder.width must be a multiple of 32");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nlayers = 0\n"),
            "t.toml:6: encoder.layers must be 1 to 48");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nrate = 2\n"),
            "t.toml:6: encoder.rate must be 1e-06 to 1");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nfrozen = true\n"),
            "t.toml:6: encoder.frozen needs a base");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nbase = \"b\"\nwidth = 64\n"),
            "t.toml:7: encoder.width is the base's own");
  EXPECT_EQ(ErrorOf(least + "[encoder]\nbase = \"b\"\nfrozen = true\n"
                            "word_dropout = 0.1\n"),
            "t.toml:8: encoder.word_dropout is not for a frozen body");
  EXPECT_EQ(ErrorOf(least + "[budget]\nseconds = 0\n"),
            "t.toml:6: budget.seconds must be positive");
  EXPECT_EQ(ErrorOf(least + "[encodr]\n"),
            "t.toml:5: unknown key 'encodr' in [settings file], did you mean "
            "'encoder'?");
}

TEST(HeadTask, AMissingFileSaysWhereToLook) {
  const auto task = LoadHeadTask("no/such.toml");
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().hint, "docs/train.md shows what one looks like");
}

}  // namespace
}  // namespace modicum
