// SPDX-License-Identifier: Apache-2.0
// Fit as a list of steps: load and split, search, measure what matters in
// turn, choose on validation data, refit and open the test once, derive.
#include "fit/fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "dataset/dataset.h"
#include "fit/derive.h"
#include "fit/fit_job.h"
#include "hardware/machine.h"
#include "model/artifact.h"
#include "place/references.h"

namespace modicum {

std::vector<Item> FitJob::Items(const std::vector<uint32_t>& rows) const {
  std::vector<Item> items;
  items.reserve(rows.size());
  for (const uint32_t row : rows) items.push_back(data.items[row]);
  return items;
}

const TrialOutcome* FitJob::OutcomeOf(const std::string& name) const {
  for (const TrialOutcome& outcome : outcomes)
    if (outcome.candidate.name == name) return &outcome;
  return nullptr;
}

TrialEvidence& FitJob::EvidenceOf(const std::string& name) {
  for (TrialEvidence& trial : evidence.trials)
    if (trial.name == name) return trial;
  MODICUM_CHECK(false);
}

namespace {

void DescribeTask(FitJob& job) {
  const Task& task = job.task;
  FitEvidence& e = job.evidence;
  e.task = task.name;
  e.task_file = task.source;
  e.kind = task.kind;
  e.metric = task.metric;
  e.within = task.within;
  e.floor = task.floor;
  e.current = task.current;
  e.volume = task.volume;
  e.seed = task.seed;
  e.data = FromCatalog(task)
               ? task.data
               : task.data.substr(task.data.find_last_of('/') + 1);
  e.host = job.parts.host;
  e.place = job.parts.place;
  e.missing = NotCounted(job.parts.host, job.parts.meter.components());
  e.references = task.references;
  if (task.references.empty() && task.published)
    e.references = ReferencesFor(task.kind);
  e.version = job.parts.version;
  e.created = FormatUtc(job.parts.clock.WallNow());
  e.run = job.parts.run;
}

SplitItems ItemsOf(const Dataset& data, const std::vector<uint32_t>& rows) {
  SplitItems items;
  for (const uint32_t row : rows) {
    items.ids.push_back(data.items[row].id);
    items.groups.push_back(data.items[row].group);
  }
  return items;
}

Status LoadAndSplit(FitJob& job) {
  const Task& task = job.task;
  job.Progress("loading the data");
  GetDataOptions get;
  get.stop = job.parts.stop;
  get.progress = [&job](std::string_view step) { job.Progress(step); };
  MODICUM_TRY(const std::string path,
              ObtainData(task, job.parts.data_dir, get));
  LoadOptions options;
  options.format = task.format;
  options.text = task.text;
  options.label = task.label;
  options.table = task.kind == "tabular-classification";
  options.columns = task.columns;
  if (task.replace_bad_bytes) options.bad_bytes = BadBytes::kReplace;
  MODICUM_TRY(job.data, LoadDataset(path, options));
  MODICUM_RETURN_IF_ERROR(CheckTrainable(job.data, 3));
  MODICUM_TRY(job.metric, MakeMetric(task.metric, job.data.labels));
  job.evidence.near_duplicates = GroupNearDuplicates(job.data);
  SplitOptions split;
  split.test = task.test;
  split.validation = task.validation;
  split.seed = task.seed;
  MODICUM_TRY(job.split, SplitDataset(job.data, split));

  FitEvidence& e = job.evidence;
  e.data_hash = job.data.hash;
  e.labels = job.data.labels;
  for (const ClassSummary& one : Summarize(job.data).classes)
    e.classes.push_back({one.label, one.items});
  e.items = job.data.items.size();
  e.train_items = job.split.train.size();
  e.validation = ItemsOf(job.data, job.split.validation);
  e.test = ItemsOf(job.data, job.split.test);

  job.runner = std::make_unique<TrialRunner>(TrialRunner::Parts{
      task, job.data, job.split, *job.metric, job.parts.ledger, job.parts.meter,
      job.parts.fs, job.parts.clock, job.parts.data_dir + "/fit-cache",
      job.parts.run,
      HashOfTask(task, job.data, job.parts.host, job.parts.metering),
      job.parts.stop});
  return {};
}

// Where nothing has a result there is nothing to choose from.
Status CheckAnyWorks(const FitJob& job) {
  std::string reasons;
  for (const TrialEvidence& trial : job.evidence.trials) {
    if (trial.failure.empty()) return {};
    reasons += fmt::format("\n  {}: {}", trial.name, trial.failure);
  }
  return Fail(ErrorCode::kUnavailable, "no candidate has a result:" + reasons,
              "mend what fails, or let families name others");
}

Status SaveArtifact(const FitJob& job, const FitResult& result) {
  if (job.parts.artifact.empty() || result.chosen.empty()) return {};
  const auto found = std::find_if(
      job.finals.begin(), job.finals.end(), [&](const TrialOutcome& outcome) {
        return outcome.candidate.name == result.chosen;
      });
  const TrialOutcome& outcome = *found;
  const CandidateRow& row = *FindRow(result, result.chosen);
  MODICUM_TRY(const auto model, job.runner->Load(outcome));
  const Task& task = job.task;
  Card card;
  card.name = task.name;
  card.kind = task.kind;
  card.family = outcome.candidate.family;
  card.params = outcome.candidate.params;
  card.passes = outcome.evidence.passes;
  card.labels = job.data.labels;
  card.engine = model->info().engine;
  card.engine_version = model->info().engine_version;
  card.text_field = task.text;
  card.columns = job.data.columns;
  if (const Params* run = RunSettingsOf(outcome.candidate)) {
    card.run.batch = static_cast<int>(Get(*run, "batch", int64_t{256}));
    card.run.threads = static_cast<int>(Get(*run, "threads", int64_t{1}));
  }
  card.data = job.data.hash;
  card.train_items = job.split.train.size() + job.split.validation.size();
  card.seed = task.seed;
  card.parameters = row.parameters;
  if (row.validation) card.quality.push_back(*row.validation);
  if (row.quality) card.quality.push_back(*row.quality);
  card.joules_per_1000 = row.joules_per_1000;
  card.train_joules = row.train_joules;
  card.cpu_seconds_per_1000 = row.cpu_seconds_per_1000->mid.value();
  card.machine = result.machine;
  card.place = result.place;
  card.created = job.evidence.created;
  card.modicum_version = job.parts.version;
  std::vector<std::string> files;
  for (const auto& [name, sha256] : outcome.evidence.files)
    files.push_back(name);
  return WriteArtifact(job.parts.artifact, std::move(card), outcome.directory,
                       files);
}

}  // namespace

Result<FitReport> Fit(const Task& task, const FitParts& parts) {
  FitJob job(task, parts);
  job.began = parts.clock.Now();
  // Not only when the search is over.
  if (!parts.artifact.empty())
    MODICUM_RETURN_IF_ERROR(CheckArtifactPath(parts.artifact));
  DescribeTask(job);

  const WindowId window = parts.meter.Begin("fit");
  auto steps = [&job]() -> Status {
    MODICUM_RETURN_IF_ERROR(LoadAndSplit(job));
    MODICUM_RETURN_IF_ERROR(SearchCandidates(job));
    for (bool done = false; !done;) {
      MODICUM_RETURN_IF_ERROR(MeasureWhatMatters(job));
      MODICUM_TRY(done, Confirm(job));
    }
    return CheckAnyWorks(job);
  };
  Status status = steps();
  MODICUM_TRY(const WindowReading reading, parts.meter.End(window));
  if (!status) {
    ChargeStopped(job, reading);
    return Fail(std::move(status).error());
  }
  job.evidence.idle_policy = reading.split.idle_policy;
  job.evidence.idle_power = parts.meter.idle_power();
  ChargeSearch(job, reading);
  MODICUM_TRY(FitResult result, Derive(job.evidence));
  MODICUM_RETURN_IF_ERROR(SaveArtifact(job, result));
  if (!result.chosen.empty()) result.artifact = parts.artifact;
  return FitReport{std::move(job.evidence), std::move(result)};
}

}  // namespace modicum
