// SPDX-License-Identifier: Apache-2.0
// The files are made here as R's serialize() lays them out.
#include "dataset/debian/r_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>

#include "dataset/debian/r_frame_sample.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

std::string Fault(std::string_view bytes) {
  const auto frame = ReadRFrame(bytes);
  if (frame) return "accepted";
  EXPECT_EQ(frame.error().code, ErrorCode::kInvalidInput);
  return frame.error().message;
}

TEST(RFrame, ReadsFactorsNumbersAndMissingOnes) {
  const auto frame = ReadRFrame(SampleFrame());
  ASSERT_TRUE(frame.has_value()) << frame.error().message;
  ASSERT_EQ(frame->size(), 3U);
  EXPECT_EQ((*frame)[0].name, "class");
  EXPECT_THAT((*frame)[0].levels, ElementsAre("A", "B,C"));
  EXPECT_THAT((*frame)[0].values, ElementsAre(2, 1, 2));
  EXPECT_EQ((*frame)[1].name, "x.box");
  EXPECT_THAT((*frame)[1].values, ElementsAre(1.5, -2, 1e6));
  EXPECT_THAT((*frame)[2].values, ElementsAre(7, IsNan(), 9));
}

TEST(RFrame, VersionThreeNamesItsEncoding) {
  std::string bytes = SampleFrame();
  bytes[3] = '3';
  bytes.insert(19, std::string("\0\0\0\5UTF-8", 9));
  const auto frame = ReadRFrame(bytes);
  ASSERT_TRUE(frame.has_value()) << frame.error().message;
  EXPECT_EQ(frame->size(), 3U);
}

TEST(RFrame, BecomesATableWithTheLabelFirst) {
  const auto frame = ReadRFrame(SampleFrame());
  EXPECT_EQ(*TableOfFrame(*frame, "class"),
            "label,x-box,y\n\"B,C\",1.5,7\nA,-2,\n\"B,C\",1000000,9\n");
  EXPECT_THAT(TableOfFrame(*frame, "y").error().message,
              HasSubstr("column 'class' is a factor, not numbers"));
  EXPECT_FALSE(TableOfFrame({(*frame)[1]}, "x.box").has_value());
}

TEST(RFrame, EveryTruncationIsRefused) {
  const std::string bytes = SampleFrame();
  // The last word ends the list of objects.
  for (size_t n = 0; n < bytes.size(); ++n)
    ASSERT_THAT(Fault(bytes.substr(0, n)),
                HasSubstr("not a readable R data file: "))
        << n;
}

TEST(RFrame, SaysWhatIsWrong) {
  EXPECT_EQ(Fault("RDA2"),
            "not a readable R data file: it does not begin as one");
  const std::string bytes = SampleFrame();
  const auto altered = [&bytes](std::string_view from, std::string_view to) {
    std::string other = bytes;
    return other.replace(other.find(from), from.size(), to);
  };
  using std::string_literals::operator""s;
  // Three integers, promised to be billions.
  EXPECT_EQ(Fault(altered("\x03\x0D\0\0\0\3"s, "\x03\x0D\x7F\xFF\xFF\xFF"s)),
            "not a readable R data file: a length is beyond its end");
  EXPECT_EQ(Fault(altered("\0\0\0\x0E\0\0\0\3"s, "\0\0\0\3\0\0\0\3"s)),
            "not a readable R data file: it holds an object of kind 3");
  EXPECT_EQ(Fault(altered("\0\0\0\3\0\0\0\2\0\0\0\1\0\0\0\2"s,
                          "\0\0\0\3\0\0\0\2\0\0\0\1\0\0\0\3"s)),
            "not a readable R data file: column 'class' has a code without a "
            "level");
}

// Lists in lists, thousands deep, as one word and a length of one each.
TEST(RFrame, NestingIsBounded) {
  std::string bytes = SampleFrame().substr(0, 19);
  for (int i = 0; i < 10000; ++i) bytes += std::string("\0\0\0\x13\0\0\0\1", 8);
  EXPECT_EQ(Fault(bytes), "not a readable R data file: nested too deeply");
}

}  // namespace
}  // namespace modicum
