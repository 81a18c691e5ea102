// SPDX-License-Identifier: Apache-2.0
#include "record/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "record/fake_runs.h"
#include "record/same.h"

namespace modicum {
namespace {

using RunRecord = Run;  // in a TEST, Run is the test's own

template <class T>
void ExpectRoundTrip(const T& value) {
  for (const JsonStyle style : {JsonStyle::kStored, JsonStyle::kReadable}) {
    const std::string text = ToJsonText(value, style);
    const Result<T> back = FromJsonText<T>(text);
    ASSERT_TRUE(back) << back.error().message << "\n" << text;
    EXPECT_TRUE(Same(value, *back)) << text;
  }
}

TEST(Json, RandomRecordsComeBackEqual) {
  FakeRecords fake(1);
  for (int i = 0; i < 300; ++i) {
    ExpectRoundTrip(fake.RandomRun());
    ExpectRoundTrip(fake.RandomMeasurement(fake.Id(), 7));
    ExpectRoundTrip(fake.RandomTrial());
  }
}

TEST(Json, ExtremesComeBackBitForBit) {
  for (const double value :
       {std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), -0.0, 0.1 + 0.2,
        std::numeric_limits<double>::denorm_min(),
        std::numeric_limits<double>::max(),
        std::numeric_limits<double>::quiet_NaN()}) {
    Estimate<Joules> e;
    e.mid = Joules(value);
    const auto back = FromJsonText<Estimate<Joules>>(ToJsonText(e));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(std::bit_cast<uint64_t>(back->mid.value()),
              std::bit_cast<uint64_t>(value));
  }
  Measurement m = FakeRecords(2).RandomMeasurement(NewUuid(), UINT64_MAX);
  m.at.micros = INT64_MIN;
  ExpectRoundTrip(m);
}

TEST(Json, SharedErrorsKeepTheirSourceByName) {
  Estimate<Joules> e = Exactly(Joules(10), Origin::kModelled, Scope::kHost);
  e.WithShared(InternSource("b model"), 0.2);
  e.WithShared(InternSource("a model"), 0.1);
  EXPECT_EQ(ToJsonText(e),
            R"({"mid":10.0,"origin":"modelled","own_sd":0.0,"scope":"host",)"
            R"("shared":{"a model":1.0,"b model":2.0}})");
  const auto back = FromJsonText<Estimate<Joules>>(ToJsonText(e));
  EXPECT_NEAR(Ratio(e, *back).sd(), 0, 1e-15);
}

TEST(Json, ReadableEstimatesHaveUnitAndInterval) {
  const Estimate<Joules> e{Joules(100), 10, {}, Origin::kCounter, Scope::kHost};
  const auto json = ToJson(e, JsonStyle::kReadable);
  EXPECT_EQ(json["unit"], "J");
  EXPECT_EQ(json["low"], e.low().value());
  EXPECT_EQ(json["high"], e.high().value());
}

TEST(Json, BytesThatAreNotUtf8AreReplaced) {
  RunRecord run = ExampleRun();
  run.name =
      "a\xFF"
      "b";
  const auto back = FromJsonText<RunRecord>(ToJsonText(run));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name,
            "a\xEF\xBF\xBD"
            "b");
}

// The example with one member replaced; a path like "/bill/water/mid".
std::string FaultOf(const char* path, const char* replacement) {
  nlohmann::json json = ToJson(ExampleRun());
  json[nlohmann::json::json_pointer(path)] = nlohmann::json::parse(replacement);
  const auto run = FromJson<Run>(json);
  return run ? "accepted" : run.error().message;
}

TEST(Json, NonsenseIsRefusedAndTheFaultNamed) {
  EXPECT_EQ(FaultOf("/bill/energy/mid", "\"many\""),
            "bill.energy.mid: not a number");
  EXPECT_EQ(FaultOf("/bill/energy/own_sd", "-1"),
            "bill.energy: own_sd is negative");
  EXPECT_EQ(FaultOf("/bill/energy/own_sd", "\"nan\""),
            "bill.energy: own_sd is negative");
  EXPECT_EQ(FaultOf("/bill/energy/shared/x", "null"),
            "bill.energy.shared.x: not a number");
  EXPECT_EQ(FaultOf("/bill/water/origin", "\"guessed\""),
            "bill.water.origin: unknown name");
  EXPECT_EQ(FaultOf("/bill/lines/0", "3"), "bill.lines[0]: not an object");
  EXPECT_EQ(FaultOf("/bill/money/currency", "\"euro\""),
            "bill.money.currency: not a currency code such as EUR");
  EXPECT_EQ(FaultOf("/id", "\"7\""),
            "id: not a UUID of 36 lower-case characters");
  EXPECT_EQ(FaultOf("/exit_code", "3e9"),
            "exit_code: not a whole number in range");
  EXPECT_EQ(FaultOf("/exit_code", "3000000000"),
            "exit_code: not a whole number in range");
  EXPECT_EQ(FaultOf("/status", "\"done\""), "status: unknown name");
  EXPECT_EQ(FaultOf("/tags", "[]"), "tags: not an object");
  EXPECT_EQ(FaultOf("/host/gpus", "{}"), "host.gpus: not an array");
  EXPECT_EQ(FaultOf("/host/virtual_machine", "1"),
            "host.virtual_machine: not true or false");
}

TEST(Json, WhatIsNotARecordIsRefused) {
  EXPECT_EQ(FromJsonText<RunRecord>("{").error().message, "record: not JSON");
  EXPECT_EQ(FromJsonText<RunRecord>("[1]").error().message,
            "record: not an object");
  EXPECT_EQ(FromJsonText<RunRecord>("{}").error().message,
            "record: id is missing");
  EXPECT_EQ(FromJsonText<RunRecord>("{}").error().code,
            ErrorCode::kInvalidInput);
  auto trial = ToJson(FakeRecords(3).RandomTrial());
  trial["task"] = std::string(63, 'a') + "g";
  EXPECT_EQ(FromJson<Trial>(trial).error().message,
            "task: not a hash of 64 lower-case hexadecimal digits");
}

TEST(Json, UnknownMembersAreIgnored) {
  auto json = ToJson(ExampleRun());
  json["later"] = 1;
  EXPECT_TRUE(FromJson<RunRecord>(json));
}

}  // namespace
}  // namespace modicum
