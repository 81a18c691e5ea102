// SPDX-License-Identifier: Apache-2.0
#include "cli/wall_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/fake_clock.h"
#include "hardware/machine.h"
#include "probe/fake.h"
#include "probe/patched_fs.h"

namespace modicum {
namespace {

using testing::HasSubstr;

std::string RootOf(const std::string& machine) {
  return std::string(MODICUM_SOURCE_DIR) + "/tests/roots/" + machine;
}

TEST(ParseWatts, AreOfOneMachine) {
  EXPECT_EQ(ParseWatts("63.5 W\n")->value(), 63.5);
  EXPECT_EQ(ParseWatts("100 kW")->value(), 100e3);
  for (const char* text : {"1e9", "101 kW", "1e300 kW"})
    EXPECT_THAT(ParseWatts(text).error().message,
                HasSubstr("' is more than a machine draws"));
  for (const char* text : {"", "0", "-3", "nan", "inf W", "63 MW", "6e8 x"})
    EXPECT_FALSE(ParseWatts(text)) << text;
}

class ReadWallMeterTest : public testing::Test {
 protected:
  // It must not be waited for.
  ~ReadWallMeterTest() override {
    EXPECT_LT(SystemClock().Now() - began_, Seconds(20));
  }
  std::string MessageOf(const std::string& command, Seconds limit) {
    const auto watts = ReadWallMeter(command, stop_.get_token(), limit);
    return watts ? "" : watts.error().message;
  }
  std::stop_source stop_;
  const MonotonicTime began_ = SystemClock().Now();
};

TEST_F(ReadWallMeterTest, IsWhatTheCommandPrints) {
  EXPECT_EQ(ReadWallMeter("echo 63.5 W", {})->value(), 63.5);
  EXPECT_EQ(ReadWallMeter("cat; echo 7; exec >&-; sleep 0.1", {})->value(), 7);
  EXPECT_EQ(MessageOf("echo 5; exit 3", Seconds(20)),
            "--wall-cmd 'echo 5; exit 3' failed");
}

TEST_F(ReadWallMeterTest, HasATimeLimit) {
  EXPECT_EQ(MessageOf("sleep 30", Seconds(0.2)),
            "--wall-cmd 'sleep 30' did not end within 200 ms");
  EXPECT_EQ(MessageOf("exec >&-; sleep 30", Seconds(0.2)),
            "--wall-cmd 'exec >&-; sleep 30' did not end within 200 ms");
}

TEST_F(ReadWallMeterTest, IsReadSoFar) {
  EXPECT_EQ(MessageOf("yes", Seconds(20)),
            "--wall-cmd 'yes' printed more than 4096 bytes");
}

// What it started ends with it: what is left would hold the other pipe open.
TEST_F(ReadWallMeterTest, AStopRequestEndsItsGroup) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string command = "sh -c 'echo > /dev/fd/" +
                              std::to_string(ends[1]) +
                              "; sleep 30; exit'; exit";
  std::string message;
  std::thread reads([&] { message = MessageOf(command, Seconds(20)); });
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  close(ends[1]);
  stop_.request_stop();
  reads.join();
  EXPECT_EQ(message, "interrupted: nothing is changed");
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

TEST(HoldLoad, AStopRequestEndsIt) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  FakeClock clock;
  std::stop_source stop;
  const WallMeter meter = [&]() -> Result<Watts> {
    stop.request_stop();
    clock.Tick(Seconds(2));
    return Watts(60);
  };
  const std::stop_token token = stop.get_token();
  const auto point =
      HoldLoad({meter, nullptr, Seconds(3600), fs, clock, token}, 0);
  ASSERT_FALSE(point);
  EXPECT_EQ(point.error().code, ErrorCode::kInterrupted);
  EXPECT_LT(clock.Now() - MonotonicTime{}, Seconds(910));
  const auto none =
      HoldLoad({meter, nullptr, Seconds(3600), fs, clock, token}, 0);
  EXPECT_FALSE(none);
  EXPECT_LT(clock.Now() - MonotonicTime{}, Seconds(910));
}

class ProbedMeterTest : public testing::Test {
 protected:
  ProbedMeterTest() {
    FakeProbe::Options options;
    options.domains = {{.name = "wall", .component = "wall"},
                       {.name = "part", .component = "cpu", .counted = false}};
    probe_ = std::make_shared<FakeProbe>(options, clock_.Now());
    meter_ = MeterOf(probe_, "fake", clock_);
  }
  FakeClock clock_;
  std::shared_ptr<FakeProbe> probe_;
  WallMeter meter_;
};

TEST_F(ProbedMeterTest, IsTheMeanOfASecondOfWhatCounts) {
  probe_->Draw({}, Watts(60));
  probe_->Draw({}, Watts(40), 1);
  probe_->Draw(MonotonicTime{} + Seconds(0.5), Watts(80));
  EXPECT_DOUBLE_EQ(meter_()->value(), 70);
  EXPECT_EQ(clock_.Now(), MonotonicTime{} + Seconds(1));
  // What was drawn between two readings is in none of them.
  clock_.Tick(Seconds(10));
  EXPECT_DOUBLE_EQ(meter_()->value(), 80);
}

TEST_F(ProbedMeterTest, AGapIsNoReading) {
  probe_->Draw({}, Watts(60));
  ASSERT_TRUE(meter_());
  probe_->FailReads(1);
  const auto failed = meter_();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("--wall-probe fake: "));
  // The first of the two reads ends the gap.
  EXPECT_TRUE(meter_());
}

// The line is found from what the source shows and how busy the machine was.
TEST_F(ProbedMeterTest, ALoadIsHeldWhileItIsRead) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  probe_->Draw({}, Watts(60));
  const std::stop_token stop;
  const auto point =
      HoldLoad({meter_, nullptr, Seconds(20), fs, clock_, stop}, 0);
  ASSERT_TRUE(point.has_value());
  EXPECT_DOUBLE_EQ(point->power.value(), 60);
  EXPECT_EQ(point->busy_cpus, 0);
  EXPECT_NEAR((clock_.Now() - MonotonicTime{}).value(), 20, 1e-6);
}

// A machine that is known: its supply takes 1.15 W for each watt of processors
// and memory, and the rest of it draws 30 W. Its platform counter is no part.
TEST(HoldLoad, LearnsASupplyFromCountersBesideTheMeter) {
  const RootFs fs(RootOf("epyc-no-rapl-vm"));
  FakeClock clock;
  FakeProbe::Options options;
  options.domains = {{.name = "package-0", .component = "cpu"},
                     {.name = "dram-0", .component = "dram"},
                     {.name = "psys", .component = "platform"}};
  FakeProbe inside(options, clock.Now());
  Watts cpu, dram;
  const WallMeter meter = [&]() -> Result<Watts> {
    return Watts(30) + (cpu + dram) * 1.15;
  };
  const std::stop_token stop;
  const Bench bench{meter, &inside, Seconds(20), fs, clock, stop};
  std::vector<CalibrationPoint> points;
  for (const double watts : {10., 25., 38., 49., 58.}) {
    cpu = Watts(watts);
    dram = Watts(3 + watts / 10);
    inside.Draw(clock.Now(), cpu, 0);
    inside.Draw(clock.Now(), dram, 1);
    inside.Draw(clock.Now(), Watts(500), 2);
    const auto point = HoldLoad(bench, 0);
    ASSERT_TRUE(point && point->inside);
    EXPECT_NEAR(point->inside->value(), (cpu + dram).value(), 1e-6);
    points.push_back(*point);
  }
  const auto supply = FitSupply(points, 0.01);
  ASSERT_TRUE(supply);
  EXPECT_NEAR(supply->per_watt.mid.value(), 1.15, 1e-6);
  EXPECT_NEAR(supply->rest.mid.value(), 30, 1e-4);
  // A lost reading is no figure.
  inside.FailReads(1);
  EXPECT_FALSE(HoldLoad(bench, 0)->inside);
}

TEST(BusyMemory, CountsWhatItReads) {
  const BusyMemory memory(2, Bytes(4e6));
  const Bytes before = memory.read();
  while (memory.read() - before < Bytes(64e6)) std::this_thread::yield();
}

TEST(OpenInside, FindsTheCountersOfProcessors) {
  const auto opens = [](const char* machine) {
    const RootFs fs(RootOf(machine));
    return OpenInside({fs, DetectHost(fs)}) != nullptr;
  };
  EXPECT_TRUE(opens("xeon-2s-rapl-dram"));
  EXPECT_FALSE(opens("epyc-no-rapl-vm"));
}

TEST(OpenProbedMeter, ABatteryMetersTheWholeLaptop) {
  PatchedFs fs(RootOf("laptop-apu-battery"));
  FakeClock clock;
  const HostFacts host = DetectHost(fs);
  const auto meter = OpenProbedMeter({fs, host}, "battery", clock);
  ASSERT_TRUE(meter.has_value()) << meter.error().message;
  EXPECT_DOUBLE_EQ(meter->sd, 0.05);
  EXPECT_GT(*meter->read(), Watts(0));
  fs.Put("/sys/class/power_supply/BAT0/status", "Charging\n");
  const auto charging = meter->read();
  ASSERT_FALSE(charging);
  EXPECT_THAT(charging.error().message,
              HasSubstr("--wall-probe battery: BAT0 is charging"));
  EXPECT_EQ(charging.error().hint, "pull the plug");
}

TEST(OpenProbedMeter, PartsAndModelsAreRefused) {
  FakeClock clock;
  const auto refused = [&clock](const char* machine, const char* name) {
    const RootFs fs(RootOf(machine));
    const auto meter = OpenProbedMeter({fs, DetectHost(fs)}, name, clock);
    return meter ? "" : meter.error().message;
  };
  EXPECT_EQ(refused("xeon-2s-rapl-dram", "rapl"),
            "--wall-probe rapl: package-0 is no meter of the whole machine");
  EXPECT_EQ(refused("laptop-psys", "rapl"),
            "--wall-probe rapl: psys is no meter of the whole machine");
  EXPECT_THAT(refused("epyc-amd-energy", "hwmon"),
              HasSubstr("is no meter of the whole machine"));
  EXPECT_THAT(refused("epyc-no-rapl-vm", "cpu-load"),
              HasSubstr("is no meter of the whole machine"));
  EXPECT_THAT(refused("epyc-no-rapl-vm", "batery"),
              HasSubstr("unknown probe 'batery'"));
}

}  // namespace
}  // namespace modicum
