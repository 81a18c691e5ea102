// SPDX-License-Identifier: Apache-2.0
#include "evaluate/token_cost.h"

#include <gmock/gmock.h>

#include "base/fake_clock.h"
#include "evaluate/fake_network.h"
#include "evaluate/phase_costs.h"
#include "meter/fake_meter.h"

namespace modicum {
namespace {

// Takes its time for every token.
class Timed final : public FakeNetwork {
 public:
  Timed(FakeClock& clock, double read_ms, double write_ms)
      : clock_(clock), read_(read_ms), write_(write_ms) {}
  Result<Generation> Generate(std::span<const TokenId> prompt,
                              const GenerateOptions& options,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink& sink) override {
    if (options.call.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "interrupted");
    sink.Begin(Phase::kPrefill);
    Take(prompt.size(), read_, Phase::kPrefill, sink);
    sink.Begin(Phase::kDecode);
    for (uint32_t i = 1; i < options.max_tokens; ++i)
      Take(1, write_, Phase::kDecode, sink);
    Generation generation;
    generation.end = end;
    return generation;
  }
  Generation::End end = Generation::End::kLength;

 private:
  void Take(size_t tokens, double ms, Phase phase, PhaseSink& sink) {
    clock_.Tick(Milliseconds(ms * static_cast<double>(tokens)));
    const SeqWork work{RequestId{}, static_cast<uint32_t>(tokens), 0, 0};
    sink.Step(phase, {&work, 1});
  }
  FakeClock& clock_;
  const double read_, write_;
};

class TokenCosts : public testing::Test {
 protected:
  FakeClock clock_;
  FakeMeter meter_{clock_};
  const TokenIds prompt_ = TokenIds(10, 1);
};

TEST_F(TokenCosts, AreOfReadingAndOfWriting) {
  Timed big(clock_, 2, 8);
  Timed small(clock_, 1, 9);
  const TokenCostSubject subjects[] = {{"f32", &big}, {"q8_0", &small}};
  const auto costs =
      MeasureTokenCosts(subjects, prompt_, {.generate = 5, .repeats = 3},
                        meter_, {})
          .value();
  ASSERT_THAT(costs, testing::SizeIs(2));
  // 10 W of fake power.
  EXPECT_NEAR(costs[0].prefill.joules_per_1000.mid.value(), 20, 1e-9);
  EXPECT_NEAR(costs[0].decode.joules_per_1000.mid.value(), 80, 1e-9);
  EXPECT_NEAR(costs[1].prefill.cpu_per_1000.mid.value(), 1, 1e-9);
  EXPECT_NEAR(costs[1].decode.cpu_per_1000.mid.value(), 9, 1e-9);
  EXPECT_EQ(costs[0].prefill.repeats, 3U);
  EXPECT_NEAR(costs[0].prefill.predictions_per_second, 500, 1e-9);
}

TEST_F(TokenCosts, EndWhereTheNetworkDoes) {
  Timed network(clock_, 2, 8);
  const TokenCostSubject subjects[] = {{"f32", &network}};
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(MeasureTokenCosts(subjects, prompt_, {}, meter_, source.get_token())
                .error()
                .code,
            ErrorCode::kInterrupted);
  network.end = Generation::End::kContext;
  EXPECT_EQ(
      MeasureTokenCosts(subjects, prompt_, {}, meter_, {}).error().message,
      "fake has no room to generate after the prompt");
}

TEST_F(TokenCosts, PhasesAddUp) {
  PhaseCosts costs(meter_);
  const auto spend = [&](Phase phase, double ms, uint32_t tokens) {
    costs.Begin(phase);
    clock_.Tick(Milliseconds(ms));
    const SeqWork work{RequestId{}, tokens, 0, 0};
    costs.Step(phase, {&work, 1});
  };
  spend(Phase::kLoad, 100, 0);
  spend(Phase::kPrefill, 20, 7);
  spend(Phase::kDecode, 5, 1);
  spend(Phase::kPrefill, 30, 3);
  EXPECT_EQ(costs.tokens(Phase::kPrefill), 10U);
  const auto phases = costs.Finish().value();
  ASSERT_THAT(phases, testing::SizeIs(3));
  EXPECT_EQ(phases[1].phase, Phase::kPrefill);
  EXPECT_EQ(phases[1].tokens, 10U);
  EXPECT_NEAR(phases[1].wall.value(), 0.05, 1e-9);
  EXPECT_NEAR(phases[1].energy.mid.value(), 0.5, 1e-9);
  EXPECT_EQ(phases[0].tokens, 0U);
}

}  // namespace
}  // namespace modicum
