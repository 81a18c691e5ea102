// SPDX-License-Identifier: Apache-2.0
#include "place/time_zone.h"

#include <gtest/gtest.h>

#include "place/intensity_series.h"

namespace modicum {
namespace {

LocalMinute LocalAt(const std::string& zone, std::string_view time) {
  const auto found = TimeZone::Find(zone);
  EXPECT_TRUE(found) << found.error().message;
  return found->At(ParseTime(time, true).value());
}

TEST(TimeZone, FixedOffsets) {
  const LocalMinute utc = LocalAt("UTC", "2026-11-27T23:45Z");
  EXPECT_EQ(utc.day, 27);
  EXPECT_EQ(utc.weekday, 4);  // a Friday
  EXPECT_EQ(utc.minute, 23 * 60 + 45);
  const LocalMinute east = LocalAt("+05:30", "2026-12-31T23:45Z");
  EXPECT_EQ(east.year, 2027);
  EXPECT_EQ(east.month, 1);
  EXPECT_EQ(east.day, 1);
  EXPECT_EQ(east.minute, 5 * 60 + 15);
  EXPECT_EQ(LocalAt("-08:00", "1970-01-01T00:00Z").minute, 16 * 60);
}

TEST(TimeZone, NamedZonesChangeTheirClocks) {
  EXPECT_EQ(LocalAt("Europe/Warsaw", "2026-03-29T00:59Z").minute, 119);
  EXPECT_EQ(LocalAt("Europe/Warsaw", "2026-03-29T01:00Z").minute, 180);
  EXPECT_EQ(LocalAt("Europe/Warsaw", "2026-10-25T00:59Z").minute, 179);
  EXPECT_EQ(LocalAt("Europe/Warsaw", "2026-10-25T01:00Z").minute, 120);
  // Beyond the table of the file: by its rule.
  EXPECT_EQ(LocalAt("Europe/Warsaw", "2080-07-01T00:00Z").minute, 120);
  EXPECT_EQ(LocalAt("America/St_Johns", "2026-01-01T12:00Z").minute, 510);
}

TEST(TimeZone, WhatIsNoneIsRefused) {
  for (const char* name :
       {"", "utc", "+1:00", "+15:00", "+01:60", "CEST-1 ", "Europe/Warschau",
        "../etc/localtime", "/usr/share/zoneinfo/UTC", "localtime",
        "Fixed/UTC+01:00:00", "Europe"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::kInvalidInput) << name;
    EXPECT_EQ(zone.error().message,
              "there is no time zone '" + std::string(name) + "'");
  }
}

}  // namespace
}  // namespace modicum
