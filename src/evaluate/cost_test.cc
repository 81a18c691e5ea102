// SPDX-License-Identifier: Apache-2.0
#include "evaluate/cost.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "meter/fake_meter.h"

namespace modicum {
namespace {

class FakeModel final : public Model {
 public:
  FakeModel(FakeClock& clock, Seconds per_item)
      : clock_(clock), per_item_(per_item) {}
  const ModelInfo& info() const override { return info_; }
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions&,
                                      PhaseSink& sink) override {
    if (calls_left-- == 0) return Fail(ErrorCode::kInternal, "the model broke");
    sink.Begin(Phase::kPrefill);
    clock_.Tick(per_item_ * static_cast<double>(items.size()));
    return std::vector<Output>(items.size(), Label{});
  }
  int calls_left = 1 << 30;

 private:
  FakeClock& clock_;
  Seconds per_item_;
  ModelInfo info_;
};

class CostTest : public ::testing::Test {
 protected:
  Result<std::vector<CostFigure>> Measure(std::vector<Model*> models,
                                          CostOptions options = {}) {
    std::vector<CostSubject> subjects;
    for (Model* model : models) {
      const std::string name = "model " + std::to_string(subjects.size());
      subjects.push_back({name, name, model});
    }
    MODICUM_TRY(const auto samples,
                MeasureCosts(subjects, items_, options, meter_, RootFs(),
                             clock_, stop_.get_token()));
    std::vector<CostFigure> figures;
    for (const CostSamples& sample : samples) {
      EXPECT_GE(sample.repeats.front().wall, options.repeat_wall);
      figures.push_back(Summarize(sample));
    }
    return figures;
  }
  FakeClock clock_;
  FakeMeter meter_{clock_};
  std::stop_source stop_;
  std::vector<Item> items_{10};
};

TEST_F(CostTest, FiguresArePerThousandPredictions) {
  FakeModel model(clock_, Seconds(0.002));
  const auto costs = Measure({&model});
  ASSERT_TRUE(costs.has_value());
  const CostFigure& cost = costs->front();
  EXPECT_NEAR(cost.cpu_per_1000.mid.value(), 2, 1e-6);
  EXPECT_NEAR(cost.joules_per_1000.mid.value(), 20, 1e-5);
  EXPECT_NEAR(cost.predictions_per_second, 500, 1e-3);
  EXPECT_NEAR(cost.latency_p50.value(), 0.002, 1e-9);
  EXPECT_EQ(cost.joules_per_1000.origin, Origin::kModelled);
}

TEST_F(CostTest, TheModelsErrorCancelsInARatioTheWorkloadsDoesNot) {
  FakeModel slow(clock_, Seconds(0.004));
  FakeModel fast(clock_, Seconds(0.001));
  const auto costs = Measure({&slow, &fast});
  ASSERT_TRUE(costs.has_value());
  const auto cpu = Ratio((*costs)[0].cpu_per_1000, (*costs)[1].cpu_per_1000);
  EXPECT_NEAR(cpu.mid.value(), 4, 1e-6);
  EXPECT_NEAR(cpu.sd(), 0, 1e-6);
  const auto energy =
      Ratio((*costs)[0].joules_per_1000, (*costs)[1].joules_per_1000);
  EXPECT_NEAR(energy.mid.value(), 4, 1e-5);
  EXPECT_NEAR(energy.sd() / 4, FakeMeter::kWorkloadError * std::sqrt(2.0),
              1e-6);
}

TEST_F(CostTest, ContendedRepeatsAreSetAsideCountedAndKept) {
  FakeModel model(clock_, Seconds(0.002));
  meter_.contended = [](uint64_t window) { return window % 3 == 0; };
  const auto costs = Measure({&model});
  ASSERT_TRUE(costs.has_value());
  const CostFigure& cost = costs->front();
  EXPECT_EQ(cost.contended, cost.repeats / 3);
  EXPECT_GE(cost.repeats - cost.contended, 5U);
}

TEST_F(CostTest, AMachineThatIsNeverQuietEndsAtTheLimitAndSaysSo) {
  FakeModel model(clock_, Seconds(0.002));
  meter_.contended = [](uint64_t) { return true; };
  CostOptions options;
  options.max_repeats = 7;
  const auto costs = Measure({&model}, options);
  ASSERT_TRUE(costs.has_value());
  EXPECT_EQ(costs->front().repeats, 7U);
  EXPECT_EQ(costs->front().contended, 7U);
  EXPECT_NEAR(costs->front().joules_per_1000.mid.value(), 20, 1e-5);
}

TEST_F(CostTest, AFailingModelAndAStopAreErrors) {
  FakeModel model(clock_, Seconds(0.002));
  model.calls_left = 3;
  const auto broken = Measure({&model});
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().message, "the model broke");
  FakeModel fine(clock_, Seconds(0.002));
  stop_.request_stop();
  const auto stopped = Measure({&fine});
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
}

TEST(OfWorkload, RenamesOnlyTheWorkloadsShare) {
  Estimate<Joules> energy =
      Exactly(Joules(10), Origin::kModelled, Scope::kPackage);
  energy.WithShared(InternSource("cpu-load model"), 0.3);
  energy.WithShared(InternSource(kWorkloadSource), 0.2);
  const auto renamed = OfWorkload(energy, "x");
  EXPECT_NEAR(renamed.sd(), energy.sd(), 1e-12);
  const auto other = OfWorkload(energy, "y");
  EXPECT_NEAR((renamed - other).sd(), 10 * 0.2 * std::sqrt(2.0), 1e-12);
}

}  // namespace
}  // namespace modicum
