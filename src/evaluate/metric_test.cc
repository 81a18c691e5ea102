// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metric.h"

#include <gtest/gtest.h>

#include <cmath>

namespace modicum {
namespace {

const std::vector<std::string> kLabels{"ham", "spam", "other"};

struct Case {
  LabelIndex truth;
  LabelIndex answer;
  std::vector<float> probabilities;
};

std::vector<ItemScore> Scores(const Metric& metric,
                              const std::vector<Case>& cases) {
  std::vector<Item> items;
  std::vector<Output> outputs;
  for (const Case& c : cases) {
    Item item;
    item.id = items.size();
    item.group = item.id;
    item.label = c.truth;
    items.push_back(item);
    outputs.emplace_back(Label{c.answer, c.probabilities});
  }
  std::vector<const Item*> pointers;
  for (const Item& item : items) pointers.push_back(&item);
  return ScoreItems(metric, pointers, outputs);
}

std::unique_ptr<Metric> Make(std::string_view spec) {
  auto metric = MakeMetric(spec, kLabels);
  EXPECT_TRUE(metric.has_value());
  return *std::move(metric);
}

// The example of scikit-learn's f1_score documentation: y_true = [0, 1, 2, 0,
// 1, 2], y_pred = [0, 2, 1, 0, 0, 1]: macro F1 0.266..., per class [0.8, 0, 0].
const std::vector<Case> kSklearn{{0, 0, {}}, {1, 2, {}}, {2, 1, {}},
                                 {0, 0, {}}, {1, 0, {}}, {2, 1, {}}};

TEST(Metric, F1AgreesWithScikitLearnsExample) {
  const auto macro = Make("macro-f1");
  EXPECT_NEAR(macro->Aggregate(Scores(*macro, kSklearn)), 0.8 / 3, 1e-12);
  const auto ham = Make("f1:ham");
  EXPECT_NEAR(ham->Aggregate(Scores(*ham, kSklearn)), 0.8, 1e-12);
  const auto spam = Make("f1:spam");
  EXPECT_EQ(spam->Aggregate(Scores(*spam, kSklearn)), 0);
  EXPECT_NEAR(*macro->CorrectShare(Scores(*macro, kSklearn)), 2.0 / 6, 1e-12);
}

TEST(Metric, AClassThatIsNowhereDoesNotLowerMacroF1) {
  const auto macro = Make("macro-f1");
  EXPECT_EQ(macro->Aggregate(Scores(*macro, {{0, 0, {}}, {1, 1, {}}})), 1);
}

TEST(Metric, AccuracyIsAProportion) {
  const auto accuracy = Make("accuracy");
  EXPECT_TRUE(accuracy->is_proportion());
  EXPECT_NEAR(accuracy->Aggregate(Scores(*accuracy, kSklearn)), 2.0 / 6, 1e-12);
}

TEST(Metric, LogLossUsesProbabilitiesAndClipsCertainty) {
  const auto loss = Make("log-loss");
  EXPECT_FALSE(loss->higher_is_better());
  const double value = loss->Aggregate(
      Scores(*loss, {{0, 0, {0.9F, 0.1F, 0}}, {1, 0, {0.8F, 0.2F, 0}}}));
  EXPECT_NEAR(value, -(std::log(0.9) + std::log(0.2)) / 2, 1e-6);
  EXPECT_NEAR(loss->Aggregate(Scores(*loss, {{0, 1, {}}})), -std::log(1e-15),
              1e-9);
  EXPECT_FALSE(loss->CorrectShare({}).has_value());
}

TEST(Metric, UnknownNamesAreRefusedWithAHint) {
  const auto unknown = MakeMetric("acuracy", kLabels);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().message,
            "unknown metric 'acuracy', did you mean 'accuracy'?");
  EXPECT_EQ(unknown.error().hint,
            "metrics are accuracy, macro-f1, f1:CLASS and log-loss");
  const auto label = MakeMetric("f1:spm", kLabels);
  ASSERT_FALSE(label.has_value());
  EXPECT_EQ(label.error().message,
            "metric f1:spm: the data has no such class, did you mean 'spam'?");
  EXPECT_EQ(label.error().hint, "classes are: ham, spam, other");
}

}  // namespace
}  // namespace modicum
