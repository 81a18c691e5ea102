// SPDX-License-Identifier: Apache-2.0
#include "base/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"

namespace modicum {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(FormatNumber, SignificantDigits) {
  EXPECT_EQ(FormatNumber(0.42), "0.42");
  EXPECT_EQ(FormatNumber(1.02), "1.0");
  EXPECT_EQ(FormatNumber(7.25, 1), "7");
  EXPECT_EQ(FormatNumber(98.6123, 4), "98.61");
  EXPECT_EQ(FormatNumber(99.96, 3), "100");
  EXPECT_EQ(FormatNumber(-0.0305), "-0.030");
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(-0.0), "0");
}

TEST(FormatNumber, CommasAndInsignificantZeros) {
  EXPECT_EQ(FormatNumber(999, 3), "999");
  EXPECT_EQ(FormatNumber(1000), "1,000");
  EXPECT_EQ(FormatNumber(1814, 4), "1,814");
  EXPECT_EQ(FormatNumber(12345), "12,000");
  EXPECT_EQ(FormatNumber(-12345), "-12,000");
  EXPECT_EQ(FormatNumber(-123456, 3), "-123,000");
  EXPECT_EQ(FormatNumber(12345.678, 7), "12,345.68");
  EXPECT_EQ(FormatNumber(1234567, 7), "1,234,567");
}

TEST(FormatNumber, WholeNumbersHaveNoFraction) {
  EXPECT_EQ(FormatNumber(1), "1");
  EXPECT_EQ(FormatNumber(-7, 9), "-7");
  EXPECT_EQ(FormatNumber(1814, 9), "1,814");
  EXPECT_EQ(FormatNumber(1814.5, 6), "1,814.50");
  EXPECT_EQ(FormatNumber(100, 2), "100");
  EXPECT_EQ(FormatNumber(1e9, 12), "1.00000000000e+09");
}

TEST(FormatCount, KeepsEveryDigit) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
  EXPECT_EQ(FormatCount(std::numeric_limits<uint64_t>::max()),
            "18,446,744,073,709,551,615");
}

TEST(FormatNumber, ExponentOnlyOutside1e4To1e9) {
  EXPECT_EQ(FormatNumber(1e-4), "0.00010");
  EXPECT_EQ(FormatNumber(9.999e-5), "0.00010");  // rounds up into the range
  EXPECT_EQ(FormatNumber(9.94e-5), "9.9e-05");
  EXPECT_EQ(FormatNumber(3.1e-6), "3.1e-06");
  EXPECT_EQ(FormatNumber(9.94e8), "990,000,000");
  EXPECT_EQ(FormatNumber(9.96e8), "1.0e+09");  // rounds up out of it
  EXPECT_EQ(FormatNumber(-2.5e12), "-2.5e+12");
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::max()), "1.8e+308");
  EXPECT_EQ(FormatNumber(5e-324, 1), "5e-324");
}

TEST(FormatNumber, NotFinite) {
  EXPECT_EQ(FormatNumber(kNaN), "nan");
  EXPECT_EQ(FormatNumber(-kNaN), "nan");
  EXPECT_EQ(FormatNumber(kInf), "inf");
  EXPECT_EQ(FormatNumber(-kInf), "-inf");
}

TEST(FormatNumber, ReadsBackWithinHalfAStep) {
  Rng rng(11);
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        std::pow(10.0, rng.Unit() * 24 - 12) * (rng.Below(2) == 0 ? 1 : -1);
    const int digits = 1 + static_cast<int>(rng.Below(6));
    std::string text = FormatNumber(value, digits);
    std::erase(text, ',');
    EXPECT_NEAR(std::stod(text) / value, 1,
                0.5000001 * std::pow(10.0, 1 - digits))
        << value << " as " << text;
  }
}

TEST(FormatWithUnit, ChoosesThePrefix) {
  EXPECT_EQ(FormatWithUnit(0.012, "J"), "12 mJ");
  EXPECT_EQ(FormatWithUnit(3400, "J"), "3.4 kJ");
  EXPECT_EQ(FormatWithUnit(1.2e6, "B"), "1.2 MB");
  EXPECT_EQ(FormatWithUnit(0, "J"), "0 J");
  EXPECT_EQ(FormatWithUnit(-0.0042, "W"), "-4.2 mW");
  EXPECT_EQ(FormatWithUnit(3.1e-6, "s"), "3.1 µs");
  EXPECT_EQ(FormatWithUnit(0.0021, "L"), "2.1 mL");
  EXPECT_EQ(FormatWithUnit(1.6e12, "FLOP"), "1.6 TFLOP");
  EXPECT_EQ(FormatWithUnit(0.5, "J"), "500 mJ");
  EXPECT_EQ(FormatWithUnit(1e-14, "J"), "0.010 pJ");
  EXPECT_EQ(FormatWithUnit(2.5e22, "J"), "25,000 EJ");
  EXPECT_EQ(FormatWithUnit(kNaN, "J"), "nan J");
  EXPECT_EQ(FormatWithUnit(kInf, "J"), "inf J");
}

TEST(FormatWithUnit, RoundsUpIntoTheNextPrefix) {
  EXPECT_EQ(FormatWithUnit(999.5, "J"), "1.0 kJ");
  EXPECT_EQ(FormatWithUnit(999.4, "J", 3), "999 J");
  EXPECT_EQ(FormatWithUnit(999.6, "J", 3), "1.00 kJ");
  EXPECT_EQ(FormatWithUnit(0.9996, "J", 3), "1.00 J");
  EXPECT_EQ(FormatWithUnit(-999.6e-6, "J", 3), "-1.00 mJ");
}

TEST(FormatWithUnit, CarbonGoesToTonnes) {
  EXPECT_EQ(FormatWithUnit(0.012, "gCO2e"), "12 mgCO2e");
  EXPECT_EQ(FormatWithUnit(3400, "gCO2e"), "3.4 kgCO2e");
  EXPECT_EQ(FormatWithUnit(2.5e6, "gCO2e"), "2.5 tCO2e");
  EXPECT_EQ(FormatWithUnit(2.5e9, "gCO2e"), "2.5 ktCO2e");
}

TEST(FormatWithUnit, SomeUnitsTakeNoPrefix) {
  EXPECT_EQ(FormatWithUnit(442, "gCO2e/kWh", 3), "442 gCO2e/kWh");
  EXPECT_EQ(FormatWithUnit(1800, "L/kWh"), "1,800 L/kWh");
  EXPECT_EQ(FormatWithUnit(0.31, "/kWh"), "0.31/kWh");
  EXPECT_EQ(FormatWithUnit(0.00012, ""), "0.00012");
  EXPECT_EQ(FormatWithUnit(0.25, "B"), "0.25 B");
  EXPECT_EQ(FormatWithUnit(12'000, "s"), "12,000 s");
}

TEST(FormatDuration, PicksTheUnitsPeopleUse) {
  EXPECT_EQ(FormatDuration(Seconds(0)), "0 s");
  EXPECT_EQ(FormatDuration(Milliseconds(12)), "12 ms");
  EXPECT_EQ(FormatDuration(Seconds(4.2)), "4.2 s");
  EXPECT_EQ(FormatDuration(Seconds(9.96)), "10 s");
  EXPECT_EQ(FormatDuration(Seconds(90)), "90 s");
  EXPECT_EQ(FormatDuration(Seconds(119.6)), "2 min");
  EXPECT_EQ(FormatDuration(Seconds(200)), "3 min 20 s");
  EXPECT_EQ(FormatDuration(Seconds(599.6)), "10 min");
  EXPECT_EQ(FormatDuration(Seconds(720)), "12 min");
  EXPECT_EQ(FormatDuration(Seconds(3599)), "1 h");
  EXPECT_EQ(FormatDuration(Hours(3) + Seconds(1200)), "3 h 20 min");
  EXPECT_EQ(FormatDuration(Hours(52)), "2 d 4 h");
  EXPECT_EQ(FormatDuration(Hours(24 * 40)), "40 d");
  EXPECT_EQ(FormatDuration(Hours(24 * 12'345)), "12,345 d");
  EXPECT_EQ(FormatDuration(Seconds(-90)), "-90 s");
  EXPECT_EQ(FormatDuration(Seconds(kNaN)), "nan");
  EXPECT_EQ(FormatDuration(Seconds(kInf)), "inf");
}

TEST(FormatBytes, WholeBytesThenPowersOf1000) {
  EXPECT_EQ(FormatBytes(Bytes(0)), "0 B");
  EXPECT_EQ(FormatBytes(Bytes(512)), "512 B");
  EXPECT_EQ(FormatBytes(Bytes(999)), "999 B");
  EXPECT_EQ(FormatBytes(Bytes(1000)), "1.0 kB");
  EXPECT_EQ(FormatBytes(Bytes(1'234'567)), "1.2 MB");
  EXPECT_EQ(FormatBytes(Bytes(80e9)), "80 GB");
}

TEST(FormatInterval, SameDigitsAtBothEnds) {
  EXPECT_EQ(FormatInterval({0.18, 1}), "[0.18, 1.0]");
  EXPECT_EQ(FormatInterval({-0.5, 12'345}), "[-0.50, 12,000]");
  EXPECT_EQ(FormatInterval({-3, -1}), "[-3.0, -1.0]");
  EXPECT_EQ(FormatInterval({0, 0.1234}, 3), "[0, 0.123]");
  EXPECT_EQ(FormatInterval({38, kInf}), "[38, inf]");
}

// An estimate whose 90 % interval is mid times and divided by `factor`.
Estimate<Joules> Times(double mid, double factor, Origin origin) {
  return {Joules(mid), mid * std::log(factor) / kZ90, {}, origin, Scope::kHost};
}

TEST(FormatEstimate, OnePrefixForTheThreeNumbers) {
  EXPECT_EQ(FormatEstimate(Times(0.42, 2.4, Origin::kModelled)),
            "420 mJ [180, 1,000] modelled");
  EXPECT_EQ(FormatEstimate(Times(12'000, 2.4, Origin::kCounter), 3),
            "12.0 kJ [5.00, 28.8] counter");
}

TEST(FormatEstimate, NegativeAndAcrossZero) {
  auto difference = [](double mid, double sd) {
    return Estimate<Joules>{Joules(mid),     sd,           {},
                            Origin::kSensor, Scope::kHost, true};
  };
  EXPECT_EQ(FormatEstimate(difference(-0.5, 0.1)),
            "-500 mJ [-690, -360] sensor");
  EXPECT_EQ(FormatEstimate(difference(0.001, 2 / kZ90)),
            "0.0010 J [-2.0, 2.0] sensor");
  EXPECT_EQ(FormatEstimate(difference(0, 2 / kZ90)), "0 J [-2.0, 2.0] sensor");
}

TEST(FormatEstimate, ConstantsHaveNoInterval) {
  EXPECT_EQ(FormatEstimate(Exactly(Scalar(1.2), Origin::kAssumed,  //
                                   Scope::kHost)),
            "1.2 assumed");
}

TEST(FormatMoney, NamesTheCurrencyWithoutPrefix) {
  MoneyEstimate money;
  money.amount = {Amount(0.0012), 0.0001, {}, Origin::kAssumed, Scope::kHost};
  EXPECT_EQ(FormatMoney(money), "0.0012 EUR [0.0010, 0.0014] assumed");
  money.amount.mid = Amount(4.5e-9);
  money.amount.own_sd = 1e-9;
  EXPECT_EQ(FormatMoney(money), "under 0.0001 EUR assumed");
  money.amount.mid = Amount(12'345);
  money.currency = Currency{"USD"};
  money.amount.own_sd = 0;
  EXPECT_EQ(FormatMoney(money, 5), "12,345 USD assumed");
}

TEST(FormatFactor, OnlyOfALogScaleInterval) {
  const auto modelled = Times(0.42, 2.4, Origin::kModelled);
  EXPECT_EQ(FormatFactor(modelled.interval(), 0.42), "x/÷ 2.4");
  EXPECT_EQ(FormatFactor(Times(5, 1.02, Origin::kCounter).interval(), 5),
            "x/÷ 1.02");
  EXPECT_EQ(FormatFactor(Times(5, 1.004, Origin::kCounter).interval(), 5),
            "x/÷ 1.004");
  EXPECT_EQ(FormatFactor({-1.2, -0.3}, -0.6), "x/÷ 2.0");
  EXPECT_EQ(FormatFactor({-1, 3}, 1), "");  // linear
  EXPECT_EQ(FormatFactor({1, 3}, 2), "");   // symmetric about 2
  EXPECT_EQ(FormatFactor({2, 2}, 2), "");   // exact
  EXPECT_EQ(FormatFactor({0, 0}, 0), "");
  EXPECT_EQ(FormatFactor({kNaN, kNaN}, kNaN), "");
}

TEST(FormatUtc, CivilTime) {
  EXPECT_EQ(FormatUtc({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtc({1'767'225'600'000'000}), "2026-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtc({1'709'251'199'999'999}), "2024-02-29T23:59:59Z");
  EXPECT_EQ(FormatUtc({-1}), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace modicum
