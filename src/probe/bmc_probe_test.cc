// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/wait.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::HasSubstr;

constexpr Seconds kSoon(0.001);

class FakeBmc final : public BmcMeter {
 public:
  explicit FakeBmc(std::function<Result<Watts>()> read)
      : read_(std::move(read)) {}
  std::string covers() const override { return "all"; }
  std::string note() const override { return "a note"; }
  Result<Watts> Read() override { return read_(); }

 private:
  const std::function<Result<Watts>()> read_;
};

std::unique_ptr<BmcMeter> Bmc(std::function<Result<Watts>()> read) {
  return std::make_unique<FakeBmc>(std::move(read));
}

// Reads on until `done`, at most for five seconds.
void ReadUntil(
    Probe& probe,
    const std::function<bool(const Result<std::vector<DomainDelta>>&)>& done) {
  for (int i = 1; i < 5000; ++i) {
    if (done(probe.Read(At(i)))) return;
    WaitFor(kSoon, {});
  }
  FAIL() << "it never came";
}

TEST(BmcProbe, TheFirstAnswerIsWaitedForAndThenPowerIsIntegrated) {
  std::atomic<double> watts = 300;
  const auto probe =
      MakeBmcProbe("redfish", Bmc([&] { return Result<Watts>(Watts(watts)); }),
                   At(0), kSoon);
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ((*probe)->domains()[0].component, "wall");
  EXPECT_EQ((*(*probe)->Read(At(2)))[0].energy, Joules(600));
  watts = 100;
  ReadUntil(**probe, [](const auto& deltas) {
    return deltas && (*deltas)[0].energy == Joules(100);
  });
}

size_t Threads() {
  const RootFs fs;
  return fs.List("/proc/self/task")->size();
}

// A program that gives up its privileges once its sources are open must not
// have threads by then: glibc ends one whose threads disagree about that.
TEST(BmcProbe, NoThreadIsStartedBeforeItIsRead) {
  const size_t before = Threads();
  const auto probe = MakeBmcProbe(
      "ipmi", Bmc([] { return Result<Watts>(Watts(50)); }), At(0), kSoon);
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(Threads(), before);
  ASSERT_TRUE((*probe)->Read(At(1)));
  EXPECT_EQ(Threads(), before + 1);
}

TEST(BmcProbe, ABmcThatCannotBeReadIsNoSource) {
  const auto probe =
      MakeBmcProbe("ipmi", Bmc([]() -> Result<Watts> {
                     return Fail(ErrorCode::kPermission, "denied", "ask");
                   }),
                   At(0), kSoon);
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().message, "denied");
}

TEST(BmcProbe, AFailureIsAGapAndTheNextOneToo) {
  std::atomic<bool> fails = false;
  const auto probe =
      MakeBmcProbe("ipmi", Bmc([&]() -> Result<Watts> {
                     if (fails) return Fail(ErrorCode::kUnavailable, "gone");
                     return Watts(50);
                   }),
                   At(0), kSoon);
  ASSERT_TRUE(probe.has_value());
  fails = true;
  ReadUntil(**probe, [](const auto& deltas) {
    // It may come back: the sampler goes on.
    return !deltas && deltas.error().code == ErrorCode::kRetry;
  });
  fails = false;
  bool gap = false;
  ReadUntil(**probe, [&gap](const auto& deltas) {
    if (!deltas) return false;
    gap |= (*deltas)[0].gap;
    return !(*deltas)[0].gap;
  });
  EXPECT_TRUE(gap);
}

TEST(BmcProbe, WhatIsOldSaysNothing) {
  std::atomic<bool> hangs = false;
  const auto probe = MakeBmcProbe("ipmi", Bmc([&]() -> Result<Watts> {
                                    while (hangs) WaitFor(kSoon, {});
                                    return Watts(50);
                                  }),
                                  At(0), kSoon);
  ASSERT_TRUE(probe.has_value());
  ASSERT_TRUE((*probe)->Read(At(0.5)).has_value());
  hangs = true;
  ReadUntil(**probe, [](const auto& deltas) {
    if (deltas) return false;
    EXPECT_THAT(deltas.error().message, HasSubstr("has not answered for"));
    return true;
  });
  hangs = false;
}

// The sampler is not held up by it.
TEST(BmcProbe, ASlowBmcIsNotWaitedFor) {
  std::atomic<int> asked = 0;
  const auto probe = MakeBmcProbe("ipmi", Bmc([&]() -> Result<Watts> {
                                    if (++asked > 1) WaitFor(Seconds(0.3), {});
                                    return Watts(50);
                                  }),
                                  At(0), Seconds(0.05));
  ASSERT_TRUE(probe.has_value());
  ASSERT_TRUE((*probe)->Read(At(0.5)).has_value());
  while (asked < 2) std::this_thread::yield();
  const auto began = SystemClock().Now();
  for (int i = 1; i <= 20; ++i) ASSERT_TRUE((*probe)->Read(At(i)).has_value());
  EXPECT_LT(SystemClock().Now() - began, Seconds(0.2));
}

TEST(BmcProbe, AnImpossiblePowerIsAGap) {
  const auto probe = MakeBmcProbe(
      "ipmi", Bmc([] { return Result<Watts>(Watts(9e5)); }), At(0), kSoon);
  ASSERT_TRUE(probe.has_value());
  EXPECT_TRUE((*(*probe)->Read(At(1)))[0].gap);
}

}  // namespace
}  // namespace modicum
