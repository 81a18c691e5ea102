// SPDX-License-Identifier: Apache-2.0
#include "model/linear_train.h"

#include <gmock/gmock.h>

#include <cmath>

#include "model/bytes.h"
#include "model/engine.h"
#include "model/linear_model.h"
#include "model/test_data.h"

namespace modicum {
namespace {

Result<std::string> TrainBytes(const Dataset& data, const Params& params,
                               uint64_t seed = 1) {
  const TestFolder folder;
  MODICUM_TRY(Trainer * trainer, FindTrainer("linear"));
  Budget budget;
  budget.seed = seed;
  NullSink sink;
  MODICUM_TRY(const TrainedModel trained,
              trainer->Train(data, AllRowsOf(data), params, budget, nullptr,
                             folder.path(), sink));
  EXPECT_EQ(trained.files, std::vector<std::string>{kLinearFile});
  return ReadWholeFile(folder.path() + "/" + kLinearFile, 1 << 24);
}

std::vector<Output> PredictAll(const std::string& bytes, const Dataset& data) {
  auto model = MakeLinearModel(bytes, data.labels);
  MODICUM_CHECK(model.has_value());
  NullSink sink;
  return (*model)->Predict(data.items, {}, sink).value();
}

class LinearSolvers : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Both, LinearSolvers, testing::Values("lr", "svc"));

TEST_P(LinearSolvers, LearnsTwoAndManyClasses) {
  for (const size_t classes : {2U, 3U, 7U}) {
    const Dataset train = MakeTopics(classes, 60, 1);
    const Dataset test = MakeTopics(classes, 20, 2);
    const Params params{{"solver", std::string(GetParam())}};
    const auto bytes = TrainBytes(train, params);
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_GE(AccuracyOf(PredictAll(*bytes, test), test.items), 0.99);
    EXPECT_EQ(DecodeLinear(*bytes)->rows, classes == 2 ? 1 : classes);
  }
}

TEST_P(LinearSolvers, EqualDataGivesEqualBytes) {
  const Dataset data = MakeTopics(3, 30);
  const Params params{{"solver", std::string(GetParam())}};
  const auto once = TrainBytes(data, params);
  ASSERT_TRUE(once);
  std::srand(12345);  // the solvers must not draw from the C library
  EXPECT_EQ(*TrainBytes(data, params), *once);
}

TEST_P(LinearSolvers, ProbabilitiesSumToOneAndAreCalibrated) {
  // Labels are noise but for one word that is right in 80 %.
  Dataset data;
  data.name = "noise";
  data.labels = {"a", "b"};
  Rng rng(3);
  for (int i = 0; i < 4000; ++i) {
    const LabelIndex label = static_cast<LabelIndex>(rng.Below(2));
    const bool told = rng.Unit() < 0.8;
    data.items.push_back(TextItem((label == 1) == told ? "yes" : "no", label));
  }
  const auto bytes = TrainBytes(data, {{"solver", std::string(GetParam())}});
  ASSERT_TRUE(bytes);
  for (const Output& output : PredictAll(*bytes, data)) {
    const auto& p = std::get<Label>(output).probabilities;
    EXPECT_NEAR(p[0] + p[1], 1, 1e-6);
    EXPECT_NEAR(std::max(p[0], p[1]), 0.8, 0.03);
  }
}

TEST(LinearTrain, VocabularyIsOrderedAndBounded) {
  const Dataset data = MakeTopics(2, 50);
  const auto all = DecodeLinear(*TrainBytes(data, {}));
  const auto few =
      DecodeLinear(*TrainBytes(data, {{"max_features", int64_t{10}}}));
  EXPECT_EQ(few->hashes.size(), 10U);
  EXPECT_TRUE(
      std::equal(few->hashes.begin(), few->hashes.end(), all->hashes.begin()));
  // Falling document frequency is rising IDF.
  EXPECT_TRUE(std::is_sorted(all->idf.begin(), all->idf.end()));
  EXPECT_GE(all->idf.front(), 1);
}

TEST(LinearTrain, FeatureSelectionKeepsTheBest) {
  const Dataset data = MakeTopics(3, 50);
  const Dataset test = MakeTopics(3, 20, 2);
  const auto all = DecodeLinear(*TrainBytes(data, {}));
  const auto bytes = TrainBytes(data, {{"features", int64_t{60}}});
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto few = DecodeLinear(*bytes);
  EXPECT_EQ(few->hashes.size(), 60U);
  EXPECT_TRUE(std::is_sorted(few->idf.begin(), few->idf.end()));
  for (const uint32_t hash : few->hashes)
    EXPECT_THAT(all->hashes, testing::Contains(hash));
  // The words that all classes share go first: they tell nothing.
  EXPECT_GE(AccuracyOf(PredictAll(*bytes, test), test.items), 0.99);
}

TEST(LinearTrain, HashBitsBoundTheFeatures) {
  const Dataset data = MakeTopics(2, 60);
  const Dataset test = MakeTopics(2, 20, 2);
  const auto bytes = TrainBytes(data, {{"hash_bits", int64_t{6}}});
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto folded = DecodeLinear(*bytes);
  EXPECT_EQ(folded->config.hash_bits, 6);
  EXPECT_LE(folded->hashes.size(), 64U);
  for (const uint32_t hash : folded->hashes) EXPECT_LT(hash, 64U);
  EXPECT_GE(AccuracyOf(PredictAll(*bytes, test), test.items), 0.8);
}

TEST(LinearTrain, SmoothIdfAsDefined) {
  Dataset data;
  data.name = "idf";
  data.labels = {"a", "b"};
  data.items = {TextItem("x y", 0), TextItem("x", 1), TextItem("x", 0)};
  const auto w = DecodeLinear(*TrainBytes(
      data, {{"min_documents", int64_t{1}}, {"word_ngrams", int64_t{1}}}));
  ASSERT_TRUE(w);
  EXPECT_FLOAT_EQ(w->idf[0], 1);                          // in all three
  EXPECT_FLOAT_EQ(w->idf[1], std::log(4.0F / 2.0F) + 1);  // in one
}

TEST(LinearTrain, AClassWithoutRowsIsNeverAnswered) {
  Dataset data = MakeTopics(3, 20);
  data.labels.emplace_back("unseen");
  const auto bytes = TrainBytes(data, {});
  ASSERT_TRUE(bytes) << bytes.error().message;
  for (const Output& output : PredictAll(*bytes, data))
    EXPECT_LT(std::get<Label>(output).probabilities[3], 1e-6);
}

TEST(LinearTrain, RefusesBadParameters) {
  const auto message = [](const Params& params) {
    const auto parsed = ParseLinearParams(params);
    return parsed ? "" : parsed.error().message;
  };
  EXPECT_EQ(message({{"min_document", int64_t{1}}}),
            "family linear has no parameter 'min_document', did you mean "
            "'min_documents'?");
  EXPECT_EQ(message({{"C", -1.0}}),
            "parameter C = -1: a number from 1e-06 to 1000000 expected");
  EXPECT_EQ(message({{"C", std::string("big")}}),
            "parameter C = big: a number from 1e-06 to 1000000 expected");
  EXPECT_EQ(message({{"solver", std::string("dual")}}),
            "parameter solver = dual: 'lr' or 'svc' expected");
  EXPECT_EQ(message({{"word_ngrams", std::string("none")}}),
            "word_ngrams and char_ngrams are both 'none'");
  EXPECT_EQ(message({{"max_features", 2.5}}),
            "parameter max_features = 2.5: a whole number from 1 to 100000000 "
            "expected");
  EXPECT_EQ(message({{"C", int64_t{3}}, {"char_ngrams", std::string("3-5")}}),
            "");
}

TEST(LinearTrain, RefusesOneClassAndNoLabel) {
  Dataset data = MakeTopics(2, 10);
  std::vector<uint32_t> first{0, 1, 2};
  const LinearParams params;
  NullSink sink;
  const BinarySolver never = [](auto&&...) -> Result<std::vector<double>> {
    ADD_FAILURE() << "solver called";
    return Fail(ErrorCode::kInternal, "");
  };
  EXPECT_EQ(TrainLinear(data, first, params, {}, never, sink).error().message,
            "the training rows of topics have fewer than two classes");
  data.items[1].label = kUnlabelled;
  EXPECT_EQ(TrainLinear(data, first, params, {}, never, sink).error().message,
            "row 2 of topics has no label");
}

TEST(LinearTrain, StopsAndKeepsTheMemoryBudget) {
  const Dataset data = MakeTopics(2, 10);
  NullSink sink;
  const BinarySolver never = [](auto&&...) -> Result<std::vector<double>> {
    return Fail(ErrorCode::kInternal, "");
  };
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  EXPECT_EQ(
      TrainLinear(data, AllRowsOf(data), {}, budget, never, sink).error().code,
      ErrorCode::kInterrupted);
  Budget small;
  small.memory = Bytes(1000);
  EXPECT_THAT(TrainLinear(data, AllRowsOf(data), {}, small, never, sink)
                  .error()
                  .message,
              testing::StartsWith("training needs some"));
}

TEST(LinearTrain, ReportsPrepareThenTrain) {
  const TestFolder folder;
  const Dataset data = MakeTopics(2, 10);
  PhaseList phases;
  ASSERT_TRUE((*FindTrainer("linear"))
                  ->Train(data, AllRowsOf(data), {}, {}, nullptr, folder.path(),
                          phases));
  EXPECT_EQ(phases.seen, (std::vector{Phase::kPrepare, Phase::kTrain}));
}

// Scores drawn from a known sigmoid give its slope and offset back.
TEST(FitSigmoid, RecoversAKnownSigmoid) {
  Rng rng(11);
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 50000; ++i) {
    scores.push_back(4 * rng.Unit() - 2);
    const double p = 1 / (1 + std::exp(-(2 * scores.back() - 0.5)));
    positive.push_back(rng.Unit() < p);
  }
  const Sigmoid fitted = FitSigmoid(scores, positive);
  EXPECT_NEAR(fitted.slope, 2, 0.08);
  EXPECT_NEAR(fitted.offset, -0.5, 0.05);
}

TEST(FitSigmoid, SeparableScoresStayFinite) {
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 20; ++i) {
    positive.push_back(i % 2 == 0);
    scores.push_back(i % 2 == 0 ? 1 : -1);
  }
  const Sigmoid fitted = FitSigmoid(scores, positive);
  const auto p = [&](double s) {
    return 1 / (1 + std::exp(-(fitted.slope * s + fitted.offset)));
  };
  // Platt's targets for ten of each: 11/12 and 1/12.
  EXPECT_NEAR(p(1), 11.0 / 12, 1e-4);
  EXPECT_NEAR(p(-1), 1.0 / 12, 1e-4);
}

}  // namespace
}  // namespace modicum
