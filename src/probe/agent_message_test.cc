// SPDX-License-Identifier: Apache-2.0
#include "probe/agent_message.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

DomainCounter Package() {
  return {{"package-0", "cpu", Scope::kPackage, Origin::kCounter, true},
          "rapl",
          Seconds(0.02),
          {{InternSource("RAPL accuracy (assumed)"), 0.05}},
          Joules(0.1 + 0.2),
          3,
          true};
}

TEST(AgentMessage, IsReadBackBitForBit) {
  const AgentMessage message{"one", {Package(), Package()}};
  const auto read = ParseAgentMessage(WriteAgentMessage(message));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->instance, "one");
  ASSERT_EQ(read->counters.size(), 2u);
  const DomainCounter& counter = read->counters[1];
  EXPECT_EQ(counter.domain.name, "package-0");
  EXPECT_EQ(counter.domain.component, "cpu");
  EXPECT_EQ(counter.domain.scope, Scope::kPackage);
  EXPECT_EQ(counter.domain.origin, Origin::kCounter);
  EXPECT_TRUE(counter.domain.counted);
  EXPECT_EQ(counter.probe, "rapl");
  EXPECT_EQ(counter.update_period, Seconds(0.02));
  ASSERT_EQ(counter.relative_errors.size(), 1u);
  EXPECT_EQ(SourceName(counter.relative_errors[0].source),
            "RAPL accuracy (assumed)");
  EXPECT_EQ(counter.relative_errors[0].delta, 0.05);
  EXPECT_EQ(counter.energy, Joules(0.1 + 0.2));
  EXPECT_EQ(counter.gaps, 3);
  EXPECT_TRUE(counter.failing);
}

TEST(AgentMessage, IsOneLine) {
  AgentMessage message{"a\nb", {Package()}};
  message.counters[0].domain.name = "x\ny";
  EXPECT_EQ(WriteAgentMessage(message).find('\n'), std::string::npos);
}

TEST(AgentMessage, WhatIsWrongIsNamed) {
  const std::string right = WriteAgentMessage({"one", {Package()}});
  const auto error_of = [&](const std::string& from, const std::string& to) {
    std::string text = right;
    text.replace(text.find(from), from.size(), to);
    const auto read = ParseAgentMessage(text);
    return read ? "none" : read.error().message;
  };
  EXPECT_EQ(error_of("{", "["), "the agent's answer: no JSON object");
  EXPECT_EQ(error_of("\"modicum_agent\":1", "\"modicum_agent\":2"),
            "the agent's answer: not of version 1");
  EXPECT_EQ(error_of("\"instance\":\"one\"", "\"instance\":1"),
            "the agent's answer: no 'instance'");
  EXPECT_EQ(error_of("\"domains\":[", "\"rest\":["),
            "the agent's answer: no 'domains'");
  for (const auto& [from, to, member] :
       {std::tuple("\"energy_j\":0.30000000000000004", "\"energy_j\":-1",
                   "energy_j"),
        std::tuple("\"energy_j\":0.30000000000000004", "\"energy_j\":null",
                   "energy_j"),
        std::tuple("\"scope\":\"package\"", "\"scope\":\"galaxy\"", "scope"),
        std::tuple("\"origin\":\"counter\"", "\"origin\":3", "origin"),
        std::tuple("\"counted\":true", "\"counted\":\"yes\"", "counted"),
        std::tuple("\"failing\":true", "\"failed\":true", "failing"),
        std::tuple("0.05", "\"much\"", "relative_errors")})
    EXPECT_EQ(error_of(from, to),
              std::string("the agent's answer: a domain has no usable '") +
                  member + "'")
        << to;
}

}  // namespace
}  // namespace modicum
