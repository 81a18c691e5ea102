// SPDX-License-Identifier: Apache-2.0
// The optimizer against its formulas, and whole trainings: against the
// reference in double precision, stopped, resumed, short of time and memory.
#include "model/ggml/encoder_training.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/fake_clock.h"
#include "base/file.h"
#include "model/ggml/encoder_sample.h"
#include "model/ggml/reference_encoder.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::HasSubstr;

TEST(LearningRate, WarmsUpThenFallsAsACosine) {
  EXPECT_DOUBLE_EQ(LearningRate(0, 100, 0.1, 2), 0.2);
  EXPECT_DOUBLE_EQ(LearningRate(4, 100, 0.1, 2), 1);
  EXPECT_DOUBLE_EQ(LearningRate(10, 100, 0.1, 2), 2);
  EXPECT_DOUBLE_EQ(LearningRate(55, 100, 0.1, 2), 1);
  EXPECT_NEAR(LearningRate(99, 100, 0.1, 2), 0, 1e-3);
  EXPECT_DOUBLE_EQ(LearningRate(0, 100, 0, 2), 2);
  for (uint64_t step = 10; step < 99; ++step)
    EXPECT_GT(LearningRate(step, 100, 0.1, 2),
              LearningRate(step + 1, 100, 0.1, 2));
}

TEST(ClipGradients, KeepsTheDirection) {
  EncoderWeights weights(kTwoLayers);
  for (const Parameter& parameter : weights.parameters())
    std::ranges::fill(parameter.gradients(), 0.5F);
  const double norm =
      0.5 * std::sqrt(static_cast<double>(ParametersOf(kTwoLayers)));
  EXPECT_NEAR(ClipGradients(weights.parameters(), 1000), norm, 1e-9);
  EXPECT_EQ(weights.parameters()[0].gradients()[0], 0.5F);
  EXPECT_NEAR(ClipGradients(weights.parameters(), 2), norm, 1e-9);
  EXPECT_NEAR(weights.parameters()[0].gradients()[0], 0.5 * 2 / norm, 1e-6);
}

// Of weights that grow by one a step: about half the window behind.
TEST(WeightMean, IsOverTheLastSteps) {
  EncoderWeights weights(kTwoLayers, Learns::kNothing);
  const auto parameters = weights.parameters();
  WeightMean mean(20);
  const auto step = [&](float value) {
    for (const Parameter& parameter : parameters)
      std::ranges::fill(parameter.values(), value);
    mean.Add(parameters);
  };
  step(1);
  EXPECT_EQ(mean.values().front(), 1);
  EXPECT_EQ(mean.values().size(), ParametersOf(kTwoLayers));
  for (int i = 2; i <= 1000; ++i) step(static_cast<float>(i));
  // 1/20 of every step's weight goes on: the lag of an exponential mean.
  EXPECT_NEAR(mean.values().back(), 1000 - 19, 0.1);
  mean.Swap(parameters);
  EXPECT_NEAR(parameters.back().values()[0], 1000 - 19, 0.1);
  EXPECT_EQ(mean.values().back(), 1000);
}

// AdamW as its paper has it (algorithm 2), in double precision.
struct ReferenceAdamW {
  explicit ReferenceAdamW(size_t numbers) : first(numbers), second(numbers) {}

  void Step(std::vector<double*> values, const std::vector<bool>& decays,
            const std::vector<double>& gradients, double rate, double decay) {
    ++steps;
    for (size_t i = 0; i < values.size(); ++i) {
      first[i] = 0.9 * first[i] + 0.1 * gradients[i];
      second[i] = 0.999 * second[i] + 0.001 * gradients[i] * gradients[i];
      const double m = first[i] / (1 - std::pow(0.9, steps));
      const double v = second[i] / (1 - std::pow(0.999, steps));
      *values[i] -= rate * (m / (std::sqrt(v) + 1e-8) +
                            (decays[i] ? decay * *values[i] : 0));
    }
  }
  std::vector<double> first, second;
  int steps = 0;
};

// One batch, gradients clipped and weights decayed, for ten steps.
TEST(Training, LossesAreThoseOfTheReference) {
  EncoderShape shape = kTwoLayers;
  shape.layers = 1;
  shape.width = 4;
  shape.feed_forward = 6;
  const auto weights = SomeWeights(shape);
  ReferenceEncoder reference(*weights);
  std::vector<double*> values;
  std::vector<bool> decays;
  for (const Parameter& parameter : weights->parameters())
    for (double& value : reference.values(parameter.value->name)) {
      values.push_back(&value);
      decays.push_back(parameter.decays);
    }
  const EncoderBatch batch = SomeBatch(shape, 5);
  EncoderGraph graph(*weights, 1, {});
  AdamW adamw(values.size(), {.decay = 0.1});
  ReferenceAdamW reference_adamw(values.size());
  Rng rng(1);
  double last = 0;
  for (int step = 0; step < 10; ++step) {
    weights->ClearGradients();
    const auto loss = graph.Gradients(batch, {}, 1, rng);
    ASSERT_TRUE(loss);
    EXPECT_NEAR(*loss, reference.Loss(batch), 2e-4) << step;
    ClipGradients(weights->parameters(), 0.5);
    adamw.Step(weights->parameters(), 0.02);
    std::vector<double> gradients;
    double squares = 0;
    for (double* value : values) {
      const double kept = *value;
      *value = kept + 1e-5;
      const double above = reference.Loss(batch);
      *value = kept - 1e-5;
      gradients.push_back((above - reference.Loss(batch)) / 2e-5);
      *value = kept;
      squares += gradients.back() * gradients.back();
    }
    const double clip = std::min(1.0, 0.5 / std::sqrt(squares));
    for (double& gradient : gradients) gradient *= clip;
    reference_adamw.Step(values, decays, gradients, 0.02, 0.1);
    last = *loss;
  }
  EXPECT_LT(last, 0.9);
}

// Texts of a few tokens; the label says whether token 6 is among them.
EncoderExamples FindTheSix(size_t count, uint64_t seed) {
  Rng rng(seed);
  EncoderExamples examples;
  for (size_t i = 0; i < count; ++i) {
    TokenIds text(3 + rng.Below(4));
    for (TokenId& token : text) token = static_cast<TokenId>(7 + rng.Below(4));
    const uint32_t label = rng.Below(2);
    if (label == 1) text[1 + rng.Below(2)] = 6;
    examples.texts.push_back(text);
    examples.labels.push_back(label);
  }
  return examples;
}

class TrainEncoderTest : public testing::Test {
 protected:
  TrainEncoderTest() {
    settings_.shape = kTwoLayers;
    settings_.shape.labels = 2;
    settings_.epochs = 6;
    settings_.batch = 8;
    settings_.rate = 1e-2;
    settings_.dropout = {0.1F, 0.1F, 0.1F};
    settings_.word_dropout = 0.05;
  }

  // The weights it ends with.
  Result<std::vector<float>> Train(Checkpoint* checkpoint = nullptr) {
    EncoderWeights weights(settings_.shape);
    weights.Draw(1);
    EncoderParts parts{settings_, examples_, held_out_, budget_, checkpoint};
    parts.key = Sha256Of("this training");
    parts.clock = &clock_;
    parts.on_epoch = [this](const EncoderEpoch& epoch) {
      epochs_.push_back(epoch);
      if (on_epoch_) on_epoch_();
    };
    MODICUM_RETURN_IF_ERROR(TrainEncoder(weights, parts));
    return weights.Copy();
  }

  EncoderSettings settings_;
  EncoderExamples examples_ = FindTheSix(80, 1);
  EncoderExamples held_out_ = FindTheSix(30, 2);
  Budget budget_;
  FakeClock clock_;
  std::vector<EncoderEpoch> epochs_;
  std::function<void()> on_epoch_;
};

TEST_F(TrainEncoderTest, Learns) {
  ASSERT_TRUE(Train());
  ASSERT_EQ(epochs_.size(), 6U);
  EXPECT_LT(epochs_.back().loss, epochs_.front().loss / 2);
  EXPECT_GE(*epochs_.back().held_out_accuracy, 0.9);
  EXPECT_LT(*epochs_.back().held_out_loss, 0.5);
}

TEST_F(TrainEncoderTest, IsTheSameForTheSameSeed) {
  const auto once = Train();
  EXPECT_EQ(*Train(), *once);
  budget_.seed = 2;
  EXPECT_NE(*Train(), *once);
}

TEST_F(TrainEncoderTest, EndsWithTheBestHeldOutWeights) {
  settings_.epochs = 4;
  const auto best = Train();
  size_t wanted = 0;
  for (size_t i = 1; i < epochs_.size(); ++i) {
    const EncoderEpoch &now = epochs_[i], &then = epochs_[wanted];
    if (*now.held_out_accuracy > *then.held_out_accuracy ||
        (*now.held_out_accuracy == *then.held_out_accuracy &&
         *now.held_out_loss < *then.held_out_loss))
      wanted = i;
  }
  EncoderWeights weights(settings_.shape);
  weights.Set(*best);
  EncoderGraph graph(weights, 1, {});
  size_t right = 0;
  for (uint32_t i = 0; i < held_out_.size(); ++i) {
    const auto logits =
        *graph.Logits(MakeBatch(held_out_.texts, std::vector<uint32_t>{i}, 7));
    right += (logits[1] > logits[0]) == (held_out_.labels[i] == 1) ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / 30,
                   *epochs_[wanted].held_out_accuracy);
}

TEST_F(TrainEncoderTest, StopsEarlyWhenNothingGetsBetter) {
  settings_.epochs = 200;
  settings_.patience = 2;
  ASSERT_TRUE(Train());
  EXPECT_LT(epochs_.size(), 100U);
}

TEST_F(TrainEncoderTest, WithoutHeldOutTextsTheLastWeights) {
  held_out_ = {};
  ASSERT_TRUE(Train());
  EXPECT_EQ(epochs_.size(), 6U);
  EXPECT_FALSE(epochs_.back().held_out_loss.has_value());
}

TEST_F(TrainEncoderTest, OutOfTimeItGivesTheBestSoFar) {
  budget_.wall = Seconds(10);
  on_epoch_ = [this] { clock_.Tick(Seconds(4)); };
  ASSERT_TRUE(Train());
  EXPECT_EQ(epochs_.size(), 3U);
}

TEST_F(TrainEncoderTest, OutOfTimeBeforeAnythingIsAnError) {
  budget_.wall = Seconds(0);
  const auto weights = Train();
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(weights.error().message,
            "not one pass over 80 texts fits into 0 s of training");
}

TEST_F(TrainEncoderTest, TooLittleMemoryIsAnErrorBeforeItIsUsed) {
  budget_.memory = Bytes(1e4);
  const auto weights = Train();
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(weights.error().message, HasSubstr("more than the budget of"));
}

// Half the memory: the batch is computed in parts, to the same end.
TEST_F(TrainEncoderTest, LittleMemoryMakesSmallerParts) {
  settings_.dropout = {};
  settings_.word_dropout = 0;
  const auto whole = Train();
  EncoderWeights weights(settings_.shape);
  EncoderGraph graph(weights, 1, {});
  budget_.memory = TrainingMemory(graph, weights, 2, 6);
  const auto parts = Train();
  ASSERT_TRUE(parts);
  EXPECT_NE(*parts, *whole);  // sums in another order
  EXPECT_NEAR(epochs_[0].loss, epochs_[6].loss, 1e-3);
}

// The body is drawn, not trained: what it makes of a text still tells which
// tokens are in it.
TEST_F(TrainEncoderTest, AHeadAloneLearnsAndLeavesTheBody) {
  settings_.epochs = 40;
  settings_.patience = 40;
  settings_.word_dropout = 0;
  EncoderWeights weights(settings_.shape, Learns::kHead);
  weights.Draw(1);
  const auto body = [&] {
    std::vector<float> all;
    for (const Parameter& parameter : weights.parameters()) {
      if (std::string_view(parameter.value->name).starts_with("cls")) continue;
      all.insert(all.end(), parameter.values().begin(),
                 parameter.values().end());
    }
    return all;
  };
  const auto before = body();
  EncoderParts parts{settings_, examples_, held_out_, budget_};
  parts.clock = &clock_;
  parts.on_epoch = [this](const EncoderEpoch& epoch) {
    epochs_.push_back(epoch);
  };
  const auto trained = TrainEncoder(weights, parts);
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_LT(epochs_.back().loss, 0.9 * epochs_.front().loss);
  EXPECT_EQ(body(), before);
  EncoderWeights drawn(settings_.shape, Learns::kHead);
  drawn.Draw(1);
  EXPECT_NE(weights.Copy(), drawn.Copy());
}

TEST_F(TrainEncoderTest, GoesOnWhereItWasStopped) {
  const auto whole = Train();
  const TestFolder folder;
  Checkpoint checkpoint(folder.path() + "/state", Seconds(0), clock_);
  const auto stop = std::make_unique<std::stop_source>();
  budget_.stop = stop->get_token();
  epochs_.clear();
  on_epoch_ = [&] {
    if (epochs_.size() == 2) stop->request_stop();
  };
  const auto stopped = Train(&checkpoint);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  budget_.stop = {};
  on_epoch_ = nullptr;
  const auto resumed = Train(&checkpoint);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(epochs_.size(), 6U);  // 2 and 4, not 2 and 6
  EXPECT_EQ(*resumed, *whole);
  EXPECT_FALSE(std::filesystem::exists(checkpoint.path()));
}

TEST_F(TrainEncoderTest, AForeignOrDamagedCheckpoint) {
  const TestFolder folder;
  Checkpoint checkpoint(folder.path() + "/state");
  ASSERT_TRUE(checkpoint.Save(Sha256Of("another"), "state"));
  EXPECT_TRUE(Train(&checkpoint));  // from the start
  ASSERT_TRUE(checkpoint.Save(Sha256Of("this training"), "state"));
  const auto damaged = Train(&checkpoint);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(damaged.error().message,
            checkpoint.path() + ": a damaged checkpoint");
}

}  // namespace
}  // namespace modicum
