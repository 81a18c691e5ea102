// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/plan_report.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

Settings PlacedIn(const std::string& region, const std::string& origin) {
  Settings settings;
  settings.region = region;
  settings.origins["region"] = origin;
  return settings;
}

TEST(SavedPlan, WhatIsPrintedIsReadAgain) {
  Plan plan;
  plan.verb = "train";
  plan.command = PlanCommand("train", {"--model", "x \"y\"", "--tokens", "2T"},
                             PlacedIn("PL", "environment MODICUM_REGION"));
  const auto words = ParsePlanCommand(FormatPlan(plan, "json"), "train");
  ASSERT_TRUE(words.has_value()) << words.error().message;
  EXPECT_THAT(*words, ElementsAre("--model", "x \"y\"", "--tokens", "2T",
                                  "--region", "PL"));
}

TEST(SavedPlan, DefaultsAreNotKept) {
  EXPECT_THAT(PlanCommand("train", {"--tokens", "2T"}, PlacedIn("", "default")),
              ElementsAre("train", "--tokens", "2T"));
}

TEST(SavedPlan, AFlagOfNowGoesBeforeWhatWasSaved) {
  for (const auto& [origin, region] :
       {std::pair("flag --region", "SE"), std::pair("default", "PL"),
        std::pair("file /m.toml:1", "PL")}) {
    Settings settings = PlacedIn("SE", origin);
    std::vector<std::string> words = {"--region", "PL", "--count", "8"};
    ASSERT_TRUE(TakeSavedSettings(words, settings).has_value());
    EXPECT_EQ(settings.region, region) << origin;
    EXPECT_THAT(words, ElementsAre("--count", "8"));
  }
}

// A file from elsewhere sets the place and nothing else.
TEST(SavedPlan, OtherSettingsOfAFileAreLeftAlone) {
  Settings settings;
  settings.ledger = "mine.db";
  std::vector<std::string> words = {"--ledger", "theirs.db"};
  ASSERT_TRUE(TakeSavedSettings(words, settings).has_value());
  EXPECT_EQ(settings.ledger, "mine.db");
}

TEST(SavedPlan, WhatIsNoPlanIsSaid) {
  for (const char* text :
       {"", "[]", "{}", "{\"verb\": 1}", "{\"verb\": \"train\"}",
        R"({"verb": "train", "command": []})",
        R"({"verb": "train", "command": ["serve"]})",
        R"({"verb": "train", "command": ["train", 1]})",
        R"({"verb": "serve", "command": ["serve"]})"})
    EXPECT_FALSE(ParsePlanCommand(text, "train")) << text;
}

}  // namespace
}  // namespace modicum
