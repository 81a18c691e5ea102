// SPDX-License-Identifier: Apache-2.0
#include "cli/run_hold.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "base/format.h"

namespace modicum {
namespace {

// FakeClock begins at 2026-01-01T00:00:00Z.
constexpr const char* kSeries =
    "time,gco2e_per_kwh\n2026-01-01T00:00Z,400\n2026-01-01T01:00Z,300\n"
    "2026-01-01T02:00Z,100\n2026-01-01T03:00Z,120\n2026-01-01T04:00Z,500\n";

class HoldTest : public testing::Test {
 protected:
  HoldTest() {
    options_.asked = true;
    options_.deadline = "5h";
    options_.expect = "2h";
    options_.series = testing::TempDir() + "/modicum_hold.csv";
    EXPECT_TRUE(WriteFileAtomically(options_.series, kSeries));
  }
  // What was said; "" of an error.
  std::string Hold(const std::stop_token& stop = {}) {
    char* text = nullptr;
    size_t size = 0;
    std::FILE* out = open_memstream(&text, &size);
    status_ = HoldUntilGreenest(options_, clock_, stop, out);
    std::fclose(out);
    std::string said(text, size);
    std::free(text);
    return said;
  }

  HoldOptions options_;
  FakeClock clock_;
  Status status_;
};

TEST_F(HoldTest, WaitsForTheGreenestWindow) {
  EXPECT_EQ(Hold(),
            "modicum: held for 2 h: 110 gCO2e/kWh on average over 2 h against "
            "350 at once (-69 %, attributional: what the grid's average "
            "charges the command with)\n");
  EXPECT_TRUE(status_);
  EXPECT_EQ(FormatUtc(clock_.WallNow()), "2026-01-01T02:00:00Z");
}

TEST_F(HoldTest, DoesNotWaitWhereNowIsBest) {
  clock_.Tick(Hours(2));
  options_.deadline = "3h";
  EXPECT_EQ(Hold(),
            "modicum: now is the greenest start before the deadline: 110 "
            "gCO2e/kWh on average over 2 h\n");
  EXPECT_EQ(FormatUtc(clock_.WallNow()), "2026-01-01T02:00:00Z");
}

TEST_F(HoldTest, KeepsTheDeadline) {
  options_.deadline = "3h";  // 02:00 would end at 04:00
  Hold();
  EXPECT_TRUE(status_);
  EXPECT_EQ(FormatUtc(clock_.WallNow()), "2026-01-01T01:00:00Z");
}

TEST_F(HoldTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(Hold(source.get_token()), "");
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().code, ErrorCode::kInterrupted);
}

TEST_F(HoldTest, SaysWhatTheSeriesLacks) {
  clock_.Tick(Hours(24));
  EXPECT_EQ(Hold(), "");
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().message,
            "the series covers 2026-01-01T00:00:00Z to 2026-01-01T05:00:00Z, "
            "not 2026-01-02T00:00:00Z");
}

TEST(Hold, PartsThatAreMissing) {
  HoldOptions options;
  EXPECT_TRUE(CheckHold(options));
  options.series = "s.csv";
  EXPECT_FALSE(CheckHold(options));
  options.asked = true;
  EXPECT_EQ(CheckHold(options).error().message,
            "--hold-until-greenest without a --deadline");
  options.deadline = "8";
  EXPECT_EQ(CheckHold(options).error().message,
            "--deadline '8' has no unit that fits: ''");
  options.deadline = "8h";
  EXPECT_TRUE(CheckHold(options));
}

}  // namespace
}  // namespace modicum
