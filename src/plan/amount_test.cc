// SPDX-License-Identifier: Apache-2.0
#include "plan/amount.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

TEST(Amount, CountsWithTheirLetters) {
  EXPECT_EQ(*ParseAmount("7B", "--params"), 7e9);
  EXPECT_EQ(*ParseAmount("2T", "--tokens"), 2e12);
  EXPECT_EQ(*ParseAmount("350M", "--params"), 350e6);
  EXPECT_EQ(*ParseAmount("7e9", "--params"), 7e9);
  EXPECT_EQ(*ParseAmount("1.5 K", "--params"), 1500);
}

std::string ErrorOf(const Result<double>& result) {
  return result ? "" : result.error().message;
}

TEST(Amount, WhatIsAmbiguousOrAbsurdIsNamed) {
  EXPECT_EQ(ErrorOf(ParseAmount("7b", "--params")),
            "--params '7b': bits, bytes or billions?");
  EXPECT_EQ(ErrorOf(ParseAmount("7GB", "--params")),
            "--params '7GB' has no unit that fits: 'GB'");
  EXPECT_EQ(ErrorOf(ParseAmount("0", "--tokens")),
            "--tokens 0 is not above zero");
  EXPECT_EQ(ErrorOf(ParseAmount("-2T", "--tokens")),
            "--tokens -2T is not above zero");
  EXPECT_EQ(ErrorOf(ParseAmount("1e999", "--tokens")),
            "--tokens 1e999 overflows");
  EXPECT_EQ(ErrorOf(ParseAmount("nan", "--tokens")),
            "--tokens 'nan' is not a number");
  EXPECT_EQ(ErrorOf(ParseAmount("", "--tokens")),
            "--tokens '' is not a number");
}

TEST(Amount, WattsAndSeconds) {
  EXPECT_EQ(*ParseWatts("400W", "--power"), 400);
  EXPECT_EQ(*ParseWatts("0.7kW", "--power"), 700);
  EXPECT_EQ(*ParseSeconds("200ms", "--p95"), 0.2);
  EXPECT_EQ(*ParseSeconds("8h", "--p95"), 28800);
  EXPECT_FALSE(ParseSeconds("2", "--p95"));
}

}  // namespace
}  // namespace modicum
