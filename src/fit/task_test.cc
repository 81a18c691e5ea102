// SPDX-License-Identifier: Apache-2.0
#include "fit/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modicum {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kMinimal = R"([task]
name = "rt"
kind = "text-classification"
data = "rt.jsonl"
)";

Task Parse(std::string_view text) {
  auto task = ParseTask(text, "dir/task.toml");
  EXPECT_TRUE(task.has_value()) << (task ? "" : task.error().message);
  return task ? *std::move(task) : Task{};
}

Error Refused(std::string_view text) {
  const auto task = ParseTask(text, "task.toml");
  EXPECT_FALSE(task.has_value());
  return task ? Error{} : task.error();
}

TEST(Task, DefaultsAndRelativeData) {
  const Task task = Parse(kMinimal);
  EXPECT_EQ(task.data, "dir/rt.jsonl");
  EXPECT_EQ(task.metric, "accuracy");
  EXPECT_EQ(task.within, 0.01);
  EXPECT_FALSE(task.floor.has_value());
  EXPECT_EQ(task.seed, 1U);
  EXPECT_EQ(task.test, 0.3);
  EXPECT_TRUE(task.families.empty());
}

TEST(Task, EveryKeyIsRead) {
  const Task task = Parse(R"([task]
name = "rt"
kind = "text-classification"
data = "/abs/rt.csv"
format = "csv"
text = "body"
label = "class"
metric = "f1:spam"
floor = 0.9
volume = 1000000
current = "linear"
seed = 7
test = 0.2
validation = 0.1
families = ["majority", "linear"]
[place]
region = "PL"
provider = "gcp"
pue = 1.1
[budget]
seconds = 60
joules = 500
memory_mb = 1000
[[reference]]
name = "8B LLM, H100"
joules_per_1000 = 12000
low = 5000
high = 29000
scope = "GPU only"
source = "published figures"
date = "2025"
planned = true
)");
  EXPECT_EQ(task.data, "/abs/rt.csv");
  EXPECT_EQ(task.floor, 0.9);
  EXPECT_FALSE(task.within.has_value());
  EXPECT_EQ(task.volume, 1e6);
  EXPECT_EQ(task.seed, 7U);
  EXPECT_THAT(task.families, ElementsAre("majority", "linear"));
  EXPECT_EQ(task.place.region, "PL");
  EXPECT_EQ(task.place.pue, 1.1);
  EXPECT_EQ(task.budget.time, Seconds(60));
  EXPECT_EQ(task.budget.memory, Bytes(1e9));
  ASSERT_EQ(task.references.size(), 1U);
  EXPECT_TRUE(task.references[0].planned);
  EXPECT_EQ(task.references[0].high, 29000);
}

TEST(Task, UnknownKeysAreRefusedByName) {
  const Error error = Refused(std::string(kMinimal) + "flor = 0.9\n");
  EXPECT_EQ(error.message,
            "task.toml:5: unknown key 'flor' in [task], did you mean 'floor'?");
  EXPECT_TRUE(error.hint.starts_with("keys are: name, kind, data"));
  EXPECT_EQ(Refused(std::string(kMinimal) + "[plase]\n").message,
            "task.toml:5: unknown key 'plase' in [task file], did you mean "
            "'place'?");
}

TEST(Task, FaultsNameLineAndCure) {
  EXPECT_EQ(Refused("[task]\nname = \"x\"\n").message,
            "task.toml:1: [task] has no 'kind'");
  EXPECT_EQ(Refused("x = 1\n").message,
            "task.toml:1: [task file] has no 'task'");
  EXPECT_EQ(
      Refused(std::string(kMinimal) + "floor = 0.9\nwithin = 0.1\n").message,
      "task.toml:6: task.within and floor exclude each other");
  EXPECT_EQ(Refused(std::string(kMinimal) + "floor = 97\n").message,
            "task.toml:5: task.floor must be between 0 and 1");
  EXPECT_EQ(Refused(std::string(kMinimal) + "seed = \"a\"\n").message,
            "task.toml:5: task.seed must be a whole number");
  EXPECT_EQ(Refused(std::string(kMinimal) + "families = \"a\"\n").message,
            "task.toml:5: task.families must be a list of strings");
  EXPECT_EQ(Refused("[task]\nname = \"a/b\"\nkind = "
                    "\"text-classification\"\ndata = \"d\"\n")
                .message,
            "task.toml:2: task.name must be a plain name: it names the "
            "artifact");
}

TEST(Task, AnUnknownKindGetsAHint) {
  const Error error = Refused(
      "[task]\nname = \"x\"\nkind = \"text-clasification\"\ndata = \"d\"\n");
  EXPECT_EQ(error.message,
            "task.toml:3: task.kind 'text-clasification' is not a known "
            "kind, did you mean 'text-classification'?");
}

TEST(Task, SyntaxErrorsShowThePlace) {
  const Error error = Refused("[task]\nname rt\n");
  EXPECT_TRUE(error.message.starts_with("task.toml:2:6: ")) << error.message;
  EXPECT_NE(error.message.find("\n    name rt\n"), std::string::npos)
      << error.message;
}

TEST(Task, AMissingFileSaysWhatOneLooksLike) {
  const auto task = LoadTask("/nonexistent/task.toml");
  ASSERT_FALSE(task.has_value());
  EXPECT_EQ(task.error().message,
            "cannot read /nonexistent/task.toml: No such file or directory");
  EXPECT_EQ(task.error().hint,
            "examples/spam/task.toml shows what one looks like");
}

TEST(Task, NumbersMustBeFiniteAndInRange) {
  const std::string head =
      "[task]\nname = \"t\"\nkind = \"text-classification\"\n"
      "data = \"d\"\n";
  auto fault = [&](const std::string& line) {
    const auto task = ParseTask(head + line, "x.toml");
    return task ? std::string("accepted") : task.error().message;
  };
  EXPECT_EQ(fault("within = nan"),
            "x.toml:5: task.within must be a finite number");
  EXPECT_EQ(fault("floor = inf"),
            "x.toml:5: task.floor must be a finite number");
  EXPECT_EQ(fault("within = 5"),
            "x.toml:5: task.within must be between 0 and 1");
  EXPECT_EQ(fault("within = 5\nmetric = \"log-loss\""), "accepted");
  EXPECT_EQ(fault("volume = 1e300"),
            "x.toml:5: task.volume must be at most 1e15");
}

TEST(Task, ATableOfAnotherShapeIsRefusedNotIgnored) {
  const std::string head =
      "[task]\nname = \"t\"\nkind = \"text-classification\"\n"
      "data = \"d\"\n";
  auto fault = [](const std::string& text) {
    const auto task = ParseTask(text, "x.toml");
    return task ? std::string("accepted") : task.error().message;
  };
  EXPECT_EQ(fault(head + "[reference]\nname = \"a\"\n"),
            "x.toml:5: reference must be a list of tables");
  EXPECT_EQ(fault("budget = 3\n" + head), "x.toml:1: budget must be a table");
  EXPECT_EQ(fault(head + "[[place]]\nregion = \"PL\"\n"),
            "x.toml:5: place must be a table");
}

TEST(RemoteTask, IsReadWithItsDefaultsLeftOut) {
  const auto task = ParseTask(
      "[task]\nname = \"spam\"\nkind = \"text-classification\"\n"
      "data = \"mails.jsonl\"\n[[remote]]\nname = \"api\"\n"
      "url = \"https://api.example.com/v1\"\nmodel = \"m\"\n"
      "price_in = 0.15\njoules_out = [0.1, 10]\n",
      "task.toml");
  ASSERT_TRUE(task) << task.error().message;
  ASSERT_EQ(task->remotes.size(), 1U);
  EXPECT_EQ(ToString(task->remotes[0]),
            "joules_out_high=10 joules_out_low=0.1 model=m name=api "
            "price_in=0.15 url=https://api.example.com/v1");
}

TEST(RemoteTask, FaultsAreNamed) {
  const auto fault = [](const std::string& remote) {
    const auto task = ParseTask(
        "[task]\nname = \"spam\"\nkind = \"text-classification\"\n"
        "data = \"mails.jsonl\"\n[[remote]]\n" +
            remote,
        "task.toml");
    return task ? std::string() : task.error().message;
  };
  EXPECT_EQ(fault("url = \"u\"\nmodel = \"m\"\n"),
            "task.toml:5: [remote] has no 'name'");
  EXPECT_EQ(
      fault("name = \"a\"\nurl = \"u\"\nmodel = \"m\"\n"
            "joules_in = [2, 1]\n"),
      "task.toml:9: remote.joules_in must be [low, high], joules a token");
  EXPECT_EQ(fault("name = \"a\"\nurl = \"u\"\nmodel = \"m\"\n"
                  "parallel = 0\n"),
            "task.toml:9: remote.parallel must be 1 to 64");
}

TEST(Task, AnEncodersBaseIsAFileOrSeveral) {
  const std::string text(kMinimal);
  const Task one = Parse(text + "[encoder]\nbase = \"bert.gguf\"\n");
  EXPECT_THAT(one.bases, ElementsAre("dir/bert.gguf"));
  EXPECT_FALSE(one.frozen.has_value());
  const Task two = Parse(
      text + "[encoder]\nbase = [\"a.gguf\", \"b/*.gguf\"]\nfrozen = true\n");
  EXPECT_THAT(two.bases, ElementsAre("dir/a.gguf", "dir/b/*.gguf"));
  EXPECT_EQ(two.frozen, true);
  EXPECT_EQ(Refused(text + "[encoder]\nfrozen = true\n").message,
            "task.toml:6: encoder.frozen needs a base");
  EXPECT_EQ(Refused(text + "[encoder]\nbse = \"a.gguf\"\n").message,
            "task.toml:6: unknown key 'bse' in [encoder], did you mean "
            "'base'?");
  EXPECT_EQ(Refused(text + "[encoder]\nbase = 1\n").message,
            "task.toml:6: encoder.base must be a string, or a list of such");
}

TEST(Task, AnEncoderMayLearnTheLanguageFirst) {
  const std::string text(kMinimal);
  EXPECT_EQ(Parse(text).pretrain, 0U);
  const Task task =
      Parse(text + "[encoder]\npretrain = 20\nunlabelled = \"more.jsonl\"\n");
  EXPECT_EQ(task.pretrain, 20U);
  EXPECT_EQ(task.unlabelled, "dir/more.jsonl");
  EXPECT_EQ(Refused(text + "[encoder]\npretrain = -1\n").message,
            "task.toml:6: encoder.pretrain must be 0 to 10000 epochs");
  EXPECT_EQ(Refused(text + "[encoder]\nunlabelled = \"a\"\n").message,
            "task.toml:6: encoder.unlabelled is for pretraining alone");
  EXPECT_EQ(Refused(text + "[encoder]\nbase = \"a\"\nfrozen = true\n"
                           "pretrain = 2\n")
                .message,
            "task.toml:8: encoder.pretrain would change a base that is frozen");
}

}  // namespace
}  // namespace modicum
