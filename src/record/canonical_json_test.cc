// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/rng.h"
#include "record/receipt.h"

namespace modicum {
namespace {

using nlohmann::json;

std::string OfBits(uint64_t bits) {
  return CanonicalJson(json(std::bit_cast<double>(bits)));
}

// RFC 8785, appendix B.
TEST(CanonicalJson, NumbersOfTheRfc) {
  const std::pair<uint64_t, const char*> kSamples[] = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : kSamples) EXPECT_EQ(OfBits(bits), text);
}

// RFC 8785, section 3.2.3.
TEST(CanonicalJson, KeysInTheOrderOfUtf16) {
  const json value = json::parse(R"({
    "\u20ac": "Euro Sign", "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"})");
  EXPECT_EQ(CanonicalJson(value),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\","
            "\"\u0080\":\"Control\","
            "\"\u00f6\":\"Latin Small Letter O With Diaeresis\","
            "\"\u20ac\":\"Euro Sign\","
            "\"\U0001F600\":\"Emoji: Grinning Face\","
            "\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

// RFC 8785, section 3.2.2: its sample as a whole.
TEST(CanonicalJson, SampleOfTheRfc) {
  const json value = json::parse(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3,
                0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]})");
  EXPECT_EQ(CanonicalJson(value),
            "{\"literals\":[null,true,false],"
            "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(CanonicalJson, StringsAreEscapedAsLittleAsCanBe) {
  EXPECT_EQ(CanonicalJson("\b\t\n\f\r\x01\x1f\x7f/\u2028"),
            "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f/\u2028\"");
}

TEST(CanonicalJson, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
  for (const char* bad : {"\x80", "\xff", "\xc0\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x82\x82\xac"})
    EXPECT_TRUE(CanonicalJson(bad).starts_with("\"\uFFFD")) << bad;
  EXPECT_EQ(CanonicalJson("a\x80z"), "\"a\uFFFDz\"");
  EXPECT_EQ(CanonicalJson("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"),
            "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
}

TEST(CanonicalJson, WholeNumbersBeyondDoublesAreTheNearestDouble) {
  EXPECT_EQ(CanonicalJson(json(uint64_t{9007199254740993})),
            "9007199254740992");
  EXPECT_EQ(CanonicalJson(json(UINT64_MAX)), "18446744073709552000");
  EXPECT_EQ(CanonicalJson(json(INT64_MIN)), "-9223372036854776000");
  EXPECT_EQ(CanonicalJson(json(-42)), "-42");
}

TEST(CanonicalJson, RandomDoublesReadBackBitForBit) {
  Rng rng(1);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t bits = uint64_t{rng.Next()} << 32 | rng.Next();
    const auto value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) continue;
    const std::string text = CanonicalJson(json(value));
    const double back = json::parse(text).get<double>();
    EXPECT_EQ(back, value) << text;
    EXPECT_EQ(CanonicalJson(json::parse(text)), text);
  }
}

TEST(CanonicalJson, EmptyAndNested) {
  EXPECT_EQ(
      CanonicalJson(json::parse(R"( [ [ ] , { } , [ { "a" : [ 1 ] } ] ])")),
      R"([[],{},[{"a":[1]}]])");
}

}  // namespace
}  // namespace modicum
