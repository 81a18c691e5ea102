// SPDX-License-Identifier: Apache-2.0
#include "cli/wall_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
