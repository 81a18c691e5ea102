// SPDX-License-Identifier: Apache-2.0
#include "probe/network_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hardware/component_power.h"
#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::HasSubstr;

class NetworkFs final : public PatchedFs {
 public:
  NetworkFs() : PatchedFs("/nonexistent") { Show("lo", 1000, 1000); }
  void AddInterface(const std::string& name, bool device, int index, int link) {
    const std::string folder = "/sys/class/net/" + name + "/";
    if (device) Put(folder + "device", "");
    Put(folder + "ifindex", std::to_string(index) + "\n");
    Put(folder + "iflink", std::to_string(link) + "\n");
    Show(name, 0, 0);
  }
  void Show(const std::string& name, uint64_t in, uint64_t out) {
    lines_[name] = name + ": " + std::to_string(in) + " 1 0 0 0 0 0 0 " +
                   std::to_string(out) + " 1 0 0 0 0 0 0\n";
    std::string text = "Inter-| Receive | Transmit\n face |bytes |bytes\n";
    for (const auto& [any, line] : lines_) text += line;
    Put("/proc/net/dev", text);
  }

 private:
  std::map<std::string, std::string> lines_;
};

TEST(NetworkModel, CountsBytesBothWaysOfDevicesAlone) {
  NetworkFs fs;
  fs.AddInterface("lo", false, 1, 1);
  fs.AddInterface("eth0", true, 2, 2);
  fs.AddInterface("docker0", false, 3, 3);
  fs.AddInterface("veth12", false, 4, 9);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  ASSERT_TRUE(probe.has_value());
  fs.Show("lo", 5'000'000'000, 5'000'000'000);
  fs.Show("docker0", 5'000'000'000, 0);
  fs.Show("veth12", 0, 5'000'000'000);
  fs.Show("eth0", 750'000'000, 250'000'000);
  const auto deltas = (*probe)->Read(At(1));
  ASSERT_TRUE(deltas.has_value());
  const double joules = FindFigure("network", "", "kWh/GB").mid * 3.6e6;
  EXPECT_NEAR(deltas->at(0).energy.value(), joules, 1e-9 * joules);
  EXPECT_EQ((*probe)->observed().bytes, Bytes(1e9));
  // Quiet: nothing.
  EXPECT_EQ((*probe)->Read(At(2))->at(0).energy, Joules(0));
}

TEST(NetworkModel, IsOutsideOfTheMachineAndNeverCounted) {
  NetworkFs fs;
  fs.AddInterface("eth0", true, 2, 2);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  const Domain& domain = (*probe)->domains()[0];
  EXPECT_FALSE(domain.counted);
  EXPECT_EQ(domain.scope, Scope::kNetwork);
  EXPECT_EQ(ScopeName(domain.scope), "network");
  EXPECT_EQ(domain.origin, Origin::kModelled);
}

TEST(NetworkModel, InAContainerItIsTheEndOfAPair) {
  NetworkFs fs;
  fs.AddInterface("lo", false, 1, 1);
  fs.AddInterface("eth0", false, 2, 17);
  fs.AddInterface("tun0", false, 3, 3);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  ASSERT_TRUE(probe.has_value());
  fs.Show("eth0", 100, 0);
  fs.Show("tun0", 100, 0);
  EXPECT_FALSE((*probe)->Read(At(1))->at(0).gap);
  EXPECT_EQ((*probe)->observed().bytes, Bytes(100));
}

TEST(NetworkModel, ACountThatGoesBackAndACutTextAreGaps) {
  NetworkFs fs;
  fs.AddInterface("eth0", true, 2, 2);
  fs.Show("eth0", 4'294'967'000, 0);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  fs.Show("eth0", 400, 0);  // 32 bits of an old driver, or a reset
  EXPECT_TRUE((*probe)->Read(At(1))->at(0).gap);
  fs.Put("/proc/net/dev", "eth0: 40");
  EXPECT_FALSE((*probe)->Read(At(2)).has_value());
  fs.Show("eth0", 500, 0);
  EXPECT_TRUE((*probe)->Read(At(3))->at(0).gap);
  fs.Show("eth0", 600, 0);
  EXPECT_FALSE((*probe)->Read(At(4))->at(0).gap);
  EXPECT_EQ((*probe)->observed().bytes, Bytes(100));
}

TEST(NetworkModel, WithoutAWayOutThereIsNothingToModel) {
  NetworkFs fs;
  fs.AddInterface("lo", false, 1, 1);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(probe.error().message,
            "no network interface leads out of this machine");
}

TEST(NetworkModel, WithoutItsFileItIsRefused) {
  NetworkFs fs;
  fs.AddInterface("eth0", true, 2, 2);
  fs.Break("/proc/net/dev", ErrorCode::kPermission);
  const auto probe = OpenNetworkModel({fs, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_THAT(probe.error().message, HasSubstr("cannot read /proc/net/dev"));
  EXPECT_EQ(probe.error().hint,
            "mount /proc, or leave network out of --modelled");
}

}  // namespace
}  // namespace modicum
