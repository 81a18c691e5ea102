// SPDX-License-Identifier: Apache-2.0
#include "fit/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "evaluate/quality.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

// A model may be this many margins worse than the best on a part of the rows
// before it is given up: with more rows differences shrink.
constexpr double kRungSlack = 2;
// Costs seen in the first rung are those of smaller models: a candidate this
// much dearer than the cheapest good one is not followed.
constexpr double kRungCost = 1.25;
// Passes start from candidates up to this much dearer than the cheapest good
// one: a pass seldom saves more.
constexpr double kPassCost = 4;
constexpr size_t kPassStarts = 3;
// A cascade's first model is not good enough alone, but costs at most this
// part of one that is.
constexpr double kOpenerCost = 0.5;

double Joules1000(const Told& told) {
  return told.joules_per_1000 ? told.joules_per_1000->mid.value() : 1e300;
}

class Ladder final : public Search {
 public:
  explicit Ladder(SearchProblem problem) : p_(std::move(problem)) {
    const bool whole = p_.space.size() <= p_.small || p_.first_rung >= 1;
    for (const Candidate& candidate : p_.space)
      queue_.push_back({candidate, whole ? 1 : p_.first_rung});
    step_ = whole ? Step::kPasses : Step::kPromote;
  }

  std::optional<Question> Next() override {
    while (queue_.empty() && step_ != Step::kDone) Refill();
    if (queue_.empty()) return std::nullopt;
    Question question = std::move(queue_.front());
    queue_.pop_front();
    asked_.insert(question.candidate.name);
    return question;
  }

  void Tell(const Question& question, Told told) override {
    (question.fraction < 1 ? rung_ : full_).push_back(std::move(told));
    choice_.reset();
  }

  std::string WhyDropped(const std::string& name) const override {
    const auto it = dropped_.find(name);
    return it == dropped_.end() ? std::string() : it->second;
  }

 private:
  enum class Step { kPromote, kPasses, kCascades, kDone };

  void Refill();
  void Promote();
  std::optional<size_t> NextPromotion() const;
  std::optional<size_t> NextOpener() const;
  std::optional<size_t> BestOfRung() const;
  std::map<std::string, size_t> FamilyRepresentatives() const;
  bool Plausible(const Told& told, const Told& best) const;
  bool Known(const std::string& name) const;
  void ExplainDropped();

  void TryPasses();
  std::vector<const Told*> PassStarts() const;
  bool AskPassOf(const Told& from);

  // The choice among what is known on all rows.
  const Choice& Chosen() const;
  double Sign() const { return p_.metric->sign(); }
  double Value(const Told& told) const {
    return Sign() * p_.metric->Aggregate(told.scores);
  }

  SearchProblem p_;
  Step step_;
  std::deque<Question> queue_;
  std::vector<Told> rung_, full_;
  mutable std::optional<Choice> choice_;  // until more is told
  std::set<std::string> asked_;           // by name, on all rows or a part
  std::map<std::string, size_t> family_picks_;
  std::map<std::string, std::string> dropped_;
  // Variants not asked yet, by the candidate and axis they belong to.
  struct AxisState {
    std::vector<Candidate> variants;
    size_t next = 0;
  };
  std::map<std::string, std::vector<AxisState>> axes_;
};

void Ladder::Refill() {
  switch (step_) {
    case Step::kPromote:
      Promote();
      break;
    case Step::kPasses:
      TryPasses();
      break;
    case Step::kCascades:
      step_ = Step::kDone;
      if (p_.cascades)
        for (Candidate& candidate : p_.cascades(full_))
          queue_.push_back({std::move(candidate), 1});
      break;
    case Step::kDone:
      break;
  }
}

const Choice& Ladder::Chosen() const {
  if (!choice_)
    choice_ = Choose(*p_.metric, ContendersOf(full_), p_.requirement);
  return *choice_;
}

bool Ladder::Known(const std::string& name) const {
  return std::any_of(full_.begin(), full_.end(), [&](const Told& told) {
    return told.candidate.name == name;
  });
}

std::optional<size_t> Ladder::BestOfRung() const {
  std::optional<size_t> best;
  for (size_t i = 0; i < rung_.size(); ++i)
    if (!rung_[i].scores.empty() &&
        (!best || Value(rung_[i]) > Value(rung_[*best])))
      best = i;
  return best;
}

// Whether a model may be good enough on all rows by what it is on a part.
bool Ladder::Plausible(const Told& told, const Told& best) const {
  double margin = p_.requirement.within.value_or(0);
  if (p_.requirement.floor)
    // Judged against the best: what that reaches is what can be reached.
    margin = std::max(0.0, Value(best) - Sign() * *p_.requirement.floor);
  const Comparison comparison =
      Compare(*p_.metric, told.scores, best.scores, margin);
  return comparison.interval.high >= -margin * kRungSlack;
}

// The least costly trial of a family among those that the items cannot tell
// from its most accurate.
std::map<std::string, size_t> Ladder::FamilyRepresentatives() const {
  std::map<std::string, size_t> best;
  for (size_t i = 0; i < rung_.size(); ++i) {
    if (rung_[i].scores.empty()) continue;
    const auto [it, first] = best.emplace(rung_[i].candidate.family, i);
    if (!first && Value(rung_[i]) > Value(rung_[it->second])) it->second = i;
  }
  std::map<std::string, size_t> chosen = best;
  for (size_t i = 0; i < rung_.size(); ++i) {
    if (rung_[i].scores.empty()) continue;
    const std::string& family = rung_[i].candidate.family;
    const Comparison comparison =
        Compare(*p_.metric, rung_[i].scores, rung_[best.at(family)].scores, 0);
    size_t& pick = chosen.at(family);
    if (comparison.interval.high >= 0 && rung_[i].spent < rung_[pick].spent)
      pick = i;
  }
  return chosen;
}

// In this order: the most accurate of the rung (what quality is judged by),
// then one of each family, so that all are seen at their best, then, cheapest
// first, what may be good enough, until what is left is dearer than a good one.
std::optional<size_t> Ladder::NextPromotion() const {
  const auto best = BestOfRung();
  if (!best) return std::nullopt;
  auto open = [&](size_t i) {
    return !rung_[i].scores.empty() && !Known(rung_[i].candidate.name);
  };
  if (open(*best)) return best;
  for (const auto& [family, i] : family_picks_)
    if (open(i)) return i;

  const Choice& so_far = Chosen();
  std::optional<size_t> next;
  for (size_t i = 0; i < rung_.size(); ++i) {
    if (!open(i) || !Plausible(rung_[i], rung_[*best])) continue;
    if (!next || Joules1000(rung_[i]) < Joules1000(rung_[*next])) next = i;
  }
  if (!next || !so_far.chosen) return next;
  const double limit = Joules1000(full_[*so_far.chosen]) * kRungCost;
  return Joules1000(rung_[*next]) <= limit ? next : std::nullopt;
}

// The most accurate of the much cheaper ones, good enough or not: what a
// cascade asks first. Costs are compared as the rung saw them.
std::optional<size_t> Ladder::NextOpener() const {
  const Choice& so_far = Chosen();
  if (!p_.cascades || !so_far.chosen) return std::nullopt;
  const std::string& name = full_[*so_far.chosen].candidate.name;
  const auto chosen = std::find_if(
      rung_.begin(), rung_.end(),
      [&](const Told& told) { return told.candidate.name == name; });
  if (chosen == rung_.end()) return std::nullopt;
  std::optional<size_t> opener;
  for (size_t i = 0; i < rung_.size(); ++i)
    if (!rung_[i].scores.empty() && !rung_[i].confidence.empty() &&
        Joules1000(rung_[i]) <= kOpenerCost * Joules1000(*chosen) &&
        (!opener || Value(rung_[i]) > Value(rung_[*opener])))
      opener = i;
  if (opener && Known(rung_[*opener].candidate.name)) return std::nullopt;
  return opener;
}

void Ladder::Promote() {
  if (family_picks_.empty()) family_picks_ = FamilyRepresentatives();
  auto next = NextPromotion();
  if (!next) next = NextOpener();
  if (next) {
    queue_.push_back({rung_[*next].candidate, 1});
    return;
  }
  ExplainDropped();
  step_ = Step::kPasses;
}

void Ladder::ExplainDropped() {
  const auto best = BestOfRung();
  for (const Told& told : rung_) {
    if (told.scores.empty() || Known(told.candidate.name)) continue;
    const std::string loss =
        FormatQualityLoss(p_.metric->name(), Value(rung_[*best]) - Value(told));
    dropped_[told.candidate.name] = fmt::format(
        "not followed: on {} of the training items {} worse than {}{}",
        FormatNumber(100 * p_.first_rung, 3) + " %", loss,
        rung_[*best].candidate.name,
        Plausible(told, rung_[*best]) ? " and dearer than the chosen" : "");
  }
}

// The cheapest good enough, and better ones that are not much dearer: where a
// pass may lead below it.
std::vector<const Told*> Ladder::PassStarts() const {
  const Choice& choice = Chosen();
  std::vector<const Told*> starts;
  if (!choice.chosen) {
    if (choice.best) starts.push_back(&full_[*choice.best]);
    return starts;
  }
  const double limit = Joules1000(full_[*choice.chosen]) * kPassCost;
  for (size_t i = 0; i < full_.size(); ++i)
    if (choice.judgements[i].feasible && full_[i].candidate.stages.empty() &&
        Joules1000(full_[i]) <= limit)
      starts.push_back(&full_[i]);
  std::sort(starts.begin(), starts.end(), [](const Told* a, const Told* b) {
    return Joules1000(*a) < Joules1000(*b);
  });
  if (starts.size() > kPassStarts) starts.resize(kPassStarts);
  return starts;
}

// The next variant of one axis: milder ones first, and stronger ones only
// while the last was good enough.
bool Ladder::AskPassOf(const Told& from) {
  const std::string& name = from.candidate.name;
  if (!axes_.contains(name)) {
    std::vector<AxisState>& states = axes_[name];
    for (auto& list : p_.passes(from.candidate))
      states.push_back({std::move(list), 0});
  }
  const Choice& choice = Chosen();
  for (AxisState& axis : axes_.at(name)) {
    if (axis.next > 0) {
      const std::string& last = axis.variants[axis.next - 1].name;
      const auto told = std::find_if(
          full_.begin(), full_.end(),
          [&](const Told& one) { return one.candidate.name == last; });
      const bool helped =
          told != full_.end() && !told->scores.empty() &&
          choice.judgements[static_cast<size_t>(told - full_.begin())].feasible;
      if (!helped) continue;
    }
    while (axis.next < axis.variants.size() &&
           asked_.contains(axis.variants[axis.next].name))
      ++axis.next;
    if (axis.next == axis.variants.size()) continue;
    queue_.push_back({axis.variants[axis.next++], 1});
    return true;
  }
  return false;
}

void Ladder::TryPasses() {
  if (p_.passes)
    for (const Told* start : PassStarts())
      if (AskPassOf(*start)) return;
  step_ = Step::kCascades;
}

class Exhaustive final : public Search {
 public:
  explicit Exhaustive(SearchProblem problem) : p_(std::move(problem)) {
    for (const Candidate& candidate : p_.space) Add(candidate);
  }
  std::optional<Question> Next() override {
    if (queue_.empty() && !done_) {
      done_ = true;
      if (p_.cascades)
        for (Candidate& candidate : p_.cascades(told_))
          queue_.push_back(std::move(candidate));
    }
    if (queue_.empty()) return std::nullopt;
    Question question{std::move(queue_.front()), 1};
    queue_.pop_front();
    return question;
  }
  void Tell(const Question&, Told told) override {
    told_.push_back(std::move(told));
  }
  std::string WhyDropped(const std::string&) const override { return {}; }

 private:
  void Add(const Candidate& candidate) {
    queue_.push_back(candidate);
    if (!p_.passes || candidate.passes.size() == p_.longest_chain) return;
    for (const auto& list : p_.passes(candidate))
      for (const Candidate& variant : list) Add(variant);
  }

  SearchProblem p_;
  std::deque<Candidate> queue_;
  std::vector<Told> told_;
  bool done_ = false;
};

}  // namespace

std::vector<Contender> ContendersOf(const std::vector<Told>& told) {
  std::vector<Contender> contenders;
  for (const Told& one : told)
    contenders.push_back({one.candidate.name, one.scores, one.joules_per_1000,
                          one.scores.empty() ? "failed" : ""});
  return contenders;
}

std::unique_ptr<Search> LadderSearch(SearchProblem problem) {
  return std::make_unique<Ladder>(std::move(problem));
}

std::unique_ptr<Search> ExhaustiveSearch(SearchProblem problem) {
  return std::make_unique<Exhaustive>(std::move(problem));
}

}  // namespace modicum
