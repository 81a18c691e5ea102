// SPDX-License-Identifier: Apache-2.0
#include "base/root_fs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/fault_fs.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;

// A machine of three files in a folder of its own.
class RootFsTest : public ::testing::Test {
 protected:
  RootFsTest() {
    std::filesystem::create_directories(root_ + "/sys/zone");
    Write("/sys/zone/energy_uj", "18446744073709551615\n");
    Write("/sys/zone/name", "  package-0 \n");
    Write("/sys/zone/empty", "");
  }
  ~RootFsTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) const {
    std::ofstream(root_ + path, std::ios::binary) << text;
  }

  const std::string root_ =
      ::testing::TempDir() + "root_fs_test_" +
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const RootFs fs_{root_};
};

TEST_F(RootFsTest, ReadsBelowTheRoot) {
  EXPECT_EQ(*fs_.Read("/sys/zone/name"), "  package-0 \n");
  EXPECT_EQ(*ReadTrimmed(fs_, "/sys/zone/name"), "package-0");
  EXPECT_EQ(*fs_.Read("/sys/zone/empty"), "");
  EXPECT_EQ(fs_.root(), root_);
}

TEST_F(RootFsTest, ReadsAWordWhereItIsAskedFor) {
  Write("/msr", std::string("\x01\x00\x00\x00\x00\x00\x00\x02\xff", 9));
  EXPECT_EQ(*fs_.ReadWord("/msr", 0), 0x0200'0000'0000'0001U);
  EXPECT_EQ(*fs_.ReadWord("/msr", 1), 0xff02'0000'0000'0000U);
  const auto beyond = fs_.ReadWord("/msr", 2);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::kIo);
  EXPECT_EQ(fs_.ReadWord("/none", 0).error().code, ErrorCode::kNotFound);
  const FaultFs fault(root_, 2, ErrorCode::kPermission);
  EXPECT_TRUE(fault.ReadWord("/msr", 0));
  EXPECT_EQ(fault.ReadWord("/msr", 0).error().code, ErrorCode::kPermission);
}

TEST_F(RootFsTest, ListsSorted) {
  EXPECT_THAT(*fs_.List("/sys/zone"),
              ElementsAre("empty", "energy_uj", "name"));
  EXPECT_TRUE(fs_.Exists("/sys/zone"));
  EXPECT_FALSE(fs_.Exists("/sys/zones"));
}

TEST_F(RootFsTest, ReusesTheBufferForShorterAndLongerFiles) {
  Write("/long", std::string(100'000, 'x'));
  std::string buffer = "left over";
  ASSERT_TRUE(fs_.ReadInto("/long", buffer).has_value());
  EXPECT_EQ(buffer, std::string(100'000, 'x'));
  ASSERT_TRUE(fs_.ReadInto("/sys/zone/name", buffer).has_value());
  EXPECT_EQ(buffer, "  package-0 \n");
  ASSERT_TRUE(fs_.ReadInto("/sys/zone/empty", buffer).has_value());
  EXPECT_EQ(buffer, "");
}

TEST_F(RootFsTest, ErrorsHaveTheMachinesPathAndACode) {
  const auto missing = fs_.Read("/sys/none");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            "cannot read /sys/none: No such file or directory");
  EXPECT_EQ(fs_.Read("/sys/zone/name/below").error().code,
            ErrorCode::kNotFound);
  EXPECT_EQ(fs_.Read("/sys/zone").error().code, ErrorCode::kIo);
  EXPECT_EQ(fs_.List("/sys/none").error().code, ErrorCode::kNotFound);
}

TEST_F(RootFsTest, UnsignedIsWholeOrAnError) {
  EXPECT_EQ(*ReadUnsigned(fs_, "/sys/zone/energy_uj"),
            std::numeric_limits<uint64_t>::max());
  for (const char* text :
       {"", "\n", "-1", "+1", "1.5", "12 34", "0x10", "18446744073709551616"}) {
    Write("/number", text);
    const auto value = ReadUnsigned(fs_, "/number");
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(value.error().message, "/number holds no unsigned integer");
  }
}

TEST_F(RootFsTest, FaultFsFailsTheNthReadOnly) {
  const FaultFs fs(root_, 2, ErrorCode::kPermission);
  std::string buffer;
  EXPECT_TRUE(fs.Read("/sys/zone/name").has_value());
  const auto second = fs.ReadInto("/sys/zone/name", buffer);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kPermission);
  EXPECT_EQ(second.error().message,
            "cannot read /sys/zone/name: injected fault");
  EXPECT_TRUE(fs.List("/sys/zone").has_value());
  EXPECT_EQ(fs.reads(), 3U);
}

TEST_F(RootFsTest, FaultFsFailsForEverOrOnePathOrNever) {
  const FaultFs gone(root_, 1, ErrorCode::kEnded, FaultFs::kForEver,
                     "/sys/zone/name");
  EXPECT_EQ(*gone.Read("/sys/zone/empty"), "");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(gone.Read("/sys/zone/name").error().code, ErrorCode::kEnded);
  EXPECT_EQ(gone.reads(), 3U);
  const FaultFs sound(root_, 0, ErrorCode::kIo);
  EXPECT_TRUE(sound.List("/sys").has_value());
  EXPECT_EQ(sound.List("/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(sound.reads(), 2U);
}

}  // namespace
}  // namespace modicum
