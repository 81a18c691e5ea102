// SPDX-License-Identifier: Apache-2.0
#include "tune/tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "meter/fake_meter.h"
#include "model/letter_network.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

using Vectors = std::vector<std::vector<float>>;

// Costs what its settings say, by the clock.
class PricedNetwork final : public LetterNetwork {
 public:
  PricedNetwork(FakeClock& clock, Seconds request,
                std::vector<std::string> gpus, uint32_t trained)
      : clock_(clock), request_(request) {
    info_.context_trained = trained;
    info_.vocabulary = 100;
    info_.gpus = std::move(gpus);
    info_.layers = 8;
  }
  Result<Generation> Generate(std::span<const TokenId>,
                              const GenerateOptions& options,
                              const std::function<bool(std::string_view)>&,
                              PhaseSink&) override {
    if (options.call.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "interrupted");
    clock_.Tick(request_);
    return Generation{TokenIds(options.max_tokens), "",
                      Generation::End::kLength};
  }
  Result<Vectors> Embed(std::span<const TokenIds> texts, bool,
                        const CallOptions&, PhaseSink&) override {
    clock_.Tick(request_);
    return Vectors(texts.size());
  }

 private:
  FakeClock& clock_;
  Seconds request_;
};

class Tuning : public ::testing::Test {
 protected:
  // A request's seconds: `price`'s, given the settings.
  Result<TuneResult> Run(std::function<double(const NeuralSettings&)> price) {
    TuneParts parts{workload_,
                    {{0, 1}, {0, 1}},
                    meter_,
                    clock_,
                    stop_.get_token(),
                    [&](const NeuralSettings& settings)
                        -> Result<std::unique_ptr<NeuralModel>> {
                      ++opened_;
                      const double seconds = price(settings);
                      if (seconds < 0)
                        return Fail(ErrorCode::kUnavailable, "out of memory");
                      return std::make_unique<PricedNetwork>(
                          clock_, Seconds(seconds), gpus_, trained_);
                    },
                    {}};
    return Tune(parts);
  }

  FakeClock clock_;
  FakeMeter meter_{clock_};
  TuneWorkload workload_;
  std::stop_source stop_;
  std::vector<std::string> gpus_;
  uint32_t trained_ = 0;  // the network's context; 0: not said
  int opened_ = 0;
};

TEST_F(Tuning, KeepsWhatIsCheaperAndNothingElse) {
  const auto result = Run([](const NeuralSettings& s) {
    return 0.1 * (s.threads == 1 ? 0.8 : 1) * (s.poll == 0 ? 0.9 : 1) *
           (s.repack ? 1 : 1.5);
  });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->settings.at("threads"), "1");
  EXPECT_EQ(result->settings.at("poll"), "0");
  EXPECT_FALSE(result->settings.contains("repack"));
  EXPECT_NEAR(result->energy_ratio.mid.value(), 1 / (0.8 * 0.9), 0.02);
  EXPECT_NEAR(result->speed_per_cpu.mid.value(), 1 / (0.8 * 0.9), 0.02);
  EXPECT_LT(result->after.joules_per_1000_tokens.mid.value(),
            result->before.joules_per_1000_tokens.mid.value());
  for (const TuneTrial& trial : result->trials)
    EXPECT_EQ(trial.kept, trial.reason.empty()) << trial.change;
  EXPECT_GT(result->spent.mid.value(), 0);
}

TEST_F(Tuning, TextsAreEmbeddedTogetherAndByBlasWhereThatIsCheaper) {
  workload_.kind = TuneWorkload::Kind::kEmbed;
  for (const double by_blas : {0.05, 0.2}) {
    std::string first;
    const auto result = Run([&](const NeuralSettings& s) {
      if (first.empty()) first = s.blas;
      EXPECT_TRUE(s.vectors);
      EXPECT_EQ(s.sequences, workload_.batch);
      return s.blas == "on" ? by_blas : 0.1;
    });
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(first, "off");  // llama.cpp's own default
    EXPECT_EQ(result->settings.at("blas"), by_blas < 0.1 ? "on" : "off");
    EXPECT_FALSE(result->settings.contains("sequences"));
    EXPECT_NEAR(result->energy_ratio.mid.value(), by_blas < 0.1 ? 2 : 1, 0.02);
  }
}

TEST_F(Tuning, AGpuThatNobodyCountsIsNotComparedWithTheCpu) {
  gpus_ = {"NVIDIA L4 (CUDA0)"};
  const auto result = Run(
      [](const NeuralSettings& s) { return s.gpu_layers == 0 ? 0.01 : 0.1; });
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->settings.contains("gpu_layers"));
  ASSERT_FALSE(result->trials.empty());
  EXPECT_EQ(result->trials[0].change, "gpu layers 0");
  EXPECT_THAT(result->trials[0].reason, HasSubstr("joules are not counted"));
}

TEST_F(Tuning, WhereTheGpuIsCountedTheCheaperOfBothIsKept) {
  gpus_ = {"NVIDIA L4 (CUDA0)"};
  meter_.SetComponents({"cpu", "gpu"});
  for (const double by_cpu : {0.05, 0.2}) {
    const auto result = Run([&](const NeuralSettings& s) {
      return s.gpu_layers == 0 ? by_cpu : 0.1;
    });
    ASSERT_TRUE(result);
    EXPECT_EQ(result->settings.contains("gpu_layers"), by_cpu < 0.1);
  }
}

TEST_F(Tuning, WhereNothingHelpsTheDefaultsStay) {
  const auto result = Run([](const NeuralSettings&) { return 0.1; });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->settings.empty());
  EXPECT_NEAR(result->energy_ratio.mid.value(), 1, 1e-9);
  for (const TuneTrial& trial : result->trials)
    EXPECT_EQ(trial.reason, "not cheaper beyond doubt");
}

TEST_F(Tuning, ARequestMayNotTakeLongerThanAllowed) {
  workload_.p95 = Seconds(0.05);
  const auto result =
      Run([](const NeuralSettings& s) { return s.threads == 1 ? 0.08 : 0.1; });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->settings.empty());
  EXPECT_EQ(result->trials.front().reason, "a request takes too long");
}

TEST_F(Tuning, SettingsThatCannotBeOpenedAreTrialsWithACause) {
  const auto result =
      Run([](const NeuralSettings& s) { return s.threads == 1 ? -1 : 0.1; });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->trials.front().reason, "out of memory");
  EXPECT_FALSE(result->trials.front().ratio);
}

TEST_F(Tuning, DefaultsThatCannotBeOpenedAreAnError) {
  const auto result = Run([](const NeuralSettings&) { return -1.0; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "out of memory");
}

TEST_F(Tuning, ContendedPairsAreSetAsideAndCounted) {
  meter_.contended = [](uint64_t window) { return window % 7 == 0; };
  const auto result =
      Run([](const NeuralSettings& s) { return s.threads == 1 ? 0.08 : 0.1; });
  ASSERT_TRUE(result);
  EXPECT_GT(result->contended, 0U);
  EXPECT_EQ(result->settings.at("threads"), "1");
}

// Off is no finding of a network that BLAS cannot compute.
TEST_F(Tuning, BlasThatIsNotThereIsNotFoundToBeOff) {
  workload_.kind = TuneWorkload::Kind::kEmbed;
  const auto result =
      Run([](const NeuralSettings& s) { return s.blas == "on" ? -1 : 0.1; });
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->settings.contains("blas"));
}

TEST_F(Tuning, AWorkloadThatDoesNotFitIsRefused) {
  workload_.prompt = 5000;
  const auto result = Run([](const NeuralSettings&) { return 0.1; });
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message,
              HasSubstr("a request of the workload has 5064 tokens, the "
                        "context of fake.gguf holds 4096"));
}

// Its context is opened as large as a request: what it was trained with counts.
TEST_F(Tuning, AWorkloadBeyondTheTrainedContextIsRefused) {
  trained_ = 256;
  const auto both = Run([](const NeuralSettings&) { return 0.1; });
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().message,
            "a request of the workload has 320 tokens, the context of "
            "fake.gguf holds 256");
  EXPECT_EQ(both.error().hint,
            "let prompt and generate together of the workload be 256 or less");
  workload_.kind = TuneWorkload::Kind::kEmbed;
  workload_.prompt = 257;
  const auto text = Run([](const NeuralSettings&) { return 0.1; });
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().hint, "let prompt of the workload be 256 or less");
  EXPECT_EQ(opened_, 2) << "nothing was tried";
}

TEST_F(Tuning, StopsWhenAsked) {
  const auto result = Run([&](const NeuralSettings&) {
    if (opened_ == 3) stop_.request_stop();
    return 0.1;
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(result.error().message,
            "tuning interrupted after 1 trial; none was cheaper");
}

TEST_F(Tuning, StoppedItSaysWhatWasCheaperByThen) {
  const auto result = Run([&](const NeuralSettings& s) {
    if (s.poll == 100) stop_.request_stop();
    return s.threads == 1 ? 0.1 : s.poll == 0 ? 0.11 : 0.2;
  });
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("cheaper were: "));
}

}  // namespace
}  // namespace modicum
