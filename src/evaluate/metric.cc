// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metric.h"

#include <algorithm>
#include <cmath>

#include "base/suggest.h"

namespace modicum {
namespace {

const Label& LabelOf(const Output& output) {
  const Label* label = std::get_if<Label>(&output);
  MODICUM_CHECK(label != nullptr);
  return *label;
}

double MeanValue(std::span<const ItemScore> scores) {
  if (scores.empty()) return 0;
  double sum = 0;
  for (const ItemScore& score : scores) sum += score.value;
  return sum / static_cast<double>(scores.size());
}

// Aggregates by the mean.
class MeanMetric : public Metric {
 public:
  double Aggregate(std::span<const ItemScore> scores) const override {
    return MeanValue(scores);
  }
  std::vector<double> Influences(
      std::span<const ItemScore> scores) const override {
    const double mean = MeanValue(scores);
    std::vector<double> influences;
    influences.reserve(scores.size());
    for (const ItemScore& score : scores)
      influences.push_back(score.value - mean);
    return influences;
  }
};

class Accuracy final : public MeanMetric {
 public:
  std::string_view name() const override { return "accuracy"; }
  bool is_proportion() const override { return true; }
  bool IsScore(double value) const override { return value == 0 || value == 1; }
  double MostInfluence(std::span<const ItemScore>) const override { return 1; }
  double Score(const Item& item, const Output& output) const override {
    return LabelOf(output).index == item.label ? 1 : 0;
  }
  std::optional<double> CorrectShare(
      std::span<const ItemScore> scores) const override {
    return MeanValue(scores);
  }
};

// Keeps the confusion cell truth * classes + answer of each item.
class F1 : public Metric {
 public:
  F1(std::string name, size_t classes, std::optional<size_t> positive)
      : name_(std::move(name)), classes_(classes), positive_(positive) {}

  std::string_view name() const override { return name_; }

  double Score(const Item& item, const Output& output) const override {
    const auto truth = static_cast<size_t>(item.label);
    const auto answer = static_cast<size_t>(LabelOf(output).index);
    MODICUM_CHECK(truth < classes_ && answer < classes_);
    return static_cast<double>(truth * classes_ + answer);
  }

  bool IsScore(double value) const override {
    return value >= 0 && value < static_cast<double>(classes_ * classes_) &&
           value == std::floor(value);
  }

  double Aggregate(std::span<const ItemScore> scores) const override {
    const Classes classes = Count(scores);
    double total = 0;
    for (size_t label = 0; label < classes_; ++label)
      if (classes.counts[label]) total += classes.F1Of(label);
    return classes.counted > 0 ? total / classes.counted : 0;
  }

  // d F1 = (2 d right - F1 d sum) / sum, of the item's truth and its answer.
  std::vector<double> Influences(
      std::span<const ItemScore> scores) const override {
    const Classes classes = Count(scores);
    const auto items = static_cast<double>(scores.size());
    std::vector<double> influences;
    influences.reserve(scores.size());
    for (const ItemScore& score : scores) {
      const size_t truth = TruthOf(score);
      const size_t answer = AnswerOf(score);
      double moved = truth == answer ? 2 * classes.PerSum(truth) : 0;
      for (const size_t label : {truth, answer})
        moved -= classes.F1Of(label) * classes.PerSum(label);
      influences.push_back(items * moved);
    }
    return influences;
  }

  double MostInfluence(std::span<const ItemScore> scores) const override {
    const Classes classes = Count(scores);
    double most = 0;
    for (size_t label = 0; label < classes_; ++label)
      most = std::max(most, 2 * classes.PerSum(label));
    return most * static_cast<double>(scores.size());
  }

  std::optional<double> CorrectShare(
      std::span<const ItemScore> scores) const override {
    if (scores.empty()) return std::nullopt;
    const auto right = std::count_if(
        scores.begin(), scores.end(), [this](const ItemScore& score) {
          const auto cell = static_cast<size_t>(score.value);
          return cell / classes_ == cell % classes_;
        });
    return static_cast<double>(right) / static_cast<double>(scores.size());
  }

 private:
  struct Classes {
    std::vector<double> right, sum;  // sum: truths plus answers
    std::vector<bool> counts;        // in the metric
    double counted = 0;              // of them
    double F1Of(size_t label) const {
      return sum[label] > 0 ? 2 * right[label] / sum[label] : 0;
    }
    // What one more of `sum` weighs in the metric.
    double PerSum(size_t label) const {
      return counts[label] && sum[label] > 0 ? 1 / (counted * sum[label]) : 0;
    }
  };

  size_t TruthOf(const ItemScore& score) const {
    return static_cast<size_t>(score.value) / classes_;
  }
  size_t AnswerOf(const ItemScore& score) const {
    return static_cast<size_t>(score.value) % classes_;
  }

  Classes Count(std::span<const ItemScore> scores) const {
    Classes classes{std::vector<double>(classes_),
                    std::vector<double>(classes_), std::vector<bool>(classes_)};
    for (const ItemScore& score : scores) {
      const size_t truth = TruthOf(score);
      const size_t answer = AnswerOf(score);
      ++classes.sum[truth];
      ++classes.sum[answer];
      if (truth == answer) ++classes.right[truth];
    }
    for (size_t label = 0; label < classes_; ++label) {
      // A class neither present nor answered has no F1; counting it as 0
      // would punish a sample for what it did not draw.
      if (positive_ ? label != *positive_ : classes.sum[label] == 0) continue;
      classes.counts[label] = true;
      ++classes.counted;
    }
    return classes;
  }

  std::string name_;
  size_t classes_;
  std::optional<size_t> positive_;  // absent: macro average
};

// Mean of -ln p(truth), p clipped to 1e-15 as scikit-learn's log_loss did.
class LogLoss final : public MeanMetric {
 public:
  std::string_view name() const override { return "log-loss"; }
  bool higher_is_better() const override { return false; }
  Interval range() const override { return {0, -std::log(kFloor)}; }
  bool IsScore(double value) const override {
    return value >= 0 && value <= -std::log(kFloor);
  }
  // No item is taken to lose more than the worst one seen did.
  double MostInfluence(std::span<const ItemScore> scores) const override {
    double most = 0;
    for (const ItemScore& score : scores) most = std::max(most, score.value);
    return most;
  }
  double Score(const Item& item, const Output& output) const override {
    const Label& label = LabelOf(output);
    const auto truth = static_cast<size_t>(item.label);
    double p = label.index == item.label ? 1 : 0;
    if (!label.probabilities.empty())
      p = static_cast<double>(label.probabilities.at(truth));
    return -std::log(std::clamp(p, kFloor, 1 - kFloor));
  }
  std::optional<double> CorrectShare(
      std::span<const ItemScore>) const override {
    return std::nullopt;
  }

 private:
  static constexpr double kFloor = 1e-15;
};

}  // namespace

Result<std::unique_ptr<Metric>> MakeMetric(
    std::string_view spec, const std::vector<std::string>& labels) {
  if (spec == "accuracy") return std::unique_ptr<Metric>(new Accuracy);
  if (spec == "log-loss") return std::unique_ptr<Metric>(new LogLoss);
  if (spec == "macro-f1")
    return std::unique_ptr<Metric>(
        new F1(std::string(spec), labels.size(), std::nullopt));
  constexpr std::string_view kPrefix = "f1:";
  if (spec.starts_with(kPrefix)) {
    const std::string_view wanted = spec.substr(kPrefix.size());
    const auto it = std::find(labels.begin(), labels.end(), wanted);
    if (it != labels.end())
      return std::unique_ptr<Metric>(
          new F1(std::string(spec), labels.size(),
                 static_cast<size_t>(it - labels.begin())));
    const std::vector<std::string_view> names(labels.begin(), labels.end());
    std::string known;
    for (const std::string& label : labels)
      known += (known.empty() ? "" : ", ") + label;
    return Fail(ErrorCode::kInvalidInput,
                "metric f1:" + std::string(wanted) +
                    ": the data has no such class" + DidYouMean(wanted, names),
                "classes are: " + known);
  }
  constexpr std::string_view kKnown[] = {"accuracy", "macro-f1", "f1:CLASS",
                                         "log-loss"};
  return Fail(
      ErrorCode::kInvalidInput,
      "unknown metric '" + std::string(spec) + "'" + DidYouMean(spec, kKnown),
      "metrics are accuracy, macro-f1, f1:CLASS and log-loss");
}

std::vector<ItemScore> ScoreItems(const Metric& metric,
                                  std::span<const Item* const> items,
                                  std::span<const Output> outputs) {
  MODICUM_CHECK(items.size() == outputs.size());
  std::vector<ItemScore> scores;
  scores.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i)
    scores.push_back(
        {items[i]->id, items[i]->group, metric.Score(*items[i], outputs[i])});
  return scores;
}

}  // namespace modicum
