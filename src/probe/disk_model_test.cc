// SPDX-License-Identifier: Apache-2.0
#include "probe/disk_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hardware/component_power.h"
#include "probe/patched_fs.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::HasSubstr;

// A machine with the disks of these lines.
class DiskFs final : public PatchedFs {
 public:
  DiskFs() : PatchedFs("/nonexistent") {}
  void AddDisk(const std::string& name, bool turns, uint64_t sectors = 0) {
    Put("/sys/block/" + name + "/device", "");
    Put("/sys/block/" + name + "/queue/rotational", turns ? "1\n" : "0\n");
    Put("/sys/block/" + name + "/size", std::to_string(sectors) + "\n");
  }
  // "nvme0n1", operations, sectors read, busy ms.
  void Show(const std::string& name, uint64_t operations, uint64_t sectors,
            uint64_t busy_ms) {
    lines_[name] = " 8 0 " + name + " " + std::to_string(operations) + " 0 " +
                   std::to_string(sectors) + " 0 0 0 0 0 0 " +
                   std::to_string(busy_ms) + " 0\n";
    Write();
  }
  void Hide(const std::string& name) {
    lines_.erase(name);
    Write();
  }

 private:
  void Write() {
    std::string text = " 7 0 loop0 5 0 5 0 0 0 0 0 0 0 0\n";
    for (const auto& [name, line] : lines_) text += line;
    Put("/proc/diskstats", text);
  }
  std::map<std::string, std::string> lines_;
};

std::unique_ptr<Probe> OpenOn(const RootFs& fs, bool virtual_machine = false) {
  HostFacts host;
  host.virtual_machine = virtual_machine;
  auto probe = OpenDiskModel({fs, host, At(0)});
  EXPECT_TRUE(probe.has_value()) << probe.error().message;
  return probe ? *std::move(probe) : nullptr;
}

double Mid(const char* kind, const char* unit) {
  return FindFigure("disk", kind, unit).mid;
}

TEST(DiskModel, IdlePowerAndBytesByTheKindOfDisk) {
  DiskFs fs;
  fs.AddDisk("nvme0n1", false);
  fs.AddDisk("sda", true);
  fs.Show("nvme0n1", 0, 0, 0);
  fs.Show("sda", 0, 0, 0);
  const auto probe = OpenOn(fs);
  const double idle = Mid("nvme", "W") + Mid("hdd", "W");
  EXPECT_NEAR(probe->idle_power()->mid.value(), idle, 1e-12);
  EXPECT_NEAR(probe->Read(At(2))->at(0).energy.value(), 2 * idle, 1e-9);

  // A gigabyte from each in a second, the hard disk with a hundred seeks.
  fs.Show("nvme0n1", 1000, 1953125, 300);
  fs.Show("sda", 100, 1953125, 4'000'000'000);
  EXPECT_NEAR(probe->Read(At(3))->at(0).energy.value(),
              idle + Mid("nvme", "J/GB") + Mid("hdd", "J/GB") +
                  100 * Mid("hdd", "J/op"),
              1e-6);
  EXPECT_EQ(probe->observed().bytes, Bytes(2e9));
  EXPECT_EQ(probe->observed().devices, 2);
  // Nothing is busy for longer than there was time.
  EXPECT_NEAR(probe->observed().busy.value(), 1.3, 1e-9);
}

TEST(DiskModel, AVirtualDiskIsAPartOfSomebodysStorage) {
  DiskFs fs;
  fs.AddDisk("vda", true, 2'000'000'000);  // 1.024 TB
  fs.Show("vda", 0, 0, 0);
  const auto probe = OpenOn(fs, true);
  EXPECT_NEAR(probe->idle_power()->mid.value(), 1.024 * Mid("virtual", "W/TB"),
              1e-9);
}

// The widest of the figures in use: what lies below a virtual disk, what an
// idle PCIe drive draws.
TEST(DiskModel, ItsErrorIsTheWidestOfItsFigures) {
  DiskFs fs;
  fs.AddDisk("nvme0n1", false);
  fs.Show("nvme0n1", 0, 0, 0);
  EXPECT_DOUBLE_EQ(OpenOn(fs)->relative_errors()[0].delta,
                   FindFigure("disk", "nvme", "W").ln_sd);
  EXPECT_DOUBLE_EQ(OpenOn(fs, true)->relative_errors()[0].delta,
                   FindFigure("disk", "virtual", "J/GB").ln_sd);
  EXPECT_EQ(OpenOn(fs)->factors().size(), 4u);
}

TEST(DiskModel, LoopDevicesPartitionsAndOpticalDrivesAreNone) {
  DiskFs fs;
  fs.Put("/sys/block/loop0/size", "8\n");
  fs.AddDisk("sr0", true);
  fs.AddDisk("mmcblk0boot0", false);
  fs.Show("sr0", 0, 0, 0);
  const auto probe = OpenDiskModel({fs, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(probe.error().message, "no disk is in /sys/block");
}

TEST(DiskModel, ADiskThatGoesLeavesAGapAndTheOthersGoOn) {
  DiskFs fs;
  fs.AddDisk("sda", false);
  fs.AddDisk("sdb", false);
  fs.Show("sda", 0, 0, 0);
  fs.Show("sdb", 0, 0, 0);
  const auto probe = OpenOn(fs);
  fs.Hide("sdb");
  EXPECT_TRUE(probe->Read(At(1))->at(0).gap);
  EXPECT_NEAR(probe->Read(At(2))->at(0).energy.value(), Mid("ssd", "W"), 1e-9);
  fs.Show("sdb", 1, 8'000'000, 0);  // plugged in again, or a cut text
  EXPECT_TRUE(probe->Read(At(3))->at(0).gap);
  EXPECT_NEAR(probe->Read(At(4))->at(0).energy.value(), 2 * Mid("ssd", "W"),
              1e-9);
}

// What it is was asked when the model was opened.
TEST(DiskModel, ADiskThatComesLaterIsNotTakenUp) {
  DiskFs fs;
  fs.AddDisk("sda", false);
  fs.Show("sda", 0, 0, 0);
  const auto probe = OpenOn(fs);
  fs.AddDisk("sdb", false);
  fs.Show("sdb", 9, 9000, 0);
  const auto deltas = probe->Read(At(1));
  EXPECT_FALSE(deltas->at(0).gap);
  EXPECT_NEAR(deltas->at(0).energy.value(), Mid("ssd", "W"), 1e-9);
}

TEST(DiskModel, ACutTextAndACountThatGoesBackAreGaps) {
  DiskFs fs;
  fs.AddDisk("sda", false);
  fs.Show("sda", 10, 1000, 0);
  const auto probe = OpenOn(fs);
  fs.Put("/proc/diskstats", " 8 0 sda 11 0 10");
  const auto cut = probe->Read(At(1));
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kRetry);
  fs.Show("sda", 12, 1200, 0);
  EXPECT_TRUE(probe->Read(At(2))->at(0).gap);
  fs.Show("sda", 12, 100, 0);
  EXPECT_TRUE(probe->Read(At(3))->at(0).gap);
  EXPECT_FALSE(probe->Read(At(4))->at(0).gap);
}

TEST(DiskModel, WithoutDiskstatsItIsRefused) {
  DiskFs fs;
  fs.AddDisk("sda", false);
  const auto probe = OpenDiskModel({fs, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_THAT(probe.error().message, HasSubstr("cannot read /proc/diskstats"));
  EXPECT_EQ(probe.error().hint, "mount /proc, or leave disk out of --modelled");
}

}  // namespace
}  // namespace modicum
