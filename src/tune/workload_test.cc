// SPDX-License-Identifier: Apache-2.0
#include "tune/workload.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

std::string ErrorOf(std::string_view toml) {
  const auto workload = ParseWorkload(toml, "w.toml");
  return workload ? "" : workload.error().message;
}

TEST(TuneWorkload, ReadsWhatItHas) {
  const auto workload = ParseWorkload(
      "[workload]\nkind = \"embed\"\nprompt = 40\nbatch = 8\np95 = 0.5\n",
      "w.toml");
  ASSERT_TRUE(workload) << workload.error().message;
  EXPECT_EQ(ToString(*workload), "embed 8 texts of 40 tokens");
  EXPECT_EQ(workload->p95->value(), 0.5);
  EXPECT_EQ(ToString(*ParseWorkload("[workload]\n", "w.toml")),
            "generate 64 tokens after 256");
}

TEST(TuneWorkload, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("[work]\n"), "w.toml:1: there is no 'workload'");
  EXPECT_EQ(ErrorOf("[workload]\nkind = \"generat\"\n"),
            "w.toml:2: workload.kind 'generat' is not a known kind, did you "
            "mean 'generate'?");
  EXPECT_EQ(ErrorOf("[workload]\nprompt = 0\n"),
            "w.toml:2: workload.prompt must be between 1 and 1,048,576");
  EXPECT_EQ(ErrorOf("[workload]\np95 = -1\n"),
            "w.toml:2: workload.p95 must be positive");
  EXPECT_EQ(ErrorOf("[workload]\nkv_types = [\"q9\"]\n").substr(0, 46),
            "w.toml:2: workload.kv_types has the unknown ty");
  EXPECT_EQ(ErrorOf("[workload]\npromt = 3\n"),
            "w.toml:2: unknown key 'promt' in [workload], did you mean "
            "'prompt'?");
}

TEST(TuneWorkload, AnEmptyFileSaysWhatToWrite) {
  for (const char* empty : {"", "\n", "# [workload]\n"}) {
    const auto workload = ParseWorkload(empty, "w.toml");
    ASSERT_FALSE(workload);
    EXPECT_EQ(workload.error().message, "w.toml is empty");
    EXPECT_EQ(workload.error().hint,
              "for example: [workload], and below it prompt = 256 and generate "
              "= 64, or kind = \"embed\", prompt = 40 and batch = 16");
  }
}

TEST(TuneWorkload, KeysOfTheOtherKindAreRefused) {
  const auto embed =
      ParseWorkload("[workload]\nkind = \"embed\"\ngenerate = 8\n", "w.toml");
  ASSERT_FALSE(embed);
  EXPECT_EQ(embed.error().message,
            "w.toml:3: workload.generate is of kind generate; this workload is "
            "of kind embed");
  EXPECT_EQ(embed.error().hint, "leave it out, or let kind be \"generate\"");
  EXPECT_EQ(ErrorOf("[workload]\nkind = \"embed\"\nkv_types = [\"f16\"]\n"),
            "w.toml:3: workload.kv_types is of kind generate; this workload is "
            "of kind embed");
  EXPECT_EQ(ErrorOf("[workload]\nbatch = 2\n"),
            "w.toml:2: workload.batch is of kind embed; this workload is of "
            "kind generate");
}

TEST(TuneWorkload, AMissingFileSaysWhereToLook) {
  const auto workload = LoadWorkload("no/such.toml");
  ASSERT_FALSE(workload);
  EXPECT_EQ(workload.error().hint, "docs/tune.md shows what one looks like");
}

}  // namespace
}  // namespace modicum
