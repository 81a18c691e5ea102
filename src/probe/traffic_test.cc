// SPDX-License-Identifier: Apache-2.0
#include "probe/traffic.h"

#include <gtest/gtest.h>

#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

bool All(std::string_view) { return true; }

constexpr std::string_view kDisks =
    "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
    " 254       0 vda 10 2 100 5 20 3 300 7 0 40 12 5 23 1996536 965 1 68\n"
    " 254       1 vda1 9 2 90 5 20 3 300 7 0 40 12\n";

TEST(DiskStats, BytesAreOf512AndBothWays) {
  const auto counts = ParseDiskStats(
      kDisks, [](std::string_view name) { return name == "vda"; });
  ASSERT_TRUE(counts.has_value());
  ASSERT_EQ(counts->size(), 1u);
  const TrafficCount& vda = counts->at("vda");
  EXPECT_EQ(vda.bytes, 400u * 512);
  EXPECT_EQ(vda.operations, 30u);
  EXPECT_EQ(vda.busy_ms, 40u);
}

TEST(DiskStats, ALineCutShortIsNoCount) {
  const std::string text(kDisks.substr(0, kDisks.find("300 7 0 40")));
  const auto counts = ParseDiskStats(text, All);
  ASSERT_FALSE(counts.has_value());
  EXPECT_EQ(counts.error().code, ErrorCode::kRetry);
  EXPECT_EQ(counts.error().message, "/proc/diskstats is cut short at 'vda'");
  EXPECT_EQ(ParseDiskStats("", All).error().message,
            "/proc/diskstats lists no device");
}

constexpr std::string_view kNetwork =
    "Inter-|   Receive                            |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes "
    "packets errs drop fifo colls carrier compressed\n"
    "    lo:    3267      29    0    0    0     0          0         0     "
    "3267 "
    "     29    0    0    0     0       0          0\n"
    "  eth0:100350035    2251    0    0    0     0          0         0    "
    "91372    1209    0    0    0     0       0          0\n";

TEST(NetworkDevices, BytesAreBothWays) {
  const auto counts = ParseNetworkDevices(
      kNetwork, [](std::string_view name) { return name == "eth0"; });
  ASSERT_TRUE(counts.has_value());
  ASSERT_EQ(counts->size(), 1u);
  EXPECT_EQ(counts->at("eth0").bytes, 100350035u + 91372);
  EXPECT_EQ(counts->at("eth0").operations, 2251u + 1209);
}

TEST(NetworkDevices, ALineCutShortIsNoCount) {
  const std::string text(kNetwork.substr(0, kNetwork.find("91372")));
  EXPECT_EQ(ParseNetworkDevices(text, All).error().message,
            "/proc/net/dev is cut short at 'eth0'");
  EXPECT_EQ(ParseNetworkDevices("Inter-|\n face |\n", All).error().message,
            "/proc/net/dev lists no interface");
}

constexpr TrafficLimit kLimit{1000, 100};

std::optional<TrafficCounts> Between(const TrafficCounts& before,
                                     const TrafficCounts& now) {
  return TrafficBetween(before, now, Seconds(1), kLimit);
}

TEST(TrafficBetween, IsTheDifference) {
  const auto passed = Between({{"a", {10, 1, 5}}}, {{"a", {30, 3, 9}}});
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->at("a").bytes, 20u);
  EXPECT_EQ(passed->at("a").operations, 2u);
  EXPECT_EQ(passed->at("a").busy_ms, 4u);
}

TEST(TrafficBetween, TheBusyTimeWraps) {
  const auto passed = Between({{"a", {0, 0, 0xFFFF'FFFE}}}, {{"a", {0, 0, 3}}});
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->at("a").busy_ms, 5u);
}

TEST(TrafficBetween, ACountThatWentBackOrJumpedIsAGap) {
  EXPECT_FALSE(Between({{"a", {10, 1, 0}}}, {{"a", {9, 1, 0}}}));
  EXPECT_FALSE(Between({{"a", {10, 1, 0}}}, {{"a", {10, 0, 0}}}));
  EXPECT_TRUE(Between({{"a", {10, 1, 0}}}, {{"a", {1110, 1, 0}}}));
  EXPECT_FALSE(Between({{"a", {10, 1, 0}}}, {{"a", {1111, 1, 0}}}));
  EXPECT_FALSE(Between({{"a", {10, 1, 0}}}, {{"a", {10, 112, 0}}}));
}

TEST(TrafficBetween, ADeviceThatComesOrGoesIsAGap) {
  const TrafficCounts one = {{"a", {1, 1, 0}}};
  const TrafficCounts other = {{"b", {1, 1, 0}}};
  const TrafficCounts two = {{"a", {1, 1, 0}}, {"b", {1, 1, 0}}};
  EXPECT_FALSE(Between(one, two));
  EXPECT_FALSE(Between(two, one));
  EXPECT_FALSE(Between(one, other));
  EXPECT_TRUE(Between(two, two));
}

TEST(TrafficReader, WhatWasMissedInAFailureIsAGapAndNoMore) {
  PatchedFs fs("/nonexistent");
  const auto put = [&fs](int bytes) {
    fs.Put("/proc/net/dev", "eth0: " + std::to_string(bytes) +
                                " 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n");
  };
  put(100);
  TrafficReader reader(fs, {"/proc/net/dev", ParseNetworkDevices, kLimit}, All);
  ASSERT_TRUE(reader.Start(At(0)));
  put(150);
  EXPECT_EQ(reader.Read(At(1))->counts->at("eth0").bytes, 50u);
  fs.Break("/proc/net/dev", ErrorCode::kIo);
  EXPECT_FALSE(reader.Read(At(2)));
  put(250);
  const auto gap = reader.Read(At(3));
  ASSERT_TRUE(gap.has_value());
  EXPECT_FALSE(gap->counts.has_value());
  put(260);
  EXPECT_EQ(reader.Read(At(4))->counts->at("eth0").bytes, 10u);
  EXPECT_EQ(reader.devices(), 1);
}

}  // namespace
}  // namespace modicum
