// SPDX-License-Identifier: Apache-2.0
#include "fit/cascades.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/statistics.h"
#include "model/cascade.h"

namespace modicum {
namespace {

constexpr size_t kMostModels = 8;
// Thresholds at these shares of the items passed on.
constexpr double kShares[] = {0.02, 0.05, 0.1, 0.15, 0.2,
                              0.3,  0.4,  0.5, 0.65, 0.8};

struct Plan {
  std::vector<const Told*> stages;
  std::vector<double> thresholds;  // one fewer than stages
  double joules = 0;               // per 1,000
  double value = 0;                // oriented: more is better
};

class Planner {
 public:
  Planner(const Metric& metric, const Requirement& requirement,
          const std::vector<Told>& told)
      : metric_(metric), requirement_(requirement) {
    contenders_ = ContendersOf(told);
    choice_ = Choose(metric_, contenders_, requirement_);
    ReadFront(told);
    ReadThresholds();
  }

  std::vector<Candidate> Propose() {
    if (!choice_.best || front_.size() < 2) return {};
    best_value_ = Value(contenders_[*choice_.best].scores);
    for (size_t a = 0; a < front_.size(); ++a)
      for (size_t b = a + 1; b < front_.size(); ++b) {
        AddPlans({front_[a], front_[b]});
        for (size_t c = b + 1; c < front_.size(); ++c)
          AddPlans({front_[a], front_[b], front_[c]});
      }
    std::sort(plans_.begin(), plans_.end(),
              [](const Plan& x, const Plan& y) { return x.joules < y.joules; });
    std::vector<const Plan*> picked;
    for (const Plan* plan : {CheapestGoodEnough(), CheapestAsGoodAsTheBest()})
      if (plan != nullptr && (picked.empty() || picked.front() != plan))
        picked.push_back(plan);
    std::vector<Candidate> proposals;
    for (const Plan* plan : picked) {
      proposals.push_back(CandidateOf(*plan));
      proposals.back().name = fmt::format("cascade {}", proposals.size());
    }
    return proposals;
  }

 private:
  double Value(std::span<const ItemScore> scores) const {
    return metric_.sign() * metric_.Aggregate(scores);
  }
  static double Joules1000(const Told& told) {
    return told.joules_per_1000->mid.value();
  }

  // The models on the front, cheapest first.
  void ReadFront(const std::vector<Told>& told) {
    std::vector<const Told*> models;
    for (const Told& one : told)
      if (one.candidate.stages.empty() &&
          RunSettingsOf(one.candidate) == nullptr && one.joules_per_1000 &&
          !one.scores.empty() && one.confidence.size() == one.scores.size())
        models.push_back(&one);
    std::stable_sort(models.begin(), models.end(),
                     [](const Told* x, const Told* y) {
                       return Joules1000(*x) < Joules1000(*y);
                     });
    double best = -1e300;
    for (const Told* one : models) {
      const double value = Value(one->scores);
      if (value <= best) continue;
      best = value;
      front_.push_back(one);
    }
    // The best ones matter; the humblest are far from good enough.
    if (front_.size() > kMostModels)
      front_.erase(front_.begin(), front_.end() - kMostModels);
  }

  // Different ones only. Four digits are enough to decide by, and to read.
  void ReadThresholds() {
    for (const Told* one : front_) {
      std::vector<double>& thresholds = thresholds_[one];
      for (const double share : kShares) {
        const double threshold =
            std::round(Quantile(one->confidence, share) * 1e4) / 1e4;
        if (thresholds.empty() || threshold != thresholds.back())
          thresholds.push_back(threshold);
      }
    }
  }

  void AddPlans(const std::vector<const Told*>& stages) {
    std::vector<double> thresholds(stages.size() - 1);
    AddThresholds(stages, 0, thresholds);
  }
  void AddThresholds(const std::vector<const Told*>& stages, size_t at,
                     std::vector<double>& thresholds) {
    if (at == thresholds.size()) return AddPlan(stages, thresholds);
    for (const double threshold : thresholds_.at(stages[at])) {
      thresholds[at] = threshold;
      AddThresholds(stages, at + 1, thresholds);
    }
  }
  // Keeps what could be chosen, or be as good as the best for less.
  void AddPlan(const std::vector<const Told*>& stages,
               const std::vector<double>& thresholds) {
    Plan plan{stages, thresholds, 0, 0};
    plan.value = Value(ScoresOf(plan));
    const double limit =
        choice_.chosen
            ? contenders_[*choice_.chosen].joules_per_1000->mid.value() /
                  kSameCost
            : 1e300;
    const double floor = requirement_.floor
                             ? metric_.sign() * *requirement_.floor
                             : best_value_ - requirement_.within.value_or(0);
    if ((plan.joules < limit && plan.value >= floor) ||
        plan.value >= best_value_)
      plans_.push_back(std::move(plan));
  }

  // The scores of the cascade's answers; fills in its cost.
  std::vector<ItemScore> ScoresOf(Plan& plan) const {
    std::vector<ItemScore> scores = plan.stages.front()->scores;
    std::vector<size_t> reached(plan.stages.size());
    for (size_t i = 0; i < scores.size(); ++i) {
      size_t stage = 0;
      ++reached[0];
      while (stage < plan.thresholds.size() &&
             plan.stages[stage]->confidence[i] < plan.thresholds[stage])
        ++reached[++stage];
      scores[i] = plan.stages[stage]->scores[i];
    }
    plan.joules = 0;
    for (size_t stage = 0; stage < reached.size(); ++stage)
      plan.joules += Joules1000(*plan.stages[stage]) *
                     static_cast<double>(reached[stage]) /
                     static_cast<double>(scores.size());
    return scores;
  }

  // By the rule by which the fit will judge it.
  bool GoodEnough(Plan plan) const {
    std::vector<Contender> contenders = {contenders_[*choice_.best]};
    contenders.push_back({"cascade", ScoresOf(plan),
                          contenders_[*choice_.best].joules_per_1000, ""});
    return Choose(metric_, contenders, requirement_).judgements.back().feasible;
  }
  const Plan* CheapestGoodEnough() const {
    constexpr size_t kMostJudged = 50;
    size_t judged = 0;
    for (const Plan& plan : plans_) {
      if (choice_.chosen &&
          plan.joules * kSameCost >=
              contenders_[*choice_.chosen].joules_per_1000->mid.value())
        return nullptr;
      if (++judged > kMostJudged) return nullptr;
      if (GoodEnough(plan)) return &plan;
    }
    return nullptr;
  }
  const Plan* CheapestAsGoodAsTheBest() const {
    const Contender& best = contenders_[*choice_.best];
    for (const Plan& plan : plans_)
      if (plan.value >= best_value_ &&
          plan.joules * kSameCost < best.joules_per_1000->mid.value())
        return &plan;
    return nullptr;
  }

  static Candidate CandidateOf(const Plan& plan) {
    Candidate candidate;
    candidate.family = kCascadeFamily;
    for (const Told* stage : plan.stages)
      candidate.stages.push_back(stage->candidate);
    for (size_t i = 0; i < plan.thresholds.size(); ++i)
      candidate.params["threshold" + std::to_string(i + 1)] =
          plan.thresholds[i];
    return candidate;
  }

  const Metric& metric_;
  const Requirement& requirement_;
  std::vector<Contender> contenders_;
  Choice choice_;
  double best_value_ = 0;
  std::vector<const Told*> front_;
  std::map<const Told*, std::vector<double>> thresholds_;
  std::vector<Plan> plans_;
};

}  // namespace

std::vector<Candidate> ProposeCascades(const Metric& metric,
                                       const Requirement& requirement,
                                       const std::vector<Told>& told) {
  return Planner(metric, requirement, told).Propose();
}

}  // namespace modicum
