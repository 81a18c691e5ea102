// SPDX-License-Identifier: Apache-2.0
// What a fit measures once its search is over: the cost of what matters, in
// turn, and the finalists, refitted, on the test items.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "evaluate/cost.h"
#include "fit/derive.h"
#include "fit/fit_job.h"
#include "fit/verdict.h"

namespace modicum {
namespace {

// Candidates whose cost is measured properly: enough to show each family.
constexpr size_t kMostMeasured = 10;
// A first look at the cost errs by less than this factor.
constexpr double kFirstLook = 1.3;

// The candidates that a better look at the cost could change the answer for,
// then the best of each family, so that the table shows all at their best.
std::vector<std::string> WhatMatters(const FitJob& job,
                                     const Decision& decision,
                                     const std::vector<std::string>& measured) {
  std::vector<std::string> names = decision.finalists;
  auto add = [&](const std::string& name) {
    if (names.size() < kMostMeasured &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  std::map<std::string, std::pair<double, std::string>> best_of_family;
  std::optional<Joules> limit;
  if (decision.choice.chosen)
    limit = Summarize(job.evidence.trials[*decision.choice.chosen].samples)
                .joules_per_1000.mid *
            kFirstLook;
  for (size_t i = 0; i < job.evidence.trials.size(); ++i) {
    const TrialEvidence& trial = job.evidence.trials[i];
    const TrialOutcome* outcome = job.OutcomeOf(trial.name);
    if (!trial.failure.empty() || outcome == nullptr) continue;
    const double value =
        job.metric->sign() * job.metric->Aggregate(outcome->scores);
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

// Null where it was not refitted.
const TrialOutcome* FinalOf(const FitJob& job, const std::string& name) {
  for (const TrialOutcome& outcome : job.finals)
    if (outcome.candidate.name == name) return &outcome;
  return nullptr;
}

// An endpoint that fails after its trial is out, as one that failed in it; the
// others go on.
Status SetAside(FitJob& job, const std::string& name, const Error& error) {
  const Candidate& candidate = job.OutcomeOf(name)->candidate;
  auto reason = OwnFault(candidate, error);
  if (!reason || !AsksElsewhere(candidate) ||
      error.code == ErrorCode::kInterrupted)
    return Fail(error);
  TrialEvidence& trial = job.EvidenceOf(name);
  trial.failure = *std::move(reason);
  if (const TrialOutcome* refitted = FinalOf(job, name))
    trial.cost = trial.cost + refitted->evidence.cost;
  return {};
}

// Measures models in turn on the validation items. False where one was set
// aside instead.
Result<bool> Measure(FitJob& job, const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Model>> models;
  std::vector<CostSubject> subjects;
  for (const std::string& name : names) {
    MODICUM_TRY(auto model, job.runner->Load(*job.OutcomeOf(name)));
    models.push_back(std::move(model));
    subjects.push_back(
        {name, job.OutcomeOf(name)->candidate.family, models.back().get()});
  }
  CostOptions options;
  options.max_repeats = 10;
  const std::vector<Item> items = job.Items(job.split.validation);
  size_t at = 0;
  auto samples =
      MeasureCosts(subjects, items, options, job.parts.meter, job.parts.fs,
                   job.parts.clock, job.parts.stop, &at);
  if (!samples) {
    MODICUM_RETURN_IF_ERROR(SetAside(job, names[at], samples.error()));
    return false;
  }
  for (size_t i = 0; i < names.size(); ++i)
    job.EvidenceOf(names[i]).samples = std::move((*samples)[i]);
  return true;
}

// Every repeat as a row of the ledger; `next` numbers the rows of the run.
Status RecordRepeats(FitJob& job, const std::string& name,
                     const CostSamples& samples, uint64_t& next) {
  std::vector<Measurement> rows;
  for (size_t i = 0; i < samples.repeats.size(); ++i) {
    const Repeat& repeat = samples.repeats[i];
    Measurement row;
    row.key = {job.parts.run, job.parts.host.boot, "host", next++};
    row.name = fmt::format("{}: repeat {}, {} predictions", name, i + 1,
                           repeat.predictions);
    row.phase = Phase::kPrefill;
    row.domain = "process";
    row.probe = "meter";
    row.at = job.parts.clock.WallNow();
    row.wall = repeat.wall;
    row.cpu = repeat.cpu;
    row.energy = repeat.energy;
    row.contended = repeat.contended;
    rows.push_back(std::move(row));
  }
  return job.parts.ledger.Put(rows);
}

}  // namespace

// The better look may move the choice to a candidate not looked at yet.
Status MeasureWhatMatters(FitJob& job) {
  job.Progress("measuring the cost of those that matter");
  std::vector<std::string> measured;
  while (true) {
    MODICUM_TRY(const Decision decision, Decide(job.evidence));
    const bool chosen_is_known = std::find(measured.begin(), measured.end(),
                                           decision.chosen) != measured.end();
    if (!measured.empty() && chosen_is_known) break;
    const std::vector<std::string> names = WhatMatters(job, decision, measured);
    if (names.empty()) break;
    MODICUM_TRY(const bool all, Measure(job, names));
    if (all) measured.insert(measured.end(), names.begin(), names.end());
  }
  ++job.done;
  return {};
}

// Refits the finalists on train + validation, opens the test once for them,
// and measures them in turn: these are the figures that are reported.
Result<bool> Confirm(FitJob& job) {
  MODICUM_TRY(const Decision decision, Decide(job.evidence));
  std::vector<std::unique_ptr<Model>> models;
  std::vector<CostSubject> subjects;
  for (const std::string& name : decision.finalists) {
    if (FinalOf(job, name) == nullptr) {
      job.Progress("refitting " + name);
      MODICUM_TRY(
          TrialOutcome refitted,
          job.runner->Run(job.OutcomeOf(name)->candidate, Stage::kFinal));
      if (refitted.evidence.resumed) job.resumed_wall += refitted.evidence.wall;
      job.finals.push_back(std::move(refitted));
    }
    const TrialOutcome& outcome = *FinalOf(job, name);
    if (!outcome.ok()) {
      MODICUM_RETURN_IF_ERROR(
          SetAside(job, name,
                   {ErrorCode::kInternal,
                    fmt::format("refitting {} failed: {}", name,
                                outcome.evidence.failure),
                    ""}));
      return false;
    }
    MODICUM_TRY(auto model, job.runner->Load(outcome));
    models.push_back(std::move(model));
    subjects.push_back({name, outcome.candidate.family, models.back().get()});
  }
  if (subjects.empty()) return true;
  job.Progress("measuring the finalists");
  const std::vector<Item> items = job.Items(job.split.test);
  size_t at = 0;
  auto samples =
      MeasureCosts(subjects, items, CostOptions{}, job.parts.meter,
                   job.parts.fs, job.parts.clock, job.parts.stop, &at);
  if (!samples) {
    MODICUM_RETURN_IF_ERROR(SetAside(job, subjects[at].name, samples.error()));
    return false;
  }
  uint64_t next_row = 0;
  for (size_t i = 0; i < subjects.size(); ++i) {
    TrialEvidence evidence = FinalOf(job, subjects[i].name)->evidence;
    evidence.samples = std::move((*samples)[i]);
    MODICUM_RETURN_IF_ERROR(
        RecordRepeats(job, evidence.name, evidence.samples, next_row));
    job.evidence.finals.push_back(std::move(evidence));
  }
  ++job.done;
  return true;
}

}  // namespace modicum
