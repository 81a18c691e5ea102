// SPDX-License-Identifier: Apache-2.0
// Fit as a list of steps: load and split, search, measure what matters in
// turn, choose on validation data, refit and open the test once, derive.
#include "fit/fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "base/suggest.h"
#include "dataset/dataset.h"
#include "evaluate/cost.h"
#include "evaluate/metric.h"
#include "fit/cascades.h"
#include "fit/choose.h"
#include "fit/derive.h"
#include "fit/networks.h"
#include "fit/search.h"
#include "fit/trial.h"
#include "fit/verdict.h"
#include "hardware/machine.h"
#include "model/artifact.h"
#include "place/references.h"

namespace modicum {
namespace {

// Candidates whose cost is measured properly: enough to show each family.
constexpr size_t kMostMeasured = 10;
// A first look at the cost errs by less than this factor.
constexpr double kFirstLook = 1.3;

class FitJob {
 public:
  FitJob(const Task& task, const FitParts& parts)
      : task_(task), parts_(parts), requirement_{task.within, task.floor} {}

  Result<FitReport> Run();

 private:
  void DescribeTask();
  Status LoadAndSplit();
  Status SearchCandidates();
  Status MeasureWhatMatters();
  Status Confirm();
  Status SaveArtifact(const FitResult& result);

  // SearchCandidates: one question, or why it need not be asked.
  Result<std::unique_ptr<Search>> MakeSearch();
  Result<TrialOutcome> Answer(const Question& question);
  std::optional<std::string> NotWorthTrying(const Question& question) const;
  bool OverBudget() const;
  Status CheckCurrent(const std::vector<Candidate>& candidates) const;
  void Keep(const Question& question, TrialOutcome outcome);
  void KeepDropped(const Search& search);
  void SortTrials();
  std::vector<std::string> WhatMatters(
      const Decision& decision, const std::vector<std::string>& measured) const;
  Status Measure(const std::vector<std::string>& names);
  Status RecordRepeats(const std::string& name, const CostSamples& samples);

  struct Spent {
    Joules joules;
    Seconds wall;
  };
  Spent SpentInTrials(bool with_resumed) const;
  std::optional<Estimate<Joules>> BesideTrials(
      const WindowReading& reading) const;
  void ChargeSearch(const WindowReading& reading);
  void ChargeStopped(const WindowReading& reading);
  void Progress(std::string_view what) {
    total_ = std::max(total_, done_ + 1);
    if (parts_.progress) parts_.progress(done_, total_, what);
  }
  Seconds Elapsed() const { return parts_.clock.Now() - began_; }
  std::vector<Item> Items(const std::vector<uint32_t>& rows) const;
  const TrialOutcome* OutcomeOf(const std::string& name) const;
  TrialEvidence& EvidenceOf(const std::string& name);

  const Task& task_;
  const FitParts& parts_;
  Requirement requirement_;
  MonotonicTime began_;

  Dataset data_;
  Split split_;
  std::unique_ptr<Metric> metric_;
  std::unique_ptr<TrialRunner> runner_;
  std::vector<Candidate> space_;

  std::vector<TrialOutcome> rung_;      // on a part of the rows
  std::vector<TrialOutcome> outcomes_;  // on all of them; as e_.trials
  std::vector<TrialOutcome> finals_;    // as e_.finals
  Seconds resumed_wall_;
  uint64_t next_measurement_ = 0;

  uint64_t done_ = 0;
  uint64_t total_ = 1;
  FitEvidence e_;
};

std::vector<Item> FitJob::Items(const std::vector<uint32_t>& rows) const {
  std::vector<Item> items;
  items.reserve(rows.size());
  for (const uint32_t row : rows) items.push_back(data_.items[row]);
  return items;
}

const TrialOutcome* FitJob::OutcomeOf(const std::string& name) const {
  for (const TrialOutcome& outcome : outcomes_)
    if (outcome.candidate.name == name) return &outcome;
  return nullptr;
}

TrialEvidence& FitJob::EvidenceOf(const std::string& name) {
  for (TrialEvidence& trial : e_.trials)
    if (trial.name == name) return trial;
  MODICUM_CHECK(false);
}

void FitJob::DescribeTask() {
  e_.task = task_.name;
  e_.task_file = task_.source;
  e_.kind = task_.kind;
  e_.metric = task_.metric;
  e_.within = task_.within;
  e_.floor = task_.floor;
  e_.current = task_.current;
  e_.volume = task_.volume;
  e_.seed = task_.seed;
  e_.data = FromCatalog(task_)
                ? task_.data
                : task_.data.substr(task_.data.find_last_of('/') + 1);
  e_.host = parts_.host;
  e_.place = parts_.place;
  e_.missing = NotCounted(parts_.host, parts_.meter.components());
  e_.references = task_.references;
  if (task_.references.empty() && task_.published)
    e_.references = ReferencesFor(task_.kind);
  e_.version = parts_.version;
  e_.created = FormatUtc(parts_.clock.WallNow());
  e_.run = parts_.run;
}

SplitItems ItemsOf(const Dataset& data, const std::vector<uint32_t>& rows) {
  SplitItems items;
  for (const uint32_t row : rows) {
    items.ids.push_back(data.items[row].id);
    items.groups.push_back(data.items[row].group);
  }
  return items;
}

Status FitJob::LoadAndSplit() {
  Progress("loading the data");
  GetDataOptions get;
  get.stop = parts_.stop;
  get.progress = [this](std::string_view step) { Progress(step); };
  MODICUM_TRY(const std::string path, ObtainData(task_, parts_.data_dir, get));
  LoadOptions options;
  options.format = task_.format;
  options.text = task_.text;
  options.label = task_.label;
  options.table = task_.kind == "tabular-classification";
  options.columns = task_.columns;
  if (task_.replace_bad_bytes) options.bad_bytes = BadBytes::kReplace;
  MODICUM_TRY(data_, LoadDataset(path, options));
  MODICUM_RETURN_IF_ERROR(CheckTrainable(data_, 3));
  MODICUM_TRY(metric_, MakeMetric(task_.metric, data_.labels));
  e_.near_duplicates = GroupNearDuplicates(data_);
  SplitOptions split;
  split.test = task_.test;
  split.validation = task_.validation;
  split.seed = task_.seed;
  MODICUM_TRY(split_, SplitDataset(data_, split));

  e_.data_hash = data_.hash;
  e_.labels = data_.labels;
  for (const ClassSummary& one : Summarize(data_).classes)
    e_.classes.push_back({one.label, one.items});
  e_.items = data_.items.size();
  e_.train_items = split_.train.size();
  e_.validation = ItemsOf(data_, split_.validation);
  e_.test = ItemsOf(data_, split_.test);

  runner_ = std::make_unique<TrialRunner>(TrialRunner::Parts{
      task_, data_, split_, *metric_, parts_.ledger, parts_.meter, parts_.fs,
      parts_.clock, parts_.data_dir + "/fit-cache", parts_.run,
      HashOfTask(task_, data_, parts_.host, parts_.metering), parts_.stop});
  return {};
}

// By the first look at the cost.
std::optional<Estimate<Joules>> JoulesPer1000(const TrialOutcome& outcome) {
  if (!outcome.ok()) return std::nullopt;
  return Summarize(outcome.evidence.samples).joules_per_1000;
}

bool FitJob::OverBudget() const {
  if (task_.budget.time && Elapsed() + resumed_wall_ > *task_.budget.time)
    return true;
  return task_.budget.energy &&
         SpentInTrials(true).joules > *task_.budget.energy;
}

// A candidate that could not save what its own trial costs, even if it made
// predictions free, is not tried. The first of each family always is: without
// it nothing is known of the family.
std::optional<std::string> FitJob::NotWorthTrying(
    const Question& question) const {
  if (question.candidate.first_of_family || task_.volume <= 0)
    return std::nullopt;
  const auto& known = question.fraction < 1 ? rung_ : outcomes_;
  std::optional<Joules> trial;
  std::vector<Contender> contenders;
  for (const TrialOutcome& outcome : known) {
    if (outcome.candidate.family == question.candidate.family && outcome.ok())
      trial = outcome.evidence.cost.mid;
    contenders.push_back({outcome.candidate.name, outcome.scores,
                          JoulesPer1000(outcome), outcome.evidence.failure});
  }
  const Choice so_far = Choose(*metric_, contenders, requirement_);
  if (!trial || !so_far.chosen) return std::nullopt;
  const Joules could_save = contenders[*so_far.chosen].joules_per_1000->mid *
                            (task_.volume * kPlannedMonths / 1000);
  if (could_save >= *trial) return std::nullopt;
  return fmt::format(
      "not tried: a trial costs about {}, all predictions of {} months only "
      "{}",
      FormatWithUnit(trial->value(), "J"), FormatNumber(kPlannedMonths),
      FormatWithUnit(could_save.value(), "J"));
}

// `current` may name a candidate, a family (its best is meant) or a
// reference. Said before anything is trained.
Status FitJob::CheckCurrent(const std::vector<Candidate>& candidates) const {
  std::vector<std::string_view> names;
  for (const Candidate& candidate : candidates) {
    names.push_back(candidate.name);
    names.push_back(candidate.family);
  }
  for (const Reference& reference : e_.references)
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

Result<std::unique_ptr<Search>> FitJob::MakeSearch() {
  MODICUM_RETURN_IF_ERROR(CheckPromptLabels(task_, data_.labels));
  MODICUM_TRY(const Networks networks, FindNetworks(task_));
  MODICUM_TRY(space_,
              EnumerateCandidates(task_.kind, task_.families, networks));
  MODICUM_RETURN_IF_ERROR(CheckCurrent(space_));
  total_ = space_.size() + 10;
  SearchProblem problem;
  problem.space = space_;
  // The first of every family first: what the others are judged by.
  std::stable_partition(problem.space.begin(), problem.space.end(),
                        [](const Candidate& c) { return c.first_of_family; });
  problem.metric = metric_.get();
  problem.requirement = requirement_;
  // A rung of fewer rows than this tells nothing of the whole.
  constexpr double kFewestRows = 200;
  problem.first_rung =
      std::max(problem.first_rung,
               kFewestRows / static_cast<double>(split_.train.size()));
  if (problem.first_rung > 0.5) problem.first_rung = 1;
  problem.passes = [this](const Candidate& candidate) {
    return PassesOver(candidate, data_, split_.train, parts_.host.logical_cpus);
  };
  problem.cascades = [this](const std::vector<Told>& told) {
    return ProposeCascades(*metric_, requirement_, told);
  };
  return parts_.search == SearchKind::kExhaustive
             ? ExhaustiveSearch(std::move(problem))
             : LadderSearch(std::move(problem));
}

Result<TrialOutcome> FitJob::Answer(const Question& question) {
  if (parts_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  Progress(question.candidate.name);
  TrialOutcome outcome = OutcomeFor(question.candidate);
  if (auto reason = NotWorthTrying(question)) {
    outcome.evidence.failure = *std::move(reason);
  } else if (OverBudget()) {
    outcome.evidence.failure = "not tried: the task's budget is spent";
  } else {
    MODICUM_TRY(outcome, runner_->Run(question.candidate, Stage::kSelect,
                                      question.fraction));
  }
  if (outcome.evidence.resumed) resumed_wall_ += outcome.evidence.wall;
  ++done_;
  return outcome;
}

// What a candidate cost on its first rung is part of what trying it cost.
void FitJob::Keep(const Question& question, TrialOutcome outcome) {
  if (question.fraction < 1) {
    rung_.push_back(std::move(outcome));
    return;
  }
  e_.trials.push_back(outcome.evidence);
  for (const TrialOutcome& first : rung_)
    if (first.candidate.name == outcome.candidate.name) {
      e_.trials.back().cost = first.evidence.cost + outcome.evidence.cost;
      e_.trials.back().wall = first.evidence.wall + outcome.evidence.wall;
    }
  outcomes_.push_back(std::move(outcome));
}

// Candidates that were left at their first rung are outcomes with a cause.
void FitJob::KeepDropped(const Search& search) {
  for (const TrialOutcome& first : rung_) {
    if (OutcomeOf(first.candidate.name) != nullptr) continue;
    TrialEvidence trial = OutcomeFor(first.candidate).evidence;
    trial.cost = first.evidence.cost;
    trial.wall = first.evidence.wall;
    trial.resumed = first.evidence.resumed;
    trial.failure = first.ok() ? search.WhyDropped(first.candidate.name)
                               : first.evidence.failure;
    if (trial.failure.empty()) trial.failure = "not followed";
    e_.trials.push_back(std::move(trial));
  }
}

// In the order of the space: humblest family first, what passes made of a
// candidate after it, cascades last.
void FitJob::SortTrials() {
  auto place = [&](const TrialEvidence& trial) {
    for (size_t i = 0; i < space_.size(); ++i)
      if (space_[i].family == trial.family &&
          ToString(space_[i].params) == trial.params)
        return i;
    return space_.size();
  };
  std::stable_sort(e_.trials.begin(), e_.trials.end(),
                   [&](const TrialEvidence& a, const TrialEvidence& b) {
                     return place(a) < place(b);
                   });
}

Status FitJob::SearchCandidates() {
  MODICUM_TRY(const auto search, MakeSearch());
  while (auto question = search->Next()) {
    MODICUM_TRY(TrialOutcome outcome, Answer(*question));
    search->Tell(*question,
                 {outcome.candidate, outcome.scores, outcome.confidence,
                  JoulesPer1000(outcome), outcome.evidence.cost.mid});
    Keep(*question, std::move(outcome));
  }
  KeepDropped(*search);
  SortTrials();
  e_.space = space_.size();
  return {};
}

// The candidates that a better look at the cost could change the answer for,
// then the best of each family, so that the table shows all at their best.
std::vector<std::string> FitJob::WhatMatters(
    const Decision& decision, const std::vector<std::string>& measured) const {
  std::vector<std::string> names = decision.finalists;
  auto add = [&](const std::string& name) {
    if (names.size() < kMostMeasured &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  std::map<std::string, std::pair<double, std::string>> best_of_family;
  std::optional<Joules> limit;
  if (decision.choice.chosen)
    limit = Summarize(e_.trials[*decision.choice.chosen].samples)
                .joules_per_1000.mid *
            kFirstLook;
  for (size_t i = 0; i < e_.trials.size(); ++i) {
    const TrialEvidence& trial = e_.trials[i];
    const TrialOutcome* outcome = OutcomeOf(trial.name);
    if (!trial.failure.empty() || outcome == nullptr) continue;
    const double value = metric_->sign() * metric_->Aggregate(outcome->scores);
    auto [it, first] =
        best_of_family.emplace(trial.family, std::pair(value, trial.name));
    if (!first && value > it->second.first) it->second = {value, trial.name};
    if (limit && decision.choice.judgements[i].feasible &&
        Summarize(trial.samples).joules_per_1000.mid < *limit)
      add(trial.name);
  }
  for (const auto& [family, best] : best_of_family) add(best.second);
  std::erase_if(names, [&](const std::string& name) {
    return std::find(measured.begin(), measured.end(), name) != measured.end();
  });
  return names;
}

// Measures models in turn on the validation items.
Status FitJob::Measure(const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Model>> models;
  std::vector<CostSubject> subjects;
  for (const std::string& name : names) {
    MODICUM_TRY(auto model, runner_->Load(*OutcomeOf(name)));
    models.push_back(std::move(model));
    subjects.push_back(
        {name, OutcomeOf(name)->candidate.family, models.back().get()});
  }
  CostOptions options;
  options.max_repeats = 10;
  const std::vector<Item> items = Items(split_.validation);
  MODICUM_TRY(auto samples, MeasureCosts(subjects, items, options, parts_.meter,
                                         parts_.fs, parts_.clock, parts_.stop));
  for (size_t i = 0; i < names.size(); ++i)
    EvidenceOf(names[i]).samples = std::move(samples[i]);
  return {};
}

// The better look may move the choice to a candidate not looked at yet.
Status FitJob::MeasureWhatMatters() {
  Progress("measuring the cost of those that matter");
  std::vector<std::string> measured;
  while (true) {
    MODICUM_TRY(const Decision decision, Decide(e_));
    const bool chosen_is_known = std::find(measured.begin(), measured.end(),
                                           decision.chosen) != measured.end();
    if (!measured.empty() && chosen_is_known) break;
    const std::vector<std::string> names = WhatMatters(decision, measured);
    if (names.empty()) break;
    MODICUM_RETURN_IF_ERROR(Measure(names));
    measured.insert(measured.end(), names.begin(), names.end());
  }
  ++done_;
  return {};
}

// Refits the finalists on train + validation, opens the test once for them,
// and measures them in turn: these are the figures that are reported.
Status FitJob::Confirm() {
  MODICUM_TRY(const Decision decision, Decide(e_));
  std::vector<std::unique_ptr<Model>> models;
  std::vector<CostSubject> subjects;
  for (const std::string& name : decision.finalists) {
    Progress("refitting " + name);
    MODICUM_TRY(TrialOutcome outcome,
                runner_->Run(OutcomeOf(name)->candidate, Stage::kFinal));
    if (!outcome.ok())
      return Fail(ErrorCode::kInternal,
                  fmt::format("refitting {} failed: {}", name,
                              outcome.evidence.failure));
    if (outcome.evidence.resumed) resumed_wall_ += outcome.evidence.wall;
    MODICUM_TRY(auto model, runner_->Load(outcome));
    models.push_back(std::move(model));
    subjects.push_back({name, outcome.candidate.family, models.back().get()});
    finals_.push_back(std::move(outcome));
  }
  if (finals_.empty()) return {};
  Progress("measuring the finalists");
  const std::vector<Item> items = Items(split_.test);
  MODICUM_TRY(auto samples,
              MeasureCosts(subjects, items, CostOptions{}, parts_.meter,
                           parts_.fs, parts_.clock, parts_.stop));
  for (size_t i = 0; i < finals_.size(); ++i) {
    TrialEvidence evidence = finals_[i].evidence;
    evidence.samples = std::move(samples[i]);
    MODICUM_RETURN_IF_ERROR(RecordRepeats(evidence.name, evidence.samples));
    e_.finals.push_back(std::move(evidence));
  }
  ++done_;
  return {};
}

Status FitJob::RecordRepeats(const std::string& name,
                             const CostSamples& samples) {
  std::vector<Measurement> rows;
  for (size_t i = 0; i < samples.repeats.size(); ++i) {
    const Repeat& repeat = samples.repeats[i];
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

// The trials' cost and time, those of an earlier fit left out or not.
FitJob::Spent FitJob::SpentInTrials(bool with_resumed) const {
  Spent spent;
  for (const auto* list : {&rung_, &outcomes_, &finals_})
    for (const TrialOutcome& outcome : *list) {
      if (outcome.evidence.resumed && !with_resumed) continue;
      spent.joules += outcome.evidence.cost.mid;
      spent.wall += outcome.evidence.wall;
    }
  return spent;
}

// What this process spent beside its trials; absent when nothing is left.
std::optional<Estimate<Joules>> FitJob::BesideTrials(
    const WindowReading& reading) const {
  const Estimate<Joules> own = OfWorkload(reading.split.own(), "training");
  const Joules in_trials = SpentInTrials(false).joules;
  if (own.mid <= in_trials) return std::nullopt;
  return own * (1 - in_trials / own.mid);
}

// What the search cost beside its trials: this process's own, and what earlier
// ones spent before they were stopped. Trials of an earlier fit are in theirs.
void FitJob::ChargeSearch(const WindowReading& reading) {
  if (const auto beside = BesideTrials(reading))
    e_.search_parts.push_back({"loading, measuring, choosing", *beside});
  e_.search_wall = reading.wall + resumed_wall_;
  const auto stopped = runner_->Unfinished();
  if (!stopped || !*stopped) return;
  e_.search_parts.push_back({"stopped searches", (*stopped)->cost});
  e_.search_wall += (*stopped)->wall;
}

// Keeps what a search that stops here spent beside the trials it recorded.
// Why it stops is what must be said, so a ledger that fails here is not.
void FitJob::ChargeStopped(const WindowReading& reading) {
  if (!runner_) return;
  const auto beside = BesideTrials(reading);
  if (!beside) return;
  const Seconds wall = reading.wall - SpentInTrials(false).wall;
  const Status kept =
      runner_->ChargeUnfinished(*beside, std::max(wall, Seconds(0)));
  static_cast<void>(kept);
}

Status FitJob::SaveArtifact(const FitResult& result) {
  if (parts_.artifact.empty() || result.chosen.empty()) return {};
  const auto found = std::find_if(
      finals_.begin(), finals_.end(), [&](const TrialOutcome& outcome) {
        return outcome.candidate.name == result.chosen;
      });
  const TrialOutcome& outcome = *found;
  const CandidateRow& row = *FindRow(result, result.chosen);
  MODICUM_TRY(const auto model, runner_->Load(outcome));
  Card card;
  card.name = task_.name;
  card.kind = task_.kind;
  card.family = outcome.candidate.family;
  card.params = outcome.candidate.params;
  card.passes = outcome.evidence.passes;
  card.labels = data_.labels;
  card.engine = model->info().engine;
  card.engine_version = model->info().engine_version;
  card.text_field = task_.text;
  card.columns = data_.columns;
  if (const Params* run = RunSettingsOf(outcome.candidate)) {
    card.run.batch = static_cast<int>(Get(*run, "batch", int64_t{256}));
    card.run.threads = static_cast<int>(Get(*run, "threads", int64_t{1}));
  }
  card.data = data_.hash;
  card.train_items = split_.train.size() + split_.validation.size();
  card.seed = task_.seed;
  card.parameters = row.parameters;
  if (row.validation) card.quality.push_back(*row.validation);
  if (row.quality) card.quality.push_back(*row.quality);
  card.joules_per_1000 = row.joules_per_1000;
  card.train_joules = row.train_joules;
  card.cpu_seconds_per_1000 = row.cpu_seconds_per_1000->mid.value();
  card.machine = result.machine;
  card.place = result.place;
  card.created = e_.created;
  card.modicum_version = parts_.version;
  std::vector<std::string> files;
  for (const auto& [name, sha256] : outcome.evidence.files)
    files.push_back(name);
  return WriteArtifact(parts_.artifact, std::move(card), outcome.directory,
                       files);
}

Result<FitReport> FitJob::Run() {
  began_ = parts_.clock.Now();
  // Not only when the search is over.
  if (!parts_.artifact.empty())
    MODICUM_RETURN_IF_ERROR(CheckArtifactPath(parts_.artifact));
  DescribeTask();

  const WindowId window = parts_.meter.Begin("fit");
  auto steps = [this]() -> Status {
    MODICUM_RETURN_IF_ERROR(LoadAndSplit());
    MODICUM_RETURN_IF_ERROR(SearchCandidates());
    MODICUM_RETURN_IF_ERROR(MeasureWhatMatters());
    return Confirm();
  };
  Status status = steps();
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!status) {
    ChargeStopped(reading);
    return Fail(std::move(status).error());
  }
  e_.idle_policy = reading.split.idle_policy;
  e_.idle_power = parts_.meter.idle_power();
  ChargeSearch(reading);
  MODICUM_TRY(FitResult result, Derive(e_));
  MODICUM_RETURN_IF_ERROR(SaveArtifact(result));
  if (!result.chosen.empty()) result.artifact = parts_.artifact;
  return FitReport{std::move(e_), std::move(result)};
}

}  // namespace

Result<FitReport> Fit(const Task& task, const FitParts& parts) {
  return FitJob(task, parts).Run();
}

}  // namespace modicum
