// SPDX-License-Identifier: Apache-2.0
#include "bench/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/bench.h"
#include "dataset/temp_folder.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kMinimal = R"([[task]]
task = "text-classification"
models = "spam.modicum"
data = "mails.jsonl"
)";

BenchConfig Parse(std::string_view text) {
  auto config = ParseBenchConfig(text, "dir/mine.toml");
  EXPECT_TRUE(config.has_value()) << (config ? "" : config.error().message);
  return config ? *std::move(config) : BenchConfig{};
}

std::string FaultOf(std::string_view text) {
  const auto config = ParseBenchConfig(text, "b.toml");
  EXPECT_FALSE(config.has_value());
  return config ? "" : config.error().message;
}

TEST(BenchConfig, DefaultsAreTheStudysAndPathsAreRelativeToTheFile) {
  const BenchConfig config = Parse(kMinimal);
  EXPECT_EQ(config.name, "mine");
  EXPECT_EQ(config.protocol.inferences, 1000U);
  EXPECT_EQ(config.protocol.runs, 10U);
  EXPECT_FALSE(config.protocol.exact_runs);
  EXPECT_EQ(config.protocol.longest, Seconds(600));
  ASSERT_EQ(config.tasks.size(), 1U);
  const TaskSettings& task = config.tasks[0];
  EXPECT_EQ(task.task->name, "text-classification");
  EXPECT_THAT(task.models, ElementsAre("dir/spam.modicum"));
  EXPECT_THAT(task.data, ElementsAre("dir/mails.jsonl"));
  EXPECT_THAT(task.batches, ElementsAre(1U));
  EXPECT_EQ(task.new_tokens, 10U);
  EXPECT_FALSE(task.floor.has_value());
}

TEST(BenchConfig, EveryKeyIsRead) {
  const BenchConfig config = Parse(R"([bench]
name = "mine"
inferences = 200
runs = 4
longest = 60
shortest = 0.5
seed = 7
[place]
region = "PL"
[[task]]
task = "text-classification"
models = ["a.modicum", "/abs/*.gguf"]
data = ["catalog:spam-assassin", "b.csv"]
format = "csv"
text = "body"
label = "class"
metric = "macro-f1"
floor = 0.9
batch = [1, 8]
lengths = [0, 50]
threads = 2
context = 256
answers = { LABEL_0 = "ham", LABEL_1 = "spam" }
[[task]]
task = "text-generation"
models = "x.gguf"
data = "b.csv"
new_tokens = 30
)");
  EXPECT_EQ(config.protocol.inferences, 200U);
  EXPECT_EQ(config.protocol.runs, 4U);
  EXPECT_TRUE(config.protocol.exact_runs);
  EXPECT_EQ(config.protocol.longest, Seconds(60));
  EXPECT_EQ(config.protocol.shortest, Seconds(0.5));
  EXPECT_EQ(config.protocol.seed, 7U);
  EXPECT_EQ(config.place.region, "PL");
  ASSERT_EQ(config.tasks.size(), 2U);
  const TaskSettings& task = config.tasks[0];
  EXPECT_THAT(task.models, ElementsAre("dir/a.modicum", "/abs/*.gguf"));
  EXPECT_THAT(task.data, ElementsAre("catalog:spam-assassin", "dir/b.csv"));
  EXPECT_EQ(task.format, "csv");
  EXPECT_EQ(task.text, "body");
  EXPECT_EQ(task.label, "class");
  EXPECT_EQ(task.metric, "macro-f1");
  EXPECT_EQ(task.floor, 0.9);
  EXPECT_THAT(task.batches, ElementsAre(1U, 8U));
  EXPECT_THAT(task.lengths, ElementsAre(0U, 50U));
  EXPECT_EQ(task.threads, 2);
  EXPECT_EQ(task.context, 256);
  EXPECT_EQ(task.answers.at("LABEL_1"), "spam");
  EXPECT_EQ(config.tasks[1].new_tokens, 30U);
}

TEST(BenchConfig, FaultsNameLineAndCure) {
  EXPECT_EQ(FaultOf("x = 1\n"), "b.toml:1: [bench file] has no 'task'");
  EXPECT_EQ(FaultOf("[task]\ntask = \"embeddings\"\n"),
            "b.toml:1: task must be a list of tables");
  EXPECT_EQ(FaultOf("[[task]]\ntask = \"text-clasification\"\nmodels = "
                    "\"m\"\ndata = \"d\"\n"),
            "b.toml:2: task.task names an unknown task 'text-clasification', "
            "did you mean 'text-classification'?");
  EXPECT_EQ(FaultOf("[[task]]\ntask = \"embeddings\"\nmodels = \"m\"\n"),
            "b.toml:1: [task] has no 'data'");
  EXPECT_EQ(FaultOf(std::string(kMinimal) + "flor = 0.9\n"),
            "b.toml:5: unknown key 'flor' in [task], did you mean 'floor'?");
  EXPECT_EQ(FaultOf(std::string(kMinimal) + "batch = [1, \"x\"]\n"),
            "b.toml:5: task.batch must be a whole number, or a list of such");
  EXPECT_EQ(FaultOf(std::string(kMinimal) + "batch = -1\n"),
            "b.toml:5: task.batch must not be negative");
  EXPECT_EQ(FaultOf("[bench]\nruns = 20000\n" + std::string(kMinimal)),
            "b.toml:2: bench.runs must be at most 10000");
}

TEST(BenchConfig, WhatATaskCannotDoIsSaid) {
  EXPECT_EQ(FaultOf(std::string(kMinimal) + "batch = 0\n"),
            "b.toml: text-classification: a batch of 0 items");
  EXPECT_EQ(FaultOf("[[task]]\ntask = \"text-generation\"\nmodels = \"m\"\n"
                    "data = \"d\"\nbatch = [1, 8]\n"),
            "b.toml: text-generation: a batch of 8 items");
  EXPECT_EQ(FaultOf("[bench]\ninferences = 0\n" + std::string(kMinimal)),
            "b.toml: a run of 0 inferences");
  EXPECT_EQ(FaultOf("[[task]]\ntask = \"embeddings\"\nmodels = []\ndata = "
                    "\"d\"\n"),
            "b.toml: embeddings: no models");
}

TEST(BenchConfig, AnUnknownTaskListsTheTasks) {
  const auto task = FindBenchTask("masked-lm");
  ASSERT_FALSE(task.has_value());
  EXPECT_EQ(task.error().message, "unknown task 'masked-lm'");
  EXPECT_EQ(task.error().hint,
            "tasks are: text-classification, text-generation, fill-mask, "
            "token-classification, question-answering, embeddings");
}

TEST(FindModels, PatternsAreSortedAndEachFileComesOnce) {
  const TempFolder folder;
  for (const char* name : {"b.gguf", "a.gguf", "c.bin"})
    folder.Write(name, "x");
  const auto models =
      FindModels({folder.path() + "/b.gguf", folder.path() + "/*.gguf"});
  ASSERT_TRUE(models.has_value());
  EXPECT_THAT(*models, ElementsAre(folder.path() + "/b.gguf",
                                   folder.path() + "/a.gguf"));
  const auto none = FindModels({folder.path() + "/*.modicum"});
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("no model matches "));
  const auto missing = FindModels({"nowhere.gguf"});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, "there is no model nowhere.gguf");
}

TEST(Shard, IsIOfN) {
  EXPECT_EQ(ParseShard("2/8")->index, 2U);
  EXPECT_EQ(ParseShard("2/8")->of, 8U);
  for (const char* bad : {"", "2", "2/", "/8", "8/8", "-1/8", "2/8x", "a/b"})
    EXPECT_FALSE(ParseShard(bad).has_value()) << bad;
}

}  // namespace
}  // namespace modicum
