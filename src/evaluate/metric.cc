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

class Accuracy final : public Metric {
 public:
  std::string_view name() const override { return "accuracy"; }
  bool is_proportion() const override { return true; }
  double Score(const Item& item, const Output& output) const override {
    return LabelOf(output).index == item.label ? 1 : 0;
  }
  double Aggregate(std::span<const ItemScore> scores) const override {
    return MeanValue(scores);
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

  double Aggregate(std::span<const ItemScore> scores) const override {
    std::vector<uint64_t> right(classes_);
    std::vector<uint64_t> truths(classes_);
    std::vector<uint64_t> answers(classes_);
    for (const ItemScore& score : scores) {
      const auto cell = static_cast<size_t>(score.value);
      const size_t truth = cell / classes_;
      const size_t answer = cell % classes_;
      ++truths[truth];
      ++answers[answer];
      if (truth == answer) ++right[truth];
    }
    auto f1 = [&](size_t label) {
      const uint64_t sum = truths[label] + answers[label];
      // A class neither present nor answered has no F1; counting it as 0
      // would punish a resample for what it did not draw.
      if (sum == 0) return std::optional<double>();
      return std::optional(2.0 * static_cast<double>(right[label]) /
                           static_cast<double>(sum));
    };
    if (positive_) return f1(*positive_).value_or(0);
    double total = 0;
    size_t present = 0;
    for (size_t label = 0; label < classes_; ++label) {
      if (const auto value = f1(label)) {
        total += *value;
        ++present;
      }
    }
    return present == 0 ? 0 : total / static_cast<double>(present);
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
  std::string name_;
  size_t classes_;
  std::optional<size_t> positive_;  // absent: macro average
};

// Mean of -ln p(truth), p clipped to 1e-15 as scikit-learn's log_loss did.
class LogLoss final : public Metric {
 public:
  std::string_view name() const override { return "log-loss"; }
  bool higher_is_better() const override { return false; }
  double Score(const Item& item, const Output& output) const override {
    constexpr double kFloor = 1e-15;
    const Label& label = LabelOf(output);
    const auto truth = static_cast<size_t>(item.label);
    double p = label.index == item.label ? 1 : 0;
    if (!label.probabilities.empty())
      p = static_cast<double>(label.probabilities.at(truth));
    return -std::log(std::clamp(p, kFloor, 1 - kFloor));
  }
  double Aggregate(std::span<const ItemScore> scores) const override {
    return MeanValue(scores);
  }
  std::optional<double> CorrectShare(
      std::span<const ItemScore>) const override {
    return std::nullopt;
  }
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
