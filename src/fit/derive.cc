// SPDX-License-Identifier: Apache-2.0
#include "fit/derive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/statistics.h"
#include "evaluate/cost.h"
#include "evaluate/metric.h"
#include "evaluate/quality.h"
#include "fit/changes.h"
#include "fit/payback.h"
#include "fit/verdict.h"
#include "place/place.h"
#include "record/machine_text.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

// A trial's scores beside the items they are of.
Result<std::vector<ItemScore>> ScoresOf(const TrialEvidence& trial,
                                        const SplitItems& items) {
  std::vector<ItemScore> scores;
  if (!trial.failure.empty()) return scores;
  if (trial.scores.size() != items.ids.size() ||
      items.ids.size() != items.groups.size())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {} scores for {} items of {} groups",
                            trial.name, trial.scores.size(), items.ids.size(),
                            items.groups.size()));
  scores.reserve(items.ids.size());
  for (size_t i = 0; i < items.ids.size(); ++i)
    scores.push_back({items.ids[i], items.groups[i], trial.scores[i]});
  return scores;
}

template <class T>
const T* FindByName(const std::vector<T>& list, const std::string& name) {
  for (const T& one : list)
    if (one.name == name) return &one;
  return nullptr;
}

// The rows of a fit, built from its evidence in the order of the report.
class Derivation {
 public:
  explicit Derivation(const FitEvidence& evidence)
      : e_(evidence), requirement_{evidence.within, evidence.floor} {}

  Result<Decision> Decide();
  Result<FitResult> Run();

 private:
  Status Prepare();
  std::vector<Contender> Contenders() const;
  const TrialEvidence* BestOfCurrent(const Choice& choice) const;
  void ReadBaseline(Decision& decision) const;

  void DescribeTask();
  void AddTrialRow(size_t i);
  void AddFinal(const TrialEvidence& final_trial);
  void FillFacts(CandidateRow& row, const TrialEvidence& trial) const;
  void FillCosts(CandidateRow& row, const CostSamples& samples) const;
  void FillPerCorrect(CandidateRow& row, std::span<const ItemScore> scores);
  void NoteCascades();
  void NoteRemotes();
  void NoteUndecided();
  void NoteContention();
  void TestClaims();
  void NoteNotEstablished(const std::string& against, double p);
  void ChargeSearch();
  void ReadPayback();
  void MarkPareto();
  void AddReferences();
  void Conclude();

  size_t IndexOf(const std::string& name) const {
    return static_cast<size_t>(FindByName(e_.trials, name) - e_.trials.data());
  }
  CandidateRow& Chosen() { return r_.rows[*decision_.choice.chosen]; }

  const FitEvidence& e_;
  Requirement requirement_;
  std::unique_ptr<Metric> metric_;
  std::vector<std::vector<ItemScore>> scores_;  // of the trials
  std::map<std::string, std::vector<ItemScore>> final_scores_;
  Decision decision_;
  // Of the test items, on which the chosen and another finalist differ most.
  double discordant_ = 0;
  FitResult r_;
};

Status Derivation::Prepare() {
  MODICUM_TRY(metric_, MakeMetric(e_.metric, e_.labels));
  for (const TrialEvidence& trial : e_.trials) {
    MODICUM_TRY(auto scores, ScoresOf(trial, e_.validation));
    scores_.push_back(std::move(scores));
  }
  for (const TrialEvidence& trial : e_.finals) {
    if (FindByName(e_.trials, trial.name) == nullptr)
      return Fail(ErrorCode::kInvalidInput,
                  trial.name + " was tested but never tried");
    MODICUM_TRY(auto scores, ScoresOf(trial, e_.test));
    final_scores_.emplace(trial.name, std::move(scores));
  }
  return {};
}

std::vector<Contender> Derivation::Contenders() const {
  std::vector<Contender> contenders;
  for (size_t i = 0; i < e_.trials.size(); ++i) {
    const TrialEvidence& trial = e_.trials[i];
    Contender contender{trial.name, scores_[i], {}, trial.failure};
    if (!trial.samples.repeats.empty())
      contender.joules_per_1000 = Summarize(trial.samples).joules_per_1000;
    contenders.push_back(std::move(contender));
  }
  return contenders;
}

// The trial that `current` names: itself, or the best measured of its family.
const TrialEvidence* Derivation::BestOfCurrent(const Choice& choice) const {
  if (const auto* same = FindByName(e_.trials, e_.current);
      same != nullptr && same->failure.empty())
    return same;
  const TrialEvidence* best = nullptr;
  double best_value = 0;
  const double sign = metric_->sign();
  for (size_t i = 0; i < choice.judgements.size(); ++i) {
    if (e_.trials[i].family != e_.current || scores_[i].empty()) continue;
    const double value = sign * metric_->Aggregate(scores_[i]);
    if (best != nullptr && value <= best_value) continue;
    best = &e_.trials[i];
    best_value = value;
  }
  return best;
}

// Without `current` the most accurate candidate is the baseline.
void Derivation::ReadBaseline(Decision& decision) const {
  if (e_.current.empty()) {
    decision.baseline_rule = "the most accurate";
    if (decision.choice.best)
      decision.baseline = e_.trials[*decision.choice.best].name;
    return;
  }
  decision.baseline_rule = "named by current";
  const TrialEvidence* best = BestOfCurrent(decision.choice);
  decision.baseline = best != nullptr ? best->name : e_.current;
}

Result<Decision> Derivation::Decide() {
  MODICUM_RETURN_IF_ERROR(Prepare());
  const std::vector<Contender> contenders = Contenders();
  Decision decision;
  decision.choice = Choose(*metric_, contenders, requirement_);
  ReadBaseline(decision);
  if (!decision.choice.chosen) return decision;
  decision.chosen = e_.trials[*decision.choice.chosen].name;
  auto add = [&](const std::string& name) {
    const TrialEvidence* trial = FindByName(e_.trials, name);
    if (trial == nullptr || !trial->failure.empty()) return;
    auto& list = decision.finalists;
    if (std::find(list.begin(), list.end(), name) == list.end())
      list.push_back(name);
  };
  add(decision.chosen);
  add(decision.baseline);
  if (requirement_.within) add(e_.trials[*decision.choice.best].name);
  return decision;
}

void Derivation::DescribeTask() {
  r_.task = e_.task;
  r_.kind = e_.kind;
  r_.metric = e_.metric;
  r_.requirement = RequirementText(*metric_, requirement_);
  r_.machine = MachineText(e_.host);
  r_.place = e_.place.name;
  r_.seed = e_.seed;
  r_.data = e_.data;
  r_.data_hash = e_.data_hash;
  r_.created = e_.created;
  r_.version = e_.version;
  r_.items = e_.items;
  r_.train_items = e_.train_items;
  r_.validation_items = e_.validation.ids.size();
  r_.test_items = e_.test.ids.size();
  r_.near_duplicates = e_.near_duplicates;
  for (const ClassCount& one : e_.classes)
    r_.classes.push_back(
        fmt::format("{} {}", one.label, FormatCount(one.items)));
  r_.volume = e_.volume;
  r_.space = e_.space;
  r_.run = e_.run;
  r_.factors = e_.place.factors;
  r_.missing = e_.missing;
}

void Derivation::FillFacts(CandidateRow& row,
                           const TrialEvidence& trial) const {
  row.bytes = trial.bytes;
  row.parameters = trial.parameters;
  row.engine = trial.engine;
  row.not_deterministic = trial.not_deterministic;
  row.train_joules = trial.train;
  row.train_cpu = trial.train_cpu;
}

void Derivation::FillCosts(CandidateRow& row,
                           const CostSamples& samples) const {
  if (samples.repeats.empty()) return;
  const CostFigure cost = Summarize(samples);
  row.joules_per_1000 = cost.joules_per_1000;
  row.joules_per_1000_all = cost.joules_per_1000_all;
  row.cpu_seconds_per_1000 = cost.cpu_per_1000;
  row.g_co2e_per_1000 = OperationalCarbon(cost.joules_per_1000, e_.place);
  // The electricity of an endpoint is in its price.
  if (!cost.price_per_1000)
    row.money_per_1000 = ElectricityCost(cost.joules_per_1000, e_.place);
  row.price_per_1000 = cost.price_per_1000;
  row.phase_share = cost.phase_share;
  row.latency_p50 = cost.latency_p50;
  row.latency_p95 = cost.latency_p95;
  row.predictions_per_second = cost.predictions_per_second;
  row.peak_memory = cost.peak_memory;
  row.repeats = cost.repeats;
  row.contended = cost.contended;
}

void Derivation::FillPerCorrect(CandidateRow& row,
                                std::span<const ItemScore> scores) {
  const auto share = metric_->CorrectShare(scores);
  if (row.feasible && row.joules_per_1000 && share && *share > 0)
    row.joules_per_correct = *row.joules_per_1000 / (1000 * *share);
}

void Derivation::AddTrialRow(size_t i) {
  const TrialEvidence& trial = e_.trials[i];
  CandidateRow row;
  row.name = trial.name;
  row.family = trial.family;
  row.params = trial.params;
  row.passes = trial.passes;
  row.stages = trial.stages;
  row.search_joules = trial.cost;
  if (trial.failure.empty()) {
    FillFacts(row, trial);
    FillCosts(row, trial.samples);
    row.validation = QualityOf(*metric_, scores_[i], "validation");
    row.quality = row.validation;
  }
  row.feasible = decision_.choice.judgements[i].feasible;
  row.reason = decision_.choice.judgements[i].reason;
  FillPerCorrect(row, scores_[i]);
  r_.rows.push_back(std::move(row));
}

// What the refitted model showed on the test items replaces what it showed on
// validation.
void Derivation::AddFinal(const TrialEvidence& final_trial) {
  CandidateRow& row = r_.rows[IndexOf(final_trial.name)];
  const std::vector<ItemScore>& scores = final_scores_.at(final_trial.name);
  FillFacts(row, final_trial);
  FillCosts(row, final_trial.samples);
  row.quality = QualityOf(*metric_, scores, "test");
  row.search_joules = row.search_joules + final_trial.cost;
  FillPerCorrect(row, scores);
}

// "cascade 1 is linear, then, where that is less than 93 % sure, forest".
void Derivation::NoteCascades() {
  for (const TrialEvidence& trial : e_.trials) {
    if (trial.stages.empty() || !trial.failure.empty()) continue;
    r_.notes.push_back(fmt::format(
        "{} asks in turn, each where the one before is less sure than its "
        "threshold ({}): {}",
        trial.name, trial.params, fmt::join(trial.stages, ", then ")));
  }
}

// What of an endpoint's row is known, and from where.
void Derivation::NoteRemotes() {
  for (const CandidateRow& row : r_.rows) {
    if (!row.price_per_1000) continue;
    r_.notes.push_back(fmt::format(
        "{}: other machines answer, so every text leaves this one; {} per "
        "1,000 predictions by the price list; energy by assumption, carbon as "
        "if it were used here",
        row.name, FormatMoney(*row.price_per_1000)));
  }
  const auto say = [this](const TrialEvidence& trial, std::string_view where) {
    if (trial.note && trial.failure.empty())
      r_.notes.push_back(
          fmt::format("{}: {}{}", trial.name, *trial.note, where));
  };
  for (const TrialEvidence& trial : e_.trials) say(trial, "");
  for (const TrialEvidence& trial : e_.finals)
    say(trial, ", on the test items");
  if (!e_.search_price) return;
  r_.notes.push_back(
      fmt::format("the search itself cost {:.2g} {} at endpoints, "
                  "by their price lists",
                  *e_.search_price, e_.search_currency.value_or("")));
}

// Cheaper models that these items cannot tell from good enough ones: where the
// most accurate is chosen no claim is tested that would say so.
void Derivation::NoteUndecided() {
  if (!requirement_.within) return;
  const Joules chosen = Chosen().joules_per_1000->mid;
  std::vector<std::string> names;
  for (size_t i = 0; i < e_.trials.size(); ++i) {
    const Judgement& judgement = decision_.choice.judgements[i];
    const CandidateRow& row = r_.rows[i];
    if (!judgement.feasible && !judgement.established && row.joules_per_1000 &&
        row.joules_per_1000->mid < chosen)
      names.push_back(row.name);
  }
  if (names.empty()) return;
  const size_t more = names.size() > 3 ? names.size() - 3 : 0;
  names.resize(names.size() - more);
  r_.notes.push_back(fmt::format(
      "that a cheaper model would not do is not established: {} validation "
      "items cannot tell ({}{})",
      r_.validation_items, fmt::join(names, "; "),
      more > 0 ? fmt::format("; {} more", more) : std::string()));
}

void Derivation::NoteContention() {
  size_t measured = 0;
  size_t never_quiet = 0;
  for (const CandidateRow& row : r_.rows) {
    if (row.repeats == 0) continue;
    ++measured;
    if (row.contended == row.repeats) ++never_quiet;
  }
  if (never_quiet == 0) return;
  r_.notes.push_back(fmt::format(
      "the machine was never quiet while {} models were measured: every repeat "
      "of theirs is contended, the figures are with them",
      never_quiet == measured
          ? std::string("the")
          : fmt::format("{} of the {}", never_quiet, measured)));
}

void Derivation::NoteNotEstablished(const std::string& against, double p) {
  std::string note =
      fmt::format("not established against {} on {} test items (p = {:.3f})",
                  against, r_.test_items, p);
  const double margin = requirement_.within.value_or(0);
  if (!requirement_.floor && metric_->is_proportion() && margin > 0)
    note += fmt::format(
        ": they detect a loss of {}; a margin of {} needs about {} items",
        FormatQualityLoss(metric_->name(), r_.smallest_detectable_loss),
        FormatQualityLoss(metric_->name(), margin),
        FormatNumber(static_cast<double>(
            ItemsNeeded(margin, std::max(discordant_, 1.0 / 1000)))));
  r_.notes.push_back(std::move(note));
}

// The claims made of the chosen model, on the test items, Holm-corrected.
void Derivation::TestClaims() {
  const auto found = final_scores_.find(r_.chosen);
  if (found == final_scores_.end()) return;
  const std::vector<ItemScore>& chosen = found->second;
  std::vector<double> p_values;
  std::vector<std::string> against;
  const double margin = requirement_.within.value_or(0);
  if (requirement_.floor) {
    p_values.push_back(FloorPValue(*metric_, chosen, *requirement_.floor));
    against.emplace_back("the floor");
  }
  for (const TrialEvidence& trial : e_.finals) {
    if (trial.name == r_.chosen) continue;
    const Comparison comparison =
        Compare(*metric_, chosen, final_scores_.at(trial.name), margin);
    r_.smallest_detectable_loss =
        std::max(r_.smallest_detectable_loss, comparison.smallest_detectable);
    if (requirement_.floor) continue;
    p_values.push_back(comparison.p_value);
    against.push_back(trial.name);
    discordant_ = std::max(discordant_, comparison.discordant_share);
  }
  const std::vector<double> adjusted = HolmAdjust(p_values);
  r_.established = true;
  for (size_t i = 0; i < adjusted.size(); ++i) {
    if (adjusted[i] <= 0.05) continue;
    r_.established = false;
    NoteNotEstablished(against[i], adjusted[i]);
  }
}

void Derivation::ChargeSearch() {
  r_.search_parts = e_.search_parts;
  r_.search_seconds = e_.search_wall;
  std::optional<Estimate<Joules>> sum;
  auto add = [&](const Estimate<Joules>& joules) {
    sum = sum ? *sum + joules : joules;
  };
  for (const SearchPart& part : e_.search_parts) add(part.joules);
  for (const CandidateRow& row : r_.rows) add(row.search_joules);
  if (sum) r_.search_joules = *sum;
}

// When the search is repaid against the baseline, or why that is not known.
void Derivation::ReadPayback() {
  const CandidateRow& chosen = Chosen();
  if (r_.baseline == r_.chosen) {
    r_.payback_reason = "nothing to repay: it is the baseline";
    return;
  }
  if (final_scores_.contains(r_.baseline)) {
    const CandidateRow& before = r_.rows[IndexOf(r_.baseline)];
    PaybackAnswer answer = PaybackOf(r_.search_joules, *before.joules_per_1000,
                                     *chosen.joules_per_1000);
    r_.payback = answer.payback;
    r_.payback_reason = std::move(answer.reason);
    r_.cpu_ratio =
        Ratio(*before.cpu_seconds_per_1000, *chosen.cpu_seconds_per_1000);
    r_.energy_ratio = Ratio(*before.joules_per_1000, *chosen.joules_per_1000);
    return;
  }
  r_.payback_reason = FindByName(e_.references, r_.baseline) != nullptr
                          ? "not computed: a published figure has another scope"
                          : "not computed: it was not measured";
}

// A row is on the front when no other is at least as good in quality and cost
// and better in one. Selection's own figures, all from the same items.
void Derivation::MarkPareto() {
  const double sign = metric_->sign();
  struct Point {
    double quality, joules;
  };
  std::vector<std::optional<Point>> points;
  for (const TrialEvidence& trial : e_.trials) {
    const CandidateRow& row = r_.rows[points.size()];
    points.emplace_back();
    if (row.validation && !trial.samples.repeats.empty())
      points.back() =
          Point{sign * row.validation->mid,
                Summarize(trial.samples).joules_per_1000.mid.value()};
  }
  for (size_t i = 0; i < points.size(); ++i) {
    if (!points[i]) continue;
    r_.rows[i].pareto =
        std::none_of(points.begin(), points.end(), [&](const auto& other) {
          return other && other->quality >= points[i]->quality &&
                 other->joules <= points[i]->joules &&
                 (other->quality > points[i]->quality ||
                  other->joules < points[i]->joules);
        });
  }
}

void Derivation::AddReferences() {
  for (const Reference& reference : e_.references) {
    CandidateRow row;
    row.name = reference.name;
    row.family = "reference";
    row.reference = true;
    row.planned = reference.planned;
    row.source = reference.source;
    row.scope_note = reference.scope;
    Estimate<Joules> energy = Exactly(Joules(reference.joules_per_1000),
                                      Origin::kAssumed, Scope::kDevice);
    if (reference.high > reference.low && reference.low > 0)
      energy.own_sd = energy.mid.value() *
                      std::log(reference.high / reference.low) / (2 * kZ90);
    row.joules_per_1000 = energy;
    row.reason = reference.planned ? "not run: planned" : "not run: published";
    r_.rows.push_back(std::move(row));
    r_.factors.push_back({reference.name, reference.joules_per_1000,
                          "J per 1,000", reference.source, reference.date});
  }
}

// Payback, ratios, the deployment's idle, the verdict.
void Derivation::Conclude() {
  r_.chosen = decision_.chosen;
  r_.baseline = decision_.baseline;
  r_.baseline_rule = decision_.baseline_rule;
  if (decision_.choice.chosen) {
    NoteUndecided();
    TestClaims();
    Chosen().reason = "CHOSEN";
    ReadPayback();
    if (e_.volume > 0)
      r_.predict_month = *Chosen().joules_per_1000 * (e_.volume / 1000);
    r_.energy_note = EnergyNote(*Chosen().joules_per_1000);
  }
  r_.idle_month =
      e_.idle_power * Exactly(kMonth, Origin::kCounter, Scope::kWall);
  NoteCascades();
  NoteRemotes();
  NoteContention();
  const auto largest =
      std::max_element(e_.classes.begin(), e_.classes.end(),
                       [](const ClassCount& a, const ClassCount& b) {
                         return a.items < b.items;
                       });
  r_.verdict = VerdictText(
      r_, largest == e_.classes.end() ? std::string() : largest->label);
}

Result<FitResult> Derivation::Run() {
  MODICUM_TRY(decision_, Decide());
  DescribeTask();
  for (size_t i = 0; i < e_.trials.size(); ++i) AddTrialRow(i);
  for (const TrialEvidence& trial : e_.finals) AddFinal(trial);
  ChargeSearch();
  Conclude();
  MarkPareto();
  r_.changes =
      WhatChangesTheAnswer(e_, r_, *metric_, Contenders(), discordant_);
  AddReferences();
  return std::move(r_);
}

}  // namespace

Result<Decision> Decide(const FitEvidence& evidence) {
  return Derivation(evidence).Decide();
}

Result<FitResult> Derive(const FitEvidence& evidence) {
  return Derivation(evidence).Run();
}

}  // namespace modicum
