// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc/dcmi_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "probe/bmc/dcmi_meter.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 215 W now, 180 to 260, 210 in the mean of one second, measuring.
const std::vector<uint8_t> kAnswer = {0x00, 0xDC, 0xD7, 0x00, 0xB4, 0x00, 0x04,
                                      0x01, 0xD2, 0x00, 0x10, 0x20, 0x30, 0x5F,
                                      0xE8, 0x03, 0x00, 0x00, 0x40};

TEST(DcmiMessage, TheRequestAsksForSystemPower) {
  EXPECT_THAT(DcmiPowerRequest(), ElementsAre(0xDC, 0x01, 0x00, 0x00));
}

TEST(DcmiMessage, ReadsEveryPower) {
  const auto power = ParseDcmiPower(kAnswer);
  ASSERT_TRUE(power.has_value());
  EXPECT_EQ(power->now, Watts(215));
  EXPECT_EQ(power->least, Watts(180));
  EXPECT_EQ(power->most, Watts(260));
  EXPECT_EQ(power->mean, Watts(210));
  EXPECT_DOUBLE_EQ(power->over.value(), 1);
}

TEST(DcmiMessage, ACompletionCodeSaysWhatToDo) {
  using enum ErrorCode;
  const std::map<int, ErrorCode> codes = {
      {0xC1, kUnavailable}, {0xC2, kUnavailable}, {0xCB, kUnavailable},
      {0xD5, kUnavailable}, {0xD4, kPermission},  {0xC0, kRetry},
      {0xC3, kRetry},       {0xFF, kRetry}};
  for (const auto& [code, meaning] : codes) {
    const std::vector<uint8_t> answer = {static_cast<uint8_t>(code)};
    const auto power = ParseDcmiPower(answer);
    ASSERT_FALSE(power.has_value());
    EXPECT_EQ(power.error().code, meaning) << code;
  }
  EXPECT_EQ(ParseDcmiPower(std::vector<uint8_t>{0xC1}).error().message,
            "the BMC has no DCMI");
}

TEST(DcmiMessage, WhatIsNoAnswerIsRefused) {
  for (size_t size = 0; size < kAnswer.size(); ++size)
    EXPECT_FALSE(ParseDcmiPower(std::span(kAnswer).first(size)).has_value());
  auto other = kAnswer;
  other[1] = 0x00;  // of another group
  EXPECT_EQ(ParseDcmiPower(other).error().code, ErrorCode::kInvalidInput);
}

TEST(DcmiMessage, AMeasurementThatIsOffOrReadsZeroIsNone) {
  auto off = kAnswer;
  off.back() = 0;
  EXPECT_THAT(ParseDcmiPower(off).error().message, HasSubstr("is off"));
  auto zero = kAnswer;
  zero[2] = 0;
  EXPECT_EQ(ParseDcmiPower(zero).error().message, "the BMC reads 0 W");
}

// What comes over the wire, as a test wants it.
class FakeTransport final : public IpmiTransport {
 public:
  explicit FakeTransport(const Result<std::vector<uint8_t>>& answer)
      : answer_(answer) {}
  Result<std::vector<uint8_t>> Send(uint8_t net_function, uint8_t command,
                                    std::span<const uint8_t> data) override {
    EXPECT_EQ(net_function, 0x2C);
    EXPECT_EQ(command, 0x02);
    EXPECT_EQ(data.size(), 4U);
    return answer_;
  }

 private:
  const Result<std::vector<uint8_t>>& answer_;
};

TEST(DcmiMeter, AsksEachTimeAnew) {
  Result<std::vector<uint8_t>> answer = kAnswer;
  const auto meter =
      MakeDcmiMeter(std::make_unique<FakeTransport>(answer), "/dev/ipmi0");
  EXPECT_EQ(meter->covers(), "the whole machine, by DCMI at /dev/ipmi0");
  EXPECT_EQ(*meter->Read(), Watts(215));
  (*answer)[2] = 0x20;
  EXPECT_EQ(*meter->Read(), Watts(32));
  answer = Fail(ErrorCode::kRetry, "/dev/ipmi0 does not answer");
  EXPECT_EQ(meter->Read().error().message, "/dev/ipmi0 does not answer");
}

}  // namespace
}  // namespace modicum
