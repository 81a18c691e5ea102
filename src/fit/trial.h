// SPDX-License-Identifier: Apache-2.0
// One trial: train a candidate, predict items it has not seen, keep scores,
// model files and cost. A trial that the ledger has and whose files are still
// cached is not run again, so that an interrupted fit resumes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/result.h"
#include "dataset/dataset.h"
#include "evaluate/metric.h"
#include "fit/candidates.h"
#include "fit/task.h"
#include "meter/meter.h"
#include "model/model.h"
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
  std::vector<std::string> files;
  std::vector<Hash> hashes;  // of the files, in their order
  std::vector<ItemScore> scores;
  Estimate<Joules> cost;   // of the whole trial
  Estimate<Joules> train;  // features and training
  Seconds train_cpu;
  Estimate<Joules> per_1000;  // one pass, coarse; measured properly later
  Seconds wall;
  std::string failure;   // a recorded outcome with its cause; empty when ok
  bool resumed = false;  // taken from the ledger
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
    Clock& clock;
    std::string cache;  // folder for model files; created
    Uuid run;
    Hash task_hash{};
    std::stop_token stop;
  };
  explicit TrialRunner(Parts parts) : parts_(std::move(parts)) {}

  // A training that fails is an outcome, not an error; errors are the
  // ledger's, the disk's and kInterrupted.
  Result<TrialOutcome> Run(const Candidate& candidate, Stage stage);

  // The model of an outcome without failure.
  Result<std::unique_ptr<Model>> Load(const TrialOutcome& outcome) const;

  // What stopped fits of this task spent beside the trials they recorded;
  // empty when none was stopped.
  Result<std::optional<Trial>> Unfinished() const;
  // Adds what a fit that now stops spent beside its trials.
  Status ChargeUnfinished(const Estimate<Joules>& cost, Seconds wall);

  // The rows a stage trains on and is scored on.
  std::vector<uint32_t> TrainRows(Stage stage) const;
  const std::vector<uint32_t>& ScoredRows(Stage stage) const;

 private:
  Result<std::optional<TrialOutcome>> Resume(const Candidate& candidate,
                                             const TrialKey& key,
                                             const std::string& directory,
                                             Stage stage) const;
  Result<TrialOutcome> Train(const Candidate& candidate, Stage stage,
                             const std::string& directory);
  Status Score(Model& model, Stage stage, TrialOutcome& outcome);
  Status Record(const TrialOutcome& outcome, const TrialKey& key);
  TrialKey UnfinishedKey() const;

  Parts parts_;
};

// Everything the outcome of a trial depends on but the candidate.
Hash HashOfTask(const Task& task, const Dataset& data, const HostFacts& host);

}  // namespace modicum
