// SPDX-License-Identifier: Apache-2.0
// One trial: make a candidate, predict items it has not seen, keep scores,
// model files, samples and cost. A trial that the ledger has and whose files
// are still cached is not run again, so that an interrupted fit resumes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "dataset/dataset.h"
#include "evaluate/metric.h"
#include "fit/candidates.h"
#include "fit/task.h"
#include "meter/meter.h"
#include "model/model.h"
#include "record/evidence.h"
#include "record/ledger.h"

namespace modicum {

// Which rows a trial trains on and is scored on.
enum class Stage {
  kSelect,  // train -> validation
  kFinal,   // train + validation -> test
};

struct TrialOutcome {
  Candidate candidate;
  std::string directory;  // cached model files
  TrialEvidence evidence;
  std::vector<ItemScore> scores;
  // Probability of the answer, per item; empty when the model gives none.
  std::vector<double> confidence;

  bool ok() const { return evidence.failure.empty(); }
};

// Lifetime: everything referred to outlives the runner. Not thread-safe.
class TrialRunner {
 public:
  struct Parts {
    const Task& task;
    const Dataset& data;
    const Split& split;
    const Metric& metric;
    Ledger& ledger;
    Meter& meter;
    const RootFs& fs;
    Clock& clock;
    std::string cache;  // folder for model files; created
    Uuid run;
    Hash task_hash{};
    std::stop_token stop;
  };
  explicit TrialRunner(Parts parts) : parts_(std::move(parts)) {}

  // `fraction` of the training rows, drawn per class. A training that fails is
  // an outcome, not an error; errors are the ledger's, the disk's and
  // kInterrupted. So is one that has not ended after `limit`: it is stopped.
  Result<TrialOutcome> Run(const Candidate& candidate, Stage stage,
                           double fraction = 1,
                           std::optional<Seconds> limit = {});

  // The model of an outcome without failure.
  Result<std::unique_ptr<Model>> Load(const TrialOutcome& outcome) const;

  // What stopped fits of this task spent beside the trials they recorded;
  // empty when none was stopped.
  Result<std::optional<Trial>> Unfinished() const;
  // Adds what a fit that now stops spent beside its trials.
  Status ChargeUnfinished(const Estimate<Joules>& cost, Seconds wall);

  // The rows a stage trains on and is scored on.
  std::vector<uint32_t> TrainRows(Stage stage, double fraction = 1) const;
  const std::vector<uint32_t>& ScoredRows(Stage stage) const;

 private:
  struct Made;

  std::string FolderOf(const Candidate& candidate, Stage stage,
                       double fraction) const;
  TrialKey KeyOf(const Candidate& candidate, Stage stage,
                 double fraction) const;
  Result<std::optional<TrialOutcome>> Resume(const Candidate& candidate,
                                             Stage stage,
                                             double fraction) const;
  Result<TrialOutcome> MakeAndScore(const Candidate& candidate, Stage stage,
                                    double fraction);
  // Make: the model files of a candidate, in a folder that exists.
  Result<Made> Make(const Candidate& candidate, Stage stage, double fraction,
                    const std::string& folder);
  Result<Made> MakeByTraining(const Candidate& candidate, Stage stage,
                              double fraction, const std::string& folder);
  Result<Made> MakeByPass(const Candidate& candidate, Stage stage,
                          double fraction, const std::string& folder);
  Result<Made> MakeCascade(const Candidate& candidate, Stage stage,
                           double fraction, const std::string& folder);
  // The same, but from the cache where an earlier trial made it.
  Result<Made> Obtain(const Candidate& candidate, Stage stage, double fraction,
                      const std::string& folder);
  Status Score(Model& model, Stage stage, TrialOutcome& outcome);
  Status Record(const TrialOutcome& outcome, const TrialKey& key);
  TrialKey UnfinishedKey() const;
  Budget TrainingBudget() const;

  Parts parts_;
  std::stop_token stop_;  // of the trial that runs
};

// Whether an endpoint answers for it, or for a part of it.
bool AsksElsewhere(const Candidate& candidate);
// Why the candidate is out, as its row says it. None where the fault is not
// its own, as a full disk's or a forbidden folder's.
std::optional<std::string> OwnFault(const Candidate& candidate,
                                    const Error& error);

// An outcome that says which candidate it is of, and nothing else yet.
TrialOutcome OutcomeFor(const Candidate& candidate);

// Everything the outcome of a trial depends on but the candidate. `meter`
// describes probes and idle policy: what a joule means.
Hash HashOfTask(const Task& task, const Dataset& data, const HostFacts& host,
                std::string_view meter);

}  // namespace modicum
