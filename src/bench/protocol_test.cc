// SPDX-License-Identifier: Apache-2.0
#include "bench/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>

#include "bench/fake_subject.h"
#include "meter/fake_meter.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProtocolTest : public ::testing::Test {
 protected:
  ProtocolTest() {
    settings_.task = *FindBenchTask("text-classification");
    workload_.settings = &settings_;
    workload_.data = "made up";
    workload_.labels = {"a", "b"};
    for (uint64_t i = 0; i < 50; ++i)
      workload_.items.push_back({i, i, Text{"x"}, i % 3 == 0 ? 1 : 0});
    protocol_.inferences = 100;
    protocol_.shortest = Seconds(0);
  }

  // A model that takes `per_item`; its row is rows_[index].
  void Add(std::string name, Seconds per_item, int calls = 1 << 30) {
    rows_.emplace_back();
    rows_.back().model = name;
    openers_.push_back([this, name, per_item, calls] {
      clock_.Tick(Seconds(2));  // loading
      auto subject = std::make_unique<FakeSubject>(clock_, per_item,
                                                   [this, name](size_t items) {
                                                     calls_.push_back(name);
                                                     sizes_.push_back(items);
                                                     if (on_call_) on_call_();
                                                   });
      subject->calls_left = calls;
      return subject;
    });
  }

  Status Measure() {
    std::vector<BenchEntry> entries;
    for (size_t i = 0; i < rows_.size(); ++i)
      entries.push_back({&rows_[i],
                         [this, i](const CallOptions&, PhaseSink&)
                             -> Result<std::unique_ptr<BenchSubject>> {
                           return openers_[i]();
                         }});
    ProtocolParts parts{
        meter_,
        clock_,
        stop_.get_token(),
        [this](const BenchRow& row, std::string_view what, Phase,
               const WindowReading&) -> Status {
          recorded_.push_back(row.model + ": " + std::string(what));
          return {};
        },
        {}};
    return MeasureInTurn(workload_, entries, protocol_, parts);
  }

  FakeClock clock_;
  FakeMeter meter_{clock_};
  std::stop_source stop_;
  TaskSettings settings_;
  Workload workload_;
  BenchProtocol protocol_;
  std::vector<BenchRow> rows_;
  std::vector<std::function<std::unique_ptr<FakeSubject>()>> openers_;
  std::vector<std::string> calls_, recorded_;
  std::vector<size_t> sizes_;
  std::function<void()> on_call_;
};

// The fake meter charges 10 W of CPU time.
TEST_F(ProtocolTest, LoadFirstInferenceAndRunsAreApart) {
  Add("m", Seconds(0.01));
  ASSERT_TRUE(Measure().has_value());
  const BenchRow& row = rows_[0];
  EXPECT_EQ(row.failure, "");
  EXPECT_NEAR(row.load->energy.mid.value(), 20, 1e-6);
  EXPECT_NEAR(row.load->wall.value(), 2, 1e-9);
  EXPECT_NEAR(row.first->energy.mid.value(), 0.1, 1e-6);
  ASSERT_EQ(row.runs.size(), 5U);
  for (const BenchRun& run : row.runs) {
    EXPECT_EQ(run.repeat.predictions, 100U);
    EXPECT_NEAR(run.repeat.energy.mid.value(), 10, 1e-5);
    EXPECT_NEAR(run.repeat.wall.value(), 1, 1e-6);
    EXPECT_EQ(run.tokens_in, 300U);
  }
  EXPECT_EQ(row.family, "fake");
  EXPECT_EQ(row.engine, "clockwork 1");
  EXPECT_EQ(row.items, 50U);
  EXPECT_NEAR(row.latency_p50.value(), 0.01, 1e-9);
}

TEST_F(ProtocolTest, TheWarmUpIsNotInAnyRun) {
  Add("m", Seconds(0.01));
  ASSERT_TRUE(Measure().has_value());
  const BenchRow& row = rows_[0];
  EXPECT_GE(row.warm_up, 2U);
  // First, warm-up and five runs are all the calls there were.
  EXPECT_EQ(calls_.size(), 1 + row.warm_up + 5 * 100);
  EXPECT_THAT(
      recorded_,
      ElementsAre("m: load", "m: first inference", "m: run 1, 100 inferences",
                  "m: run 2, 100 inferences", "m: run 3, 100 inferences",
                  "m: run 4, 100 inferences", "m: run 5, 100 inferences"));
}

TEST_F(ProtocolTest, ModelsAreMeasuredInTurnEachRoundFromAnotherStart) {
  for (const char* name : {"a", "b", "c"}) Add(name, Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  std::string order;
  for (const std::string& what : recorded_)
    if (what.find("run ") != std::string::npos) order += what[0];
  EXPECT_EQ(order, "abcbcacababcbca");
}

TEST_F(ProtocolTest, ItStopsWhenTheEnergyIsKnownAndNotBefore) {
  Add("steady", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs.size(), 5U);
  // Every other run takes three times as long: 10 runs do not suffice.
  rows_.clear();
  openers_.clear();
  Add("unsteady", Seconds(0.001));
  int calls = 0;
  on_call_ = [&] {
    if (++calls / 100 % 2 == 0) clock_.Tick(Seconds(0.002));
  };
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs.size(), 10U);
}

TEST_F(ProtocolTest, RunsThatWereAskedForAreMadeExactly) {
  protocol_.exact_runs = true;
  protocol_.runs = 3;
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs.size(), 3U);
  rows_.clear();
  openers_.clear();
  protocol_.runs = 8;
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs.size(), 8U);
}

TEST_F(ProtocolTest, ContendedRunsAreSetAsideByTheMeterAndMadeAgain) {
  meter_.contended = [](uint64_t window) { return window == 4 || window == 6; };
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  // Windows 1 and 2 are load and first inference.
  ASSERT_EQ(rows_[0].runs.size(), 7U);
  EXPECT_TRUE(rows_[0].runs[1].repeat.contended);
  EXPECT_TRUE(rows_[0].runs[3].repeat.contended);
  EXPECT_FALSE(rows_[0].runs[6].repeat.contended);
}

TEST_F(ProtocolTest, AMachineThatIsNeverQuietEndsAtTheLimit) {
  meter_.contended = [](uint64_t) { return true; };
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs.size(), 10U);
}

TEST_F(ProtocolTest, SlowModelsAreAskedLessAndTheRowSaysSo) {
  protocol_.longest = Seconds(600);
  Add("slow", Seconds(2));  // 100 inferences: 200 s a run, 60 s may be
  ASSERT_TRUE(Measure().has_value());
  const BenchRow& row = rows_[0];
  EXPECT_EQ(row.runs[0].repeat.predictions, 30U);
  EXPECT_EQ(row.items, 30U);
  EXPECT_NEAR(row.runs[0].repeat.energy.mid.value(), 600, 1e-6);
  EXPECT_THAT(row.notes,
              ElementsAre("runs of 30 inferences: 100 would take 3 min 20 s "
                          "each, 10 runs may take 10 min"));
}

TEST_F(ProtocolTest, AModelThatIsTooSlowForTheLimitIsAskedOneBatch) {
  protocol_.longest = Seconds(1);
  workload_.batch = 4;
  Add("slow", Seconds(100));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs[0].repeat.predictions, 4U);
  EXPECT_EQ(rows_[0].runs.size(), 2U);
  EXPECT_THAT(rows_[0].notes.back(),
              HasSubstr("only 2 runs: they took more than 1.0 s"));
}

TEST_F(ProtocolTest, CpuTimeIsSplitOverPhasesAsWallTimeWas) {
  Add("m", Seconds(0.01));
  ASSERT_TRUE(Measure().has_value());
  const Repeat& repeat = rows_[0].runs[0].repeat;
  ASSERT_EQ(repeat.cpu_by_phase.size(), 1U);
  EXPECT_NEAR(repeat.cpu_by_phase.at(Phase::kPrefill).value(),
              repeat.cpu.value(), 1e-9);
}

TEST_F(ProtocolTest, FastModelsGoOverTheItemsUntilAWindowIsLongEnough) {
  protocol_.shortest = Seconds(1);
  Add("fast", Milliseconds(1));  // 0.1 s a pass
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].runs[0].repeat.predictions, 1000U);
  EXPECT_GE(rows_[0].runs[0].repeat.wall.value(), 1 - 1e-6);
}

TEST_F(ProtocolTest, ShortWindowsAreFlagged) {
  meter_.shortest = Seconds(0.2);
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_TRUE(rows_[0].first->short_window);
  EXPECT_FALSE(rows_[0].load->short_window);
  EXPECT_TRUE(rows_[0].runs[0].short_window);
}

TEST_F(ProtocolTest, BatchesCoverAllInferencesTheLastIsSmaller) {
  workload_.batch = 32;
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  // 100 = 3 x 32 + 4, over 50 items: a call wraps around.
  const std::vector<size_t> run(sizes_.end() - 4, sizes_.end());
  EXPECT_THAT(run, ElementsAre(32, 32, 32, 4));
  EXPECT_EQ(rows_[0].runs[0].repeat.predictions, 100U);
  EXPECT_NEAR(rows_[0].latency_p95.value(), 0.032, 1e-9);
}

TEST_F(ProtocolTest, QualityIsOfEachItemOnce) {
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  ASSERT_TRUE(rows_[0].quality.has_value());
  EXPECT_EQ(rows_[0].quality->items, 50U);
  EXPECT_NEAR(rows_[0].quality->mid, 0.5, 1e-9);
  EXPECT_EQ(rows_[0].quality->metric, "accuracy");
  EXPECT_NEAR(*rows_[0].correct_share, 0.5, 1e-9);
}

TEST_F(ProtocolTest, AFloorIsMetByTheWholeInterval) {
  settings_.floor = 0.2;
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_TRUE(rows_[0].above_floor);
  settings_.floor = 0.49;  // below the share, within its interval
  rows_.clear();
  openers_.clear();
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_FALSE(rows_[0].above_floor);
}

TEST_F(ProtocolTest, AModelOfOtherLabelsIsNotScoredAndTheRowSaysWhy) {
  workload_.labels = {"0", "1"};
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_FALSE(rows_[0].quality.has_value());
  EXPECT_EQ(rows_[0].runs.size(), 5U);
  ASSERT_EQ(rows_[0].notes.size(), 1U);
  EXPECT_THAT(rows_[0].notes[0],
              HasSubstr("not scored: it answers a, b, the data has 0, 1"));
  // What they are called in the data may be said.
  settings_.answers = {{"a", "0"}, {"b", "1"}};
  rows_.clear();
  openers_.clear();
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  EXPECT_NEAR(rows_[0].quality->mid, 0.5, 1e-9);
}

TEST_F(ProtocolTest, AModelThatFailsIsARowAndTheOthersGoOn) {
  Add("late", Seconds(0.001), 250);
  Add("fine", Seconds(0.001));
  Add("early", Seconds(0.001), 1);
  ASSERT_TRUE(Measure().has_value());
  EXPECT_EQ(rows_[0].failure, "the model broke");
  EXPECT_TRUE(rows_[0].runs.empty());
  EXPECT_EQ(rows_[1].failure, "");
  EXPECT_EQ(rows_[1].runs.size(), 5U);
  EXPECT_EQ(rows_[2].failure, "the model broke");
}

TEST_F(ProtocolTest, AStopKeepsFinishedRunsAndDropsTheOneUnderWay) {
  Add("a", Seconds(0.001));
  Add("b", Seconds(0.001));
  size_t runs = 0;
  on_call_ = [&] {
    size_t now = 0;
    for (const std::string& what : recorded_)
      now += what.find("run ") != std::string::npos ? 1 : 0;
    runs = now;
    if (now == 3) stop_.request_stop();
  };
  const Status status = Measure();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(runs, 3U);
  EXPECT_EQ(rows_[0].runs.size() + rows_[1].runs.size(), 3U);
  EXPECT_THAT(rows_[1].notes, ElementsAre("interrupted after 2 of 10 runs"));
  EXPECT_EQ(rows_[1].failure, "");
  EXPECT_TRUE(rows_[1].quality.has_value());
}

TEST_F(ProtocolTest, EnergiesOfTwoFamiliesDoNotShareTheirInstructionMix) {
  Add("m", Seconds(0.001));
  ASSERT_TRUE(Measure().has_value());
  bool own = false;
  for (const Share& share : rows_[0].runs[0].repeat.energy.shared)
    own |= SourceName(share.source) == "instruction mix: fake";
  EXPECT_TRUE(own);
}

}  // namespace
}  // namespace modicum
