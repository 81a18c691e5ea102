// SPDX-License-Identifier: Apache-2.0
#include "probe/battery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hardware/machine.h"
#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

constexpr char kBattery[] = "/sys/class/power_supply/BAT0/";

class BatteryTest : public testing::Test {
 protected:
  void Put(const std::string& file, const std::string& text) {
    fs_.Put(kBattery + file, text + "\n");
  }
  Result<std::unique_ptr<Probe>> TryOpen() const {
    return OpenBattery({fs_, HostFacts{}, At(0)});
  }
  std::unique_ptr<Probe> Open() const {
    auto probe = TryOpen();
    EXPECT_TRUE(probe.has_value());
    return std::move(probe).value();
  }
  ProbeReport Report() const { return ReportBattery({fs_, HostFacts{}}); }

  PatchedFs fs_{std::string(MODICUM_SOURCE_DIR) +
                "/tests/roots/laptop-apu-battery"};
};

TEST_F(BatteryTest, IsTheWholeMachineWhileItDischarges) {
  const auto probe = Open();
  ASSERT_EQ(probe->domains().size(), 1u);
  const Domain& domain = probe->domains()[0];
  EXPECT_EQ(domain.component, "wall");
  EXPECT_EQ(domain.scope, Scope::kHost);
  EXPECT_EQ(domain.origin, Origin::kSensor);
  EXPECT_TRUE(domain.counted);
  EXPECT_NEAR((*probe->Read(At(10)))[0].energy.value(), 92.64, 1e-9);
}

TEST_F(BatteryTest, CurrentTimesVoltageWhereThereIsNoPower) {
  fs_.patches.insert_or_assign(
      std::string(kBattery) + "power_now",
      Result<std::string>(Fail(ErrorCode::kNotFound, "no such file")));
  Put("current_now", "-600000");  // some drivers sign what flows out
  const auto probe = Open();
  EXPECT_NEAR((*probe->Read(At(1)))[0].energy.value(), 0.6 * 15.44, 1e-6);
}

TEST_F(BatteryTest, OnMainsItSaysSo) {
  for (const auto& [status, reason] :
       {std::pair("Charging", "BAT0 is charging"),
        std::pair("Full", "BAT0 is not discharging"),
        std::pair("Not charging", "BAT0 is not discharging"),
        std::pair("Unknown", "BAT0 is not discharging")}) {
    Put("status", status);
    ASSERT_FALSE(TryOpen().has_value());
    EXPECT_EQ(TryOpen().error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(Report().usable);
    EXPECT_EQ(Report().reason, reason);
    EXPECT_EQ(Report().cure, "pull the plug");
  }
}

TEST_F(BatteryTest, APlugInTheMiddleIsAGap) {
  const auto probe = Open();
  ASSERT_TRUE(probe->Read(At(1)));
  Put("status", "Charging");
  const auto plugged = probe->Read(At(2));
  ASSERT_FALSE(plugged.has_value());
  EXPECT_EQ(plugged.error().code, ErrorCode::kRetry);
  Put("status", "Discharging");
  EXPECT_TRUE((*probe->Read(At(3)))[0].gap);
  EXPECT_FALSE((*probe->Read(At(4)))[0].gap);
}

TEST_F(BatteryTest, AGaugeThatTellsNothingIsAGap) {
  const auto probe = Open();
  for (const char* text : {"0", "", "x", "400000000", "99999999999999999999"}) {
    Put("power_now", text);
    EXPECT_FALSE(probe->Read(At(1)).has_value()) << text;
  }
}

TEST_F(BatteryTest, TwoBatteriesAreSummedAndAMouseIsNot) {
  const std::string second = "/sys/class/power_supply/BAT1/";
  fs_.Put(second + "type", "Battery\n");
  fs_.Put(second + "status", "Discharging\n");
  fs_.Put(second + "power_now", "1000000\n");
  const auto probe = Open();
  EXPECT_NEAR((*probe->Read(At(1)))[0].energy.value(), 10.264, 1e-9);
}

TEST_F(BatteryTest, NoBatteryIsSaid) {
  const RootFs none("/nonexistent");
  const ProbeReport report = ReportBattery({none, HostFacts{}});
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "no battery is here");
}

// Modelled or not, what else can be had is chosen before it.
TEST_F(BatteryTest, IsOnlyTakenWhenAskedFor) {
  const HostFacts host = DetectHost(fs_);
  const auto chosen = OpenProbes({fs_, host, At(0)}, "");
  ASSERT_TRUE(chosen.has_value());
  for (const auto& probe : *chosen) EXPECT_NE(probe->name(), "battery");
  const auto asked = OpenProbes({fs_, host, At(0)}, "battery");
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->front()->name(), "battery");
}

}  // namespace
}  // namespace modicum
