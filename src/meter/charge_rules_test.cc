// SPDX-License-Identifier: Apache-2.0
#include "meter/charge_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "meter/fake_machine.h"

namespace modicum {
namespace {

class ChargeRulesTest : public testing::Test {
 protected:
  static ProcessCpuUse Process(std::string name, uid_t user,
                               std::string cgroup) {
    ProcessCpuUse process;
    process.name = std::move(name);
    process.user = user;
    process.cgroup = std::move(cgroup);
    return process;
  }
  static std::string Refusal(std::string_view csv) {
    return ChargeRules::Parse(csv, "rules.csv").error().message;
  }

  static UserNames Users() {
    MemoryFs fs;
    fs.Write("/etc/passwd", "alice:x:1000:1::/:/bin/sh\n");
    return UserNames(fs);
  }

  const UserNames users_ = Users();
};

TEST_F(ChargeRulesTest, TheFirstThatFitsCounts) {
  const auto rules = *ChargeRules::Parse(
      "match,pattern,tags\n"
      "# people first\n"
      "user,alice,team=search\n"
      "user,1001,team=ads\n"
      "cgroup,/slurm/*,team=hpc;stage=prod\n"
      "cgroup,*nginx*,team=web\n"
      "command,python*,team=ml\n"
      "any,*,team=shared\n",
      "rules.csv");
  const auto team = [&](const ProcessCpuUse& process) {
    return rules.TagsOf(process, users_).at("team");
  };
  EXPECT_EQ(team(Process("python3", 1000, "/")), "search");
  EXPECT_EQ(team(Process("python3", 1001, "/")), "ads");
  EXPECT_EQ(team(Process("a", 0, "/slurm/uid_0/job_1")), "hpc");
  EXPECT_EQ(team(Process("a", 0, "/system.slice/nginx.service")), "web");
  EXPECT_EQ(team(Process("python3", 0, "/")), "ml");
  EXPECT_EQ(team(Process("sh", 0, "/")), "shared");
  EXPECT_THAT(rules.Tags(), testing::ElementsAre("team", "stage"));
  EXPECT_TRUE(rules.Has("stage"));
  EXPECT_FALSE(rules.Has("user"));
}

TEST_F(ChargeRulesTest, WhoFitsNoneHasNoTags) {
  EXPECT_TRUE(ChargeRules().TagsOf(Process("sh", 0, "/"), users_).empty());
  EXPECT_TRUE(ChargeRules::Read("")->Tags().empty());
}

TEST_F(ChargeRulesTest, MistakesAreNamedByLine) {
  EXPECT_EQ(Refusal("user,alice,team=a\nusr,bob,team=b\n"),
            "rules.csv:2: unknown match 'usr', did you mean 'user'?");
  EXPECT_EQ(Refusal("user,alice\n"),
            "rules.csv:1: 2 columns instead of match,pattern,tags");
  EXPECT_EQ(Refusal("user,alice,team\n"),
            "rules.csv:1: 'team' is not KEY=VALUE");
  EXPECT_EQ(Refusal("user,alice,=x\n"), "rules.csv:1: '=x' is not KEY=VALUE");
  EXPECT_EQ(Refusal("user,alice,\n"), "rules.csv:1: the rule has no tags");
  EXPECT_FALSE(ChargeRules::Read("/no/such/rules.csv"));
}

}  // namespace
}  // namespace modicum
