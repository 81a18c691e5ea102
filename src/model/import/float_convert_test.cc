// SPDX-License-Identifier: Apache-2.0
#include "model/import/float_convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"

namespace modicum {
namespace {

TEST(FloatConvertTest, EveryHalfIsItself) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = OfHalf(half);
    if (std::isnan(value)) {
      EXPECT_EQ(bits & 0x7C00U, 0x7C00U);
      EXPECT_TRUE(std::isnan(OfHalf(HalfOf(value))));
      continue;
    }
    EXPECT_EQ(HalfOf(value), half);
    const int exponent = static_cast<int>((bits >> 10U) & 31U);
    const double fraction = bits & 0x3FFU;
    if (exponent == 31) continue;
    const double expected = exponent == 0
                                ? std::ldexp(fraction, -24)
                                : std::ldexp(1024 + fraction, exponent - 25);
    EXPECT_EQ(std::abs(static_cast<double>(value)), expected);
    EXPECT_EQ(std::signbit(value), bits >= 0x8000U);
  }
}

// Between two neighbours the nearer one, half way the even one.
TEST(FloatConvertTest, RoundsToTheNearestHalfAndTheEvenOne) {
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const double low = OfHalf(half);
    const double high = OfHalf(static_cast<uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const auto even = static_cast<uint16_t>(half + (half & 1U));
    EXPECT_EQ(HalfOf(middle), even);
    EXPECT_EQ(HalfOf(std::nextafter(middle, 0.0F)), half);
    EXPECT_EQ(HalfOf(std::nextafter(middle, 1e9F)), half + 1);
    EXPECT_EQ(HalfOf(-middle), even | 0x8000U);
  }
  EXPECT_EQ(HalfOf(65519.996F), 0x7BFF);
  EXPECT_EQ(HalfOf(65520.0F), 0x7C00);
  EXPECT_EQ(HalfOf(1e-30F), 0);
}

TEST(FloatConvertTest, RoundsToTheNearestBrainFloat) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<float>(rng.Next());
    if (!std::isfinite(value) || std::abs(value) > 3e38F) continue;
    const uint16_t brain = BrainOf(value);
    const double error = std::abs(static_cast<double>(OfBrain(brain)) - value);
    for (const int step : {-1, 1}) {
      const auto other = static_cast<uint16_t>(brain + step);
      const double theirs =
          std::abs(static_cast<double>(OfBrain(other)) - value);
      if (std::isnan(theirs)) continue;  // the other side of zero
      ASSERT_LE(error, theirs);
      ASSERT_TRUE(error < theirs || brain % 2 == 0);
    }
  }
  EXPECT_TRUE(std::isnan(OfBrain(BrainOf(std::bit_cast<float>(0x7F800001U)))));
}

TEST(FloatConvertTest, FindsTheFirstThatIsNotFinite) {
  std::vector<float> in(10, 1.0F);
  std::vector<char> out(40);
  const auto convert = [&](GgmlType to) {
    return ConvertFloats(SafeType::kF32, reinterpret_cast<char*>(in.data()),
                         in.size(), to, out.data());
  };
  for (const GgmlType to : {GgmlType::kF32, GgmlType::kF16, GgmlType::kBf16}) {
    in[6] = 1;
    EXPECT_EQ(convert(to), std::nullopt);
    in[6] = INFINITY;
    EXPECT_EQ(convert(to), 6U);
  }
  in[6] = 1;
  in[3] = 1e6F;
  EXPECT_EQ(convert(GgmlType::kF16), 3U);
  EXPECT_EQ(convert(GgmlType::kBf16), std::nullopt);
}

}  // namespace
}  // namespace modicum
