// SPDX-License-Identifier: Apache-2.0
// The search of a fit: what it asks is tried, or why not is kept; every
// candidate ends as an outcome.
#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "base/suggest.h"
#include "evaluate/cost.h"
#include "fit/cascades.h"
#include "fit/fit_job.h"
#include "fit/search.h"

namespace modicum {
namespace {

// By the first look at the cost.
std::optional<Estimate<Joules>> JoulesPer1000(const TrialOutcome& outcome) {
  if (!outcome.ok()) return std::nullopt;
  return Summarize(outcome.evidence.samples).joules_per_1000;
}

// What the budget leaves of time; nullopt: it has no end.
std::optional<Seconds> TimeLeft(const FitJob& job) {
  if (!job.task.budget.time) return std::nullopt;
  return *job.task.budget.time - job.Elapsed() - job.resumed_wall;
}

bool OverBudget(const FitJob& job) {
  if (const auto left = TimeLeft(job); left && *left <= Seconds(0)) return true;
  return job.task.budget.energy &&
         SpentInTrials(job, true).joules > *job.task.budget.energy;
}

// A late answer is better than none: where nothing can be handed over yet, what
// took little on its first rung is tried though the budget is spent.
bool IsLastResort(const FitJob& job, const Question& question) {
  constexpr double kLittle = 0.1;  // of the budget
  if (std::ranges::any_of(job.outcomes, &TrialOutcome::ok)) return false;
  const auto first =
      std::ranges::find(job.rung, question.candidate.name,
                        [](const TrialOutcome& o) { return o.candidate.name; });
  if (first == job.rung.end() || !first->ok()) return false;
  const TaskBudget& budget = job.task.budget;
  return (!budget.time || first->evidence.wall <= *budget.time * kLittle) &&
         (!budget.energy ||
          first->evidence.cost.mid <= *budget.energy * kLittle);
}

// A candidate that could not save what its own trial costs, even if it made
// predictions free, is not tried. The first of each family always is: without
// it nothing is known of the family.
std::optional<std::string> NotWorthTrying(const FitJob& job,
                                          const Question& question) {
  if (question.candidate.first_of_family || job.task.volume <= 0)
    return std::nullopt;
  const auto& known = question.fraction < 1 ? job.rung : job.outcomes;
  std::optional<Joules> trial;
  std::vector<Contender> contenders;
  for (const TrialOutcome& outcome : known) {
    if (outcome.candidate.family == question.candidate.family && outcome.ok())
      trial = outcome.evidence.cost.mid;
    contenders.push_back({outcome.candidate.name, outcome.scores,
                          JoulesPer1000(outcome), outcome.evidence.failure});
  }
  const Choice so_far = Choose(*job.metric, contenders, job.requirement);
  if (!trial || !so_far.chosen) return std::nullopt;
  const Joules could_save = contenders[*so_far.chosen].joules_per_1000->mid *
                            (job.task.volume * kPlannedMonths / 1000);
  if (could_save >= *trial) return std::nullopt;
  return fmt::format(
      "not tried: a trial costs about {}, all predictions of {} months only "
      "{}",
      FormatWithUnit(trial->value(), "J"), FormatNumber(kPlannedMonths),
      FormatWithUnit(could_save.value(), "J"));
}

// `current` may name a candidate, a family (its best is meant) or a
// reference. Said before anything is trained.
Status CheckCurrent(const FitJob& job) {
  std::vector<std::string_view> names;
  for (const Candidate& candidate : job.space) {
    names.push_back(candidate.name);
    names.push_back(candidate.family);
  }
  for (const Reference& reference : job.evidence.references)
    names.push_back(reference.name);
  if (job.task.current.empty() ||
      std::find(names.begin(), names.end(), job.task.current) != names.end())
    return {};
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: current = \"{}\" names no candidate, family or "
                          "reference{}",
                          job.task.file, job.task.current,
                          DidYouMean(job.task.current, names)),
              fmt::format("it can be: {}", fmt::join(names, "; ")));
}

Result<std::unique_ptr<Search>> MakeSearch(FitJob& job) {
  MODICUM_RETURN_IF_ERROR(CheckPromptLabels(job.task, job.data.labels));
  MODICUM_TRY(const Networks networks, FindNetworks(job.task));
  MODICUM_TRY(job.space,
              EnumerateCandidates(job.task.kind, job.task.families, networks));
  MODICUM_RETURN_IF_ERROR(CheckCurrent(job));
  job.total = job.space.size() + 10;
  SearchProblem problem;
  problem.space = job.space;
  // The first of every family first: what the others are judged by.
  std::stable_partition(problem.space.begin(), problem.space.end(),
                        [](const Candidate& c) { return c.first_of_family; });
  problem.metric = job.metric.get();
  problem.requirement = job.requirement;
  // A rung of fewer rows than this tells nothing of the whole.
  constexpr double kFewestRows = 200;
  problem.first_rung =
      std::max(problem.first_rung,
               kFewestRows / static_cast<double>(job.split.train.size()));
  if (problem.first_rung > 0.5) problem.first_rung = 1;
  problem.passes = [&job](const Candidate& candidate) {
    return PassesOver(candidate, job.data, job.split.train,
                      job.parts.host.logical_cpus);
  };
  problem.cascades = [&job](const std::vector<Told>& told) {
    return ProposeCascades(*job.metric, job.requirement, told);
  };
  return job.parts.search == SearchKind::kExhaustive
             ? ExhaustiveSearch(std::move(problem))
             : LadderSearch(std::move(problem));
}

Result<TrialOutcome> Answer(FitJob& job, const Question& question) {
  if (job.parts.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  job.Progress(question.candidate.name);
  TrialOutcome outcome = OutcomeFor(question.candidate);
  if (auto reason = NotWorthTrying(job, question)) {
    outcome.evidence.failure = *std::move(reason);
  } else if (!OverBudget(job)) {
    MODICUM_TRY(outcome, job.runner->Run(question.candidate, Stage::kSelect,
                                         question.fraction, TimeLeft(job)));
  } else if (IsLastResort(job, question)) {
    MODICUM_TRY(outcome, job.runner->Run(question.candidate, Stage::kSelect,
                                         question.fraction));
  } else {
    outcome.evidence.failure = "not tried: the task's budget is spent";
  }
  if (outcome.evidence.resumed) job.resumed_wall += outcome.evidence.wall;
  ++job.done;
  return outcome;
}

// What a candidate cost on its first rung is part of what trying it cost.
void Keep(FitJob& job, const Question& question, TrialOutcome outcome) {
  if (question.fraction < 1) {
    job.rung.push_back(std::move(outcome));
    return;
  }
  job.evidence.trials.push_back(outcome.evidence);
  for (const TrialOutcome& first : job.rung)
    if (first.candidate.name == outcome.candidate.name) {
      job.evidence.trials.back().cost =
          first.evidence.cost + outcome.evidence.cost;
      job.evidence.trials.back().wall =
          first.evidence.wall + outcome.evidence.wall;
    }
  job.outcomes.push_back(std::move(outcome));
}

// Candidates that were left at their first rung are outcomes with a cause.
void KeepDropped(FitJob& job, const Search& search) {
  for (const TrialOutcome& first : job.rung) {
    if (job.OutcomeOf(first.candidate.name) != nullptr) continue;
    TrialEvidence trial = OutcomeFor(first.candidate).evidence;
    trial.cost = first.evidence.cost;
    trial.wall = first.evidence.wall;
    trial.resumed = first.evidence.resumed;
    trial.failure = first.ok() ? search.WhyDropped(first.candidate.name)
                               : first.evidence.failure;
    if (trial.failure.empty()) trial.failure = "not followed";
    job.evidence.trials.push_back(std::move(trial));
  }
}

// In the order of the space: humblest family first, what passes made of a
// candidate after it, cascades last.
void SortTrials(FitJob& job) {
  auto place = [&](const TrialEvidence& trial) {
    for (size_t i = 0; i < job.space.size(); ++i)
      if (job.space[i].family == trial.family &&
          ToString(job.space[i].params) == trial.params)
        return i;
    return job.space.size();
  };
  std::stable_sort(job.evidence.trials.begin(), job.evidence.trials.end(),
                   [&](const TrialEvidence& a, const TrialEvidence& b) {
                     return place(a) < place(b);
                   });
}

}  // namespace

Status SearchCandidates(FitJob& job) {
  MODICUM_TRY(const auto search, MakeSearch(job));
  while (auto question = search->Next()) {
    MODICUM_TRY(TrialOutcome outcome, Answer(job, *question));
    search->Tell(*question,
                 {outcome.candidate, outcome.scores, outcome.confidence,
                  JoulesPer1000(outcome), outcome.evidence.cost.mid});
    Keep(job, *question, std::move(outcome));
  }
  KeepDropped(job, *search);
  SortTrials(job);
  job.evidence.space = job.space.size();
  return {};
}

}  // namespace modicum
