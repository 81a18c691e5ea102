// SPDX-License-Identifier: Apache-2.0
// Fit as a list of steps: load and split, try candidates, measure their cost
// in turn, choose on validation data, refit and open the test once, conclude.
#include "fit/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/statistics.h"
#include "base/suggest.h"
#include "dataset/catalog.h"
#include "dataset/dataset.h"
#include "evaluate/cost.h"
#include "evaluate/metric.h"
#include "evaluate/quality.h"
#include "fit/choose.h"
#include "fit/payback.h"
#include "fit/trial.h"
#include "fit/verdict.h"
#include "model/artifact.h"
#include "record/quality_text.h"

namespace modicum {
namespace {

constexpr double kHoursAMonth = 730.5;  // 365.25 days / 12

class FitJob {
 public:
  FitJob(const Task& task, const FitParts& parts) : task_(task), parts_(parts) {
    requirement_.within = task.within;
    requirement_.floor = task.floor;
  }

  Result<FitResult> Run();

 private:
  Status LoadAndSplit();
  Status TryCandidates();
  Status MeasureCosts();
  Status Decide();
  Status Confirm();
  Status Conclude();
  Status SaveArtifact();

  // TryCandidates: one candidate, or why it need not be tried.
  Status TryOne(const Candidate& candidate);
  std::optional<std::string> NotWorthTrying(const Candidate& candidate) const;
  bool OverBudget();
  Status CheckCurrent(const std::vector<Candidate>& candidates) const;
  void ReadBaseline();
  void NoteUndecided();
  const CandidateRow* BestOfCurrent() const;
  void ReadPayback();
  // Confirm: the models whose test results the claims need.
  std::vector<size_t> Finalists() const;
  void TestClaims();
  void FillCosts(CandidateRow& row, const CostFigure& cost) const;
  void FillFacts(CandidateRow& row, const TrialOutcome& outcome,
                 const ModelInfo& info) const;
  Status RecordRepeats(const std::string& name, const CostFigure& cost);
  void AddReferences();
  void NoteContention();
  void ChargeSearch(const WindowReading& reading);
  void ChargeStopped(const WindowReading& reading);
  void Progress(std::string_view what) {
    if (parts_.progress) parts_.progress(done_, total_, what);
  }
  Seconds Elapsed() const { return parts_.clock.Now() - began_; }
  std::vector<Item> Items(const std::vector<uint32_t>& rows) const;
  size_t IndexOf(const std::string& name) const;

  const Task& task_;
  const FitParts& parts_;
  Requirement requirement_;
  MonotonicTime began_;

  Dataset data_;
  Split split_;
  std::unique_ptr<Metric> metric_;
  std::unique_ptr<TrialRunner> runner_;

  std::vector<TrialOutcome> outcomes_;          // selection stage, one per row
  std::vector<std::unique_ptr<Model>> models_;  // null where it failed
  Choice choice_;
  std::map<size_t, TrialOutcome> finals_;  // by row
  std::map<size_t, CostFigure> final_costs_;
  std::vector<Estimate<Joules>> resumed_costs_;  // taken from the ledger
  Seconds resumed_wall_;
  uint64_t next_measurement_ = 0;

  uint64_t done_ = 0;
  uint64_t total_ = 1;
  FitResult result_;
};

std::vector<Item> FitJob::Items(const std::vector<uint32_t>& rows) const {
  std::vector<Item> items;
  items.reserve(rows.size());
  for (const uint32_t row : rows) items.push_back(data_.items[row]);
  return items;
}

size_t FitJob::IndexOf(const std::string& name) const {
  for (size_t i = 0; i < outcomes_.size(); ++i)
    if (outcomes_[i].candidate.name == name) return i;
  return outcomes_.size();
}

Status FitJob::LoadAndSplit() {
  Progress("loading the data");
  std::string path = task_.data;
  constexpr std::string_view kCatalog = "catalog:";
  if (path.starts_with(kCatalog)) {
    GetDataOptions get;
    get.stop = parts_.stop;
    get.progress = [this](std::string_view step) { Progress(step); };
    MODICUM_TRY(path,
                GetData(path.substr(kCatalog.size()), parts_.data_dir, get));
  }
  LoadOptions options;
  options.format = task_.format;
  options.text = task_.text;
  options.label = task_.label;
  if (task_.replace_bad_bytes) options.bad_bytes = BadBytes::kReplace;
  MODICUM_TRY(data_, LoadDataset(path, options));
  MODICUM_RETURN_IF_ERROR(CheckTrainable(data_, 3));
  MODICUM_TRY(metric_, MakeMetric(task_.metric, data_.labels));
  result_.near_duplicates = GroupNearDuplicates(data_);
  SplitOptions split;
  split.test = task_.test;
  split.validation = task_.validation;
  split.seed = task_.seed;
  MODICUM_TRY(split_, SplitDataset(data_, split));

  result_.items = data_.items.size();
  result_.train_items = split_.train.size();
  result_.validation_items = split_.validation.size();
  result_.test_items = split_.test.size();
  for (const ClassSummary& c : Summarize(data_).classes)
    result_.classes.push_back(
        fmt::format("{} {}", c.label, FormatCount(c.items)));
  result_.requirement = RequirementText(*metric_, requirement_);

  runner_ = std::make_unique<TrialRunner>(TrialRunner::Parts{
      task_, data_, split_, *metric_, parts_.ledger, parts_.meter, parts_.clock,
      parts_.data_dir + "/fit-cache", parts_.run,
      HashOfTask(task_, data_, parts_.host), parts_.stop});
  return {};
}

bool FitJob::OverBudget() {
  if (task_.budget.time && Elapsed() + resumed_wall_ > *task_.budget.time)
    return true;
  Joules spent;
  for (const TrialOutcome& outcome : outcomes_) spent += outcome.cost.mid;
  return task_.budget.energy && spent > *task_.budget.energy;
}

// A candidate that could not save what its own trial costs, even if it made
// predictions free, is not tried. The first of each family always is: without
// it nothing is known of the family.
std::optional<std::string> FitJob::NotWorthTrying(
    const Candidate& candidate) const {
  if (candidate.first_of_family || task_.volume <= 0) return std::nullopt;
  std::optional<Joules> trial;
  std::vector<Contender> contenders;
  for (const TrialOutcome& outcome : outcomes_) {
    if (outcome.candidate.family == candidate.family && !outcome.resumed)
      trial = outcome.cost.mid;
    contenders.push_back({outcome.candidate.name, outcome.scores,
                          outcome.per_1000, outcome.failure});
  }
  const Choice so_far = Choose(*metric_, contenders, requirement_, task_.seed);
  if (!trial || !so_far.chosen) return std::nullopt;
  const Joules could_save = outcomes_[*so_far.chosen].per_1000.mid *
                            (task_.volume * kPlannedMonths / 1000);
  if (could_save >= *trial) return std::nullopt;
  return fmt::format(
      "not tried: a trial costs about {}, all predictions of {} months only "
      "{}",
      FormatWithUnit(trial->value(), "J"), FormatNumber(kPlannedMonths),
      FormatWithUnit(could_save.value(), "J"));
}

Status FitJob::TryOne(const Candidate& candidate) {
  if (parts_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  Progress(candidate.name);
  TrialOutcome outcome;
  if (auto reason = NotWorthTrying(candidate)) {
    outcome.candidate = candidate;
    outcome.failure = *std::move(reason);
  } else if (OverBudget()) {
    outcome.candidate = candidate;
    outcome.failure = "not tried: the task's budget is spent";
  } else {
    MODICUM_TRY(outcome, runner_->Run(candidate, Stage::kSelect));
  }
  if (outcome.resumed) {
    resumed_costs_.push_back(outcome.cost);
    resumed_wall_ += outcome.wall;
  }
  outcomes_.push_back(std::move(outcome));
  ++done_;
  return {};
}

Status FitJob::TryCandidates() {
  MODICUM_TRY(const auto candidates, EnumerateCandidates(task_.families));
  MODICUM_RETURN_IF_ERROR(CheckCurrent(candidates));
  total_ = candidates.size() + 3;
  // The first of every family, then the others while they may still pay.
  for (const bool first : {true, false})
    for (const Candidate& candidate : candidates)
      if (candidate.first_of_family == first)
        MODICUM_RETURN_IF_ERROR(TryOne(candidate));
  // Back to the order of the list: humblest family first.
  auto order = [&](const TrialOutcome& outcome) {
    return std::find_if(candidates.begin(), candidates.end(),
                        [&](const Candidate& candidate) {
                          return candidate.name == outcome.candidate.name;
                        }) -
           candidates.begin();
  };
  std::sort(outcomes_.begin(), outcomes_.end(),
            [&](const TrialOutcome& a, const TrialOutcome& b) {
              return order(a) < order(b);
            });
  return {};
}

void FitJob::FillFacts(CandidateRow& row, const TrialOutcome& outcome,
                       const ModelInfo& info) const {
  row.bytes = info.bytes;
  row.parameters = info.parameters;
  row.engine = info.engine + " " + info.engine_version;
  row.not_deterministic = info.not_deterministic;
  row.train_joules = outcome.train;
  row.train_cpu = outcome.train_cpu;
}

void FitJob::FillCosts(CandidateRow& row, const CostFigure& cost) const {
  row.joules_per_1000 = cost.joules_per_1000;
  row.joules_per_1000_all = cost.joules_per_1000_all;
  row.cpu_seconds_per_1000 = cost.cpu_per_1000;
  row.g_co2e_per_1000 = OperationalCarbon(cost.joules_per_1000, parts_.place);
  row.money_per_1000 = ElectricityCost(cost.joules_per_1000, parts_.place);
  row.phase_share = cost.phase_share;
  row.latency_p50 = cost.latency_p50;
  row.latency_p95 = cost.latency_p95;
  row.predictions_per_second = cost.predictions_per_second;
  row.peak_memory = cost.peak_memory;
  row.repeats = cost.repeats.size();
  row.contended = cost.contended;
}

// Loads every model and measures all of them in turn on the validation items.
Status FitJob::MeasureCosts() {
  Progress("measuring the cost of each");
  std::vector<CostSubject> subjects;
  std::vector<size_t> rows;
  models_.resize(outcomes_.size());
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    const TrialOutcome& outcome = outcomes_[i];
    CandidateRow row;
    row.name = outcome.candidate.name;
    row.family = outcome.candidate.family;
    row.params = ToString(outcome.candidate.params);
    row.reason = outcome.failure;
    if (outcome.failure.empty()) {
      MODICUM_TRY(models_[i], runner_->Load(outcome));
      FillFacts(row, outcome, models_[i]->info());
      row.validation =
          QualityOf(*metric_, outcome.scores, "validation", task_.seed);
      row.quality = row.validation;
      subjects.push_back({row.name, row.family, models_[i].get()});
      rows.push_back(i);
    }
    result_.rows.push_back(std::move(row));
  }
  if (subjects.empty()) return {};
  CostOptions options;
  options.max_repeats = 10;
  const std::vector<Item> items = Items(split_.validation);
  MODICUM_TRY(const auto costs,
              modicum::MeasureCosts(subjects, items, options, parts_.meter,
                                    parts_.fs, parts_.clock, parts_.stop));
  for (size_t k = 0; k < rows.size(); ++k)
    FillCosts(result_.rows[rows[k]], costs[k]);
  ++done_;
  return {};
}

// `current` may name a candidate, a family (its best is meant) or a
// reference. Said before anything is trained.
Status FitJob::CheckCurrent(const std::vector<Candidate>& candidates) const {
  std::vector<std::string_view> names;
  for (const Candidate& candidate : candidates) {
    names.push_back(candidate.name);
    names.push_back(candidate.family);
  }
  for (const Reference& reference : task_.references)
    names.push_back(reference.name);
  if (task_.current.empty() ||
      std::find(names.begin(), names.end(), task_.current) != names.end())
    return {};
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{}: current = \"{}\" names no candidate, family or "
                  "reference{}",
                  task_.file, task_.current, DidYouMean(task_.current, names)),
      fmt::format("it can be: {}", fmt::join(names, "; ")));
}

// The row that `current` names: itself, or the best measured of its family.
const CandidateRow* FitJob::BestOfCurrent() const {
  const CandidateRow* best = nullptr;
  const double sign = metric_->higher_is_better() ? 1 : -1;
  for (const CandidateRow& row : result_.rows) {
    if (!row.validation) continue;
    if (row.name == task_.current) return &row;
    if (row.family == task_.current &&
        (best == nullptr ||
         sign * row.validation->mid > sign * best->validation->mid))
      best = &row;
  }
  return best;
}

// Without `current` the most accurate candidate is the baseline.
void FitJob::ReadBaseline() {
  if (task_.current.empty()) {
    result_.baseline_rule = "the most accurate";
    if (choice_.best) result_.baseline = result_.rows[*choice_.best].name;
    return;
  }
  result_.baseline_rule = "named by current";
  const CandidateRow* best = BestOfCurrent();
  result_.baseline = best != nullptr ? best->name : task_.current;
}

Status FitJob::Decide() {
  std::vector<Contender> contenders;
  for (size_t i = 0; i < outcomes_.size(); ++i)
    contenders.push_back({outcomes_[i].candidate.name, outcomes_[i].scores,
                          result_.rows[i].joules_per_1000,
                          outcomes_[i].failure});
  choice_ = Choose(*metric_, contenders, requirement_, task_.seed);
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    CandidateRow& row = result_.rows[i];
    row.feasible = choice_.judgements[i].feasible;
    row.reason = choice_.judgements[i].reason;
    const auto share = metric_->CorrectShare(outcomes_[i].scores);
    if (row.feasible && row.joules_per_1000 && share && *share > 0)
      row.joules_per_correct = *row.joules_per_1000 / (1000 * *share);
  }
  if (choice_.chosen) {
    result_.chosen = result_.rows[*choice_.chosen].name;
    result_.rows[*choice_.chosen].reason = "CHOSEN";
  }
  NoteUndecided();
  ReadBaseline();
  return {};
}

// Cheaper models that these items cannot tell from good enough ones: where the
// most accurate is chosen no claim is tested that would say so.
void FitJob::NoteUndecided() {
  if (!choice_.chosen || !requirement_.within) return;
  const Joules chosen = result_.rows[*choice_.chosen].joules_per_1000->mid;
  std::vector<std::string> names;
  for (size_t i = 0; i < outcomes_.size(); ++i) {
    const Judgement& judgement = choice_.judgements[i];
    const CandidateRow& row = result_.rows[i];
    if (!judgement.feasible && !judgement.established && row.joules_per_1000 &&
        row.joules_per_1000->mid < chosen)
      names.push_back(row.name);
  }
  if (names.empty()) return;
  result_.notes.push_back(fmt::format(
      "that a cheaper model would not do is not established: {} validation "
      "items cannot tell ({})",
      result_.validation_items, fmt::join(names, "; ")));
}

std::vector<size_t> FitJob::Finalists() const {
  std::vector<size_t> finalists{*choice_.chosen};
  auto add = [&](size_t row) {
    if (row < outcomes_.size() && outcomes_[row].failure.empty() &&
        std::find(finalists.begin(), finalists.end(), row) == finalists.end())
      finalists.push_back(row);
  };
  add(IndexOf(result_.baseline));
  if (requirement_.within) add(*choice_.best);
  return finalists;
}

// Refits the finalists on train + validation, opens the test once for them,
// and measures them in turn: these are the figures that are reported.
Status FitJob::Confirm() {
  if (!choice_.chosen) return {};
  const std::vector<size_t> finalists = Finalists();
  std::vector<std::unique_ptr<Model>> models;
  std::vector<CostSubject> subjects;
  for (const size_t i : finalists) {
    Progress("refitting " + outcomes_[i].candidate.name);
    MODICUM_TRY(TrialOutcome outcome,
                runner_->Run(outcomes_[i].candidate, Stage::kFinal));
    if (!outcome.failure.empty())
      return Fail(ErrorCode::kInternal,
                  fmt::format("refitting {} failed: {}", outcome.candidate.name,
                              outcome.failure));
    if (outcome.resumed) {
      resumed_costs_.push_back(outcome.cost);
      resumed_wall_ += outcome.wall;
    }
    MODICUM_TRY(auto model, runner_->Load(outcome));
    CandidateRow& row = result_.rows[i];
    FillFacts(row, outcome, model->info());
    row.quality = QualityOf(*metric_, outcome.scores, "test", task_.seed);
    subjects.push_back({row.name, row.family, model.get()});
    models.push_back(std::move(model));
    finals_.emplace(i, std::move(outcome));
  }
  Progress("measuring the finalists");
  const std::vector<Item> items = Items(split_.test);
  MODICUM_TRY(
      const auto costs,
      modicum::MeasureCosts(subjects, items, CostOptions{}, parts_.meter,
                            parts_.fs, parts_.clock, parts_.stop));
  for (size_t k = 0; k < finalists.size(); ++k) {
    CandidateRow& row = result_.rows[finalists[k]];
    FillCosts(row, costs[k]);
    const auto share = metric_->CorrectShare(finals_.at(finalists[k]).scores);
    if (row.feasible && share && *share > 0)
      row.joules_per_correct = *row.joules_per_1000 / (1000 * *share);
    MODICUM_RETURN_IF_ERROR(RecordRepeats(row.name, costs[k]));
    final_costs_.emplace(finalists[k], costs[k]);
  }
  TestClaims();
  ++done_;
  return {};
}

Status FitJob::RecordRepeats(const std::string& name, const CostFigure& cost) {
  std::vector<Measurement> rows;
  for (size_t i = 0; i < cost.repeats.size(); ++i) {
    const Repeat& repeat = cost.repeats[i];
    Measurement row;
    row.key = {parts_.run, parts_.host.boot, "host", next_measurement_++};
    row.name = fmt::format("{}: repeat {}, {} predictions", name, i + 1,
                           repeat.predictions);
    row.phase = Phase::kPrefill;
    row.domain = "process";
    row.probe = "meter";
    row.at = parts_.clock.WallNow();
    row.wall = repeat.wall;
    row.cpu = repeat.cpu;
    row.energy = repeat.energy;
    row.contended = repeat.contended;
    rows.push_back(std::move(row));
  }
  return parts_.ledger.Put(rows);
}

// The claims made of the chosen model, on the test items, Holm-corrected.
void FitJob::TestClaims() {
  const std::vector<ItemScore>& chosen = finals_.at(*choice_.chosen).scores;
  std::vector<double> p_values;
  std::vector<std::string> against;
  double discordant = 0;
  const double margin = requirement_.within.value_or(0);
  if (requirement_.floor) {
    p_values.push_back(
        FloorPValue(*metric_, chosen, *requirement_.floor, task_.seed));
    against.push_back("the floor");
  }
  for (const auto& [row, outcome] : finals_) {
    if (row == *choice_.chosen) continue;
    const Comparison comparison =
        Compare(*metric_, chosen, outcome.scores, margin, task_.seed);
    result_.smallest_detectable_loss = std::max(
        result_.smallest_detectable_loss, comparison.smallest_detectable);
    if (requirement_.floor) continue;
    p_values.push_back(comparison.p_value);
    against.push_back(outcome.candidate.name);
    discordant = std::max(discordant, comparison.discordant_share);
  }
  const std::vector<double> adjusted = HolmAdjust(p_values);
  result_.established = true;
  for (size_t i = 0; i < adjusted.size(); ++i) {
    if (adjusted[i] <= 0.05) continue;
    result_.established = false;
    std::string note =
        fmt::format("not established against {} on {} test items (p = {:.3f})",
                    against[i], result_.test_items, adjusted[i]);
    if (!requirement_.floor && metric_->is_proportion() && margin > 0)
      note += fmt::format(
          ": they detect a loss of {}; a margin of {} needs about {} items",
          FormatQualityLoss(metric_->name(), result_.smallest_detectable_loss),
          FormatQualityLoss(metric_->name(), margin),
          FormatNumber(static_cast<double>(
              ItemsNeeded(margin, std::max(discordant, 1.0 / 1000)))));
    result_.notes.push_back(std::move(note));
  }
}

void FitJob::AddReferences() {
  for (const Reference& reference : task_.references) {
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
    result_.rows.push_back(std::move(row));
    result_.factors.push_back({reference.name, reference.joules_per_1000,
                               "J per 1,000", reference.source,
                               reference.date});
  }
}

void FitJob::NoteContention() {
  size_t measured = 0;
  size_t never_quiet = 0;
  for (const CandidateRow& row : result_.rows) {
    if (row.repeats == 0) continue;
    ++measured;
    if (row.contended == row.repeats) ++never_quiet;
  }
  if (never_quiet == 0) return;
  result_.notes.push_back(fmt::format(
      "the machine was never quiet while {} models were measured: every repeat "
      "of theirs is contended, the figures are with them",
      never_quiet == measured
          ? std::string("the")
          : fmt::format("{} of the {}", never_quiet, measured)));
}

// When the search is repaid against the baseline, or why that is not known.
void FitJob::ReadPayback() {
  const CandidateRow& chosen = result_.rows[*choice_.chosen];
  const size_t baseline = IndexOf(result_.baseline);
  if (baseline == *choice_.chosen) {
    result_.payback_reason = "nothing to repay: it is the baseline";
  } else if (baseline < outcomes_.size() && finals_.contains(baseline)) {
    const CandidateRow& before = result_.rows[baseline];
    PaybackAnswer answer =
        PaybackOf(result_.search_joules, *before.joules_per_1000,
                  *chosen.joules_per_1000);
    result_.payback = answer.payback;
    result_.payback_reason = std::move(answer.reason);
    result_.cpu_ratio =
        Ratio(*before.cpu_seconds_per_1000, *chosen.cpu_seconds_per_1000);
    result_.energy_ratio =
        Ratio(*before.joules_per_1000, *chosen.joules_per_1000);
  } else {
    const bool published =
        std::any_of(task_.references.begin(), task_.references.end(),
                    [&](const Reference& reference) {
                      return reference.name == result_.baseline;
                    });
    result_.payback_reason =
        published ? "not computed: a published figure has another scope"
                  : "not computed: it was not measured";
  }
}

// Payback, ratios, the deployment's idle, the verdict.
Status FitJob::Conclude() {
  if (choice_.chosen) {
    const CandidateRow& chosen = result_.rows[*choice_.chosen];
    ReadPayback();
    if (task_.volume > 0)
      result_.predict_month = *chosen.joules_per_1000 * (task_.volume / 1000);
    result_.energy_note = EnergyNote(*chosen.joules_per_1000);
  }
  result_.idle_month =
      parts_.meter.idle_power() *
      Exactly(Hours(kHoursAMonth), Origin::kCounter, Scope::kWall);
  NoteContention();
  std::string majority;
  if (choice_.chosen && result_.rows[*choice_.chosen].family == "majority") {
    const auto classes = Summarize(data_).classes;
    const auto largest =
        std::max_element(classes.begin(), classes.end(),
                         [](const ClassSummary& a, const ClassSummary& b) {
                           return a.items < b.items;
                         });
    majority = largest->label;
  }
  result_.verdict = VerdictText(result_, majority);
  return {};
}

Status FitJob::SaveArtifact() {
  if (parts_.artifact.empty() || !choice_.chosen) return {};
  const size_t index = *choice_.chosen;
  const TrialOutcome& outcome = finals_.at(index);
  const CandidateRow& row = result_.rows[index];
  Card card;
  card.name = task_.name;
  card.kind = task_.kind;
  card.family = outcome.candidate.family;
  card.params = outcome.candidate.params;
  card.labels = data_.labels;
  MODICUM_TRY(const Engine* engine, EngineOf(card.family));
  card.engine = engine->name();
  card.engine_version = engine->version();
  card.text_field = task_.text;
  card.data = data_.hash;
  card.train_items = split_.train.size() + split_.validation.size();
  card.seed = task_.seed;
  card.parameters = row.parameters;
  if (row.validation) card.quality.push_back(*row.validation);
  if (row.quality) card.quality.push_back(*row.quality);
  card.joules_per_1000 = row.joules_per_1000;
  card.train_joules = row.train_joules;
  card.cpu_seconds_per_1000 = row.cpu_seconds_per_1000->mid.value();
  card.machine = result_.machine;
  card.place = result_.place;
  card.created = FormatUtc(parts_.clock.WallNow());
  card.modicum_version = parts_.version;
  MODICUM_RETURN_IF_ERROR(WriteArtifact(parts_.artifact, std::move(card),
                                        outcome.directory, outcome.files));
  result_.artifact = parts_.artifact;
  return {};
}

// What the search cost: this process, trials of an earlier one, and what
// earlier ones spent before they were stopped.
void FitJob::ChargeSearch(const WindowReading& reading) {
  result_.search_joules = OfWorkload(reading.split.own(), "training");
  for (const Estimate<Joules>& cost : resumed_costs_)
    result_.search_joules = result_.search_joules + cost;
  result_.search_seconds = reading.wall + resumed_wall_;
  const auto stopped = runner_->Unfinished();
  if (!stopped || !*stopped) return;
  result_.search_joules = result_.search_joules + (*stopped)->cost;
  result_.search_seconds += (*stopped)->wall;
}

// Keeps what a search that stops here spent beside the trials it recorded.
// Why it stops is what must be said, so a ledger that fails here is not.
void FitJob::ChargeStopped(const WindowReading& reading) {
  if (!runner_) return;
  Joules in_trials;
  Seconds wall = reading.wall;
  auto add = [&](const TrialOutcome& outcome) {
    if (outcome.resumed) return;
    in_trials += outcome.cost.mid;
    wall -= outcome.wall;
  };
  for (const TrialOutcome& outcome : outcomes_) add(outcome);
  for (const auto& [row, outcome] : finals_) add(outcome);
  const Estimate<Joules> own = OfWorkload(reading.split.own(), "training");
  if (own.mid <= in_trials) return;
  const Status kept = runner_->ChargeUnfinished(own * (1 - in_trials / own.mid),
                                                std::max(wall, Seconds(0)));
  static_cast<void>(kept);
}

Result<FitResult> FitJob::Run() {
  began_ = parts_.clock.Now();
  // Not only when the search is over.
  if (!parts_.artifact.empty())
    MODICUM_RETURN_IF_ERROR(CheckArtifactPath(parts_.artifact));
  result_.task = task_.name;
  result_.kind = task_.kind;
  result_.metric = task_.metric;
  result_.machine = MachineText(parts_.host);
  result_.place = parts_.place.name;
  result_.seed = task_.seed;
  result_.volume = task_.volume;
  result_.run = parts_.run;
  result_.factors = parts_.place.factors;

  const WindowId window = parts_.meter.Begin("fit");
  auto steps = [this]() -> Status {
    MODICUM_RETURN_IF_ERROR(LoadAndSplit());
    MODICUM_RETURN_IF_ERROR(TryCandidates());
    MODICUM_RETURN_IF_ERROR(MeasureCosts());
    MODICUM_RETURN_IF_ERROR(Decide());
    return Confirm();
  };
  Status status = steps();
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!status) {
    ChargeStopped(reading);
    return Fail(std::move(status).error());
  }
  ChargeSearch(reading);
  MODICUM_RETURN_IF_ERROR(Conclude());
  MODICUM_RETURN_IF_ERROR(SaveArtifact());
  AddReferences();
  return std::move(result_);
}

}  // namespace

Result<FitResult> Fit(const Task& task, const FitParts& parts) {
  return FitJob(task, parts).Run();
}

}  // namespace modicum
