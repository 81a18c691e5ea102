// SPDX-License-Identifier: Apache-2.0
#include "fit/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/format.h"
#include "base/remote_use.h"
#include "base/rng.h"
#include "base/stop_after.h"
#include "evaluate/cost.h"
#include "model/cascade.h"
#include "model/checkpoint.h"
#include "model/remote/remote_params.h"
#include "model/run_settings.h"
#include "record/json.h"
#include "shrink/registry.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// What a trial's row keeps for resuming.
std::string DetailOf(const TrialOutcome& outcome) {
  return Json{{"evidence", ToJson(outcome.evidence)},
              {"confidence", outcome.confidence}}
      .dump();
}

// Whether the folder holds the files with the content they had when the trial
// was recorded. A file that was altered since is as good as lost.
bool FilesAreWhole(const TrialOutcome& outcome) {
  for (const auto& [name, sha256] : outcome.evidence.files) {
    const auto hash = Sha256OfFile(outcome.directory + "/" + name);
    if (!hash || sha256 != ToHex(*hash)) return false;
  }
  return !outcome.evidence.files.empty();
}

// False when the row does not hold what this version needs, or its files are
// not there any more.
bool ReadDetail(const std::string& text, size_t items, TrialOutcome& outcome) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("evidence") ||
      !json.contains("confidence") || !json["confidence"].is_array())
    return false;
  auto evidence = FromJson<TrialEvidence>(json["evidence"]);
  if (!evidence || evidence->scores.size() != items) return false;
  outcome.evidence = *std::move(evidence);
  for (const Json& value : json["confidence"]) {
    if (!value.is_number()) return false;
    outcome.confidence.push_back(value.get<double>());
  }
  if (!outcome.confidence.empty() && outcome.confidence.size() != items)
    return false;
  return FilesAreWhole(outcome);
}

Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    return Fail(ErrorCode::kIo,
                "cannot create " + path + ": " + error.message(),
                "--data-dir names another place");
  return {};
}

// What a fit that was killed left half-built. Another fit may be building at
// this moment, so only what has not changed for a day.
void RemoveStale(const fs::path& folder) {
  std::error_code ignored;
  const auto limit = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, ignored)) {
    const auto changed = entry.last_write_time(ignored);
    if (!ignored && entry.path().has_extension() && changed < limit)
      fs::remove_all(entry.path(), ignored);
  }
}

// A folder that is removed with what is in it.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string Within(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

Status CopyInto(const std::string& from, const std::string& to,
                const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::error_code error;
    fs::create_directories(fs::path(to + "/" + file).parent_path(), error);
    if (!error) fs::copy_file(from + "/" + file, to + "/" + file, error);
    if (error)
      return Fail(ErrorCode::kIo,
                  "cannot copy " + from + "/" + file + " to " + to + ": " +
                      error.message(),
                  "--data-dir names another place");
  }
  return {};
}

// Of an endpoint, as `uses` says: answers that hold no label are said, and a
// candidate that seldom gives one is none.
Status CheckAnswers(const RemoteUses& uses, TrialOutcome& outcome) {
  for (const auto& [endpoint, use] : uses) {
    if (use.unlabelled == 0) continue;
    outcome.evidence.note = UnlabelledText(use);
    if (use.unlabelled * 2 > use.requests && outcome.candidate.stages.empty())
      return Fail(ErrorCode::kInvalidInput, *outcome.evidence.note,
                  "[prompt] in the task words the question and the labels");
  }
  return {};
}

void FillConfidence(std::span<const Output> outputs, TrialOutcome& outcome) {
  for (const Output& output : outputs) {
    const Label* label = std::get_if<Label>(&output);
    if (label == nullptr || label->probabilities.empty()) {
      outcome.confidence.clear();
      return;
    }
    outcome.confidence.push_back(double{*std::max_element(
        label->probabilities.begin(), label->probabilities.end())});
  }
}

}  // namespace

bool AsksElsewhere(const Candidate& candidate) {
  return candidate.family == kRemoteFamily ||
         std::ranges::any_of(candidate.stages, AsksElsewhere);
}

// A full disk or a forbidden folder would fail every candidate alike; a key is
// one endpoint's, and what to do about it stands nowhere but in the row.
std::optional<std::string> OwnFault(const Candidate& candidate,
                                    const Error& error) {
  const bool elsewhere = AsksElsewhere(candidate);
  if (error.code == ErrorCode::kIo ||
      (error.code == ErrorCode::kPermission && !elsewhere))
    return std::nullopt;
  return elsewhere && !error.hint.empty()
             ? fmt::format("{}; {}", error.message, error.hint)
             : error.message;
}

TrialOutcome OutcomeFor(const Candidate& candidate) {
  TrialOutcome outcome;
  outcome.candidate = candidate;
  outcome.evidence.name = candidate.name;
  outcome.evidence.family = candidate.family;
  outcome.evidence.params = ToString(candidate.params);
  for (const PassStep& step : candidate.passes)
    outcome.evidence.passes.push_back(ToString(step));
  for (const Candidate& stage : candidate.stages)
    outcome.evidence.stages.push_back(stage.name);
  return outcome;
}

// The files of a candidate's model and what making them cost.
struct TrialRunner::Made {
  std::string directory;
  std::vector<std::string> files;
  Estimate<Joules> train;
  Seconds train_cpu;
};

Hash HashOfTask(const Task& task, const Dataset& data, const HostFacts& host,
                std::string_view meter) {
  Sha256 hash;
  hash.AddField("fit-2");  // raise when a trial's meaning changes
  hash.AddField(
      {reinterpret_cast<const char*>(data.hash.data()), data.hash.size()});
  for (const std::string& part :
       {task.kind, task.text, task.label, task.metric,
        std::to_string(task.seed), std::to_string(task.test),
        std::to_string(task.validation), std::to_string(task.replace_bad_bytes),
        host.cpu_model, std::to_string(host.logical_cpus), std::string(meter)})
    hash.AddField(part);
  for (const std::string& column : data.columns) hash.AddField(column);
  return hash.Finish();
}

std::vector<uint32_t> TrialRunner::TrainRows(Stage stage,
                                             double fraction) const {
  std::vector<uint32_t> rows = parts_.split.train;
  if (stage == Stage::kFinal)
    rows.insert(rows.end(), parts_.split.validation.begin(),
                parts_.split.validation.end());
  if (fraction >= 1) return rows;
  // The same share of every class, at least three of each.
  std::map<LabelIndex, std::vector<uint32_t>> by_label;
  Rng(parts_.task.seed).Shuffle(rows);
  for (const uint32_t row : rows)
    by_label[parts_.data.items[row].label].push_back(row);
  std::vector<uint32_t> drawn;
  for (const auto& [label, members] : by_label) {
    const auto share = static_cast<size_t>(
        std::ceil(fraction * static_cast<double>(members.size())));
    const size_t count = std::min(members.size(), std::max<size_t>(share, 3));
    drawn.insert(drawn.end(), members.begin(),
                 members.begin() + static_cast<ptrdiff_t>(count));
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

const std::vector<uint32_t>& TrialRunner::ScoredRows(Stage stage) const {
  return stage == Stage::kFinal ? parts_.split.test : parts_.split.validation;
}

// 0 and 1 are the stages on all rows; a part of the rows has its own keys.
TrialKey TrialRunner::KeyOf(const Candidate& candidate, Stage stage,
                            double fraction) const {
  uint32_t repeat = stage == Stage::kFinal ? 1 : 0;
  if (fraction < 1) repeat = 2 + static_cast<uint32_t>(fraction * 1'000'000);
  return {parts_.task_hash, HashOf(candidate), repeat};
}

std::string TrialRunner::FolderOf(const Candidate& candidate, Stage stage,
                                  double fraction) const {
  const TrialKey key = KeyOf(candidate, stage, fraction);
  return parts_.cache + "/" + ToHex(parts_.task_hash).substr(0, 16) + "/" +
         ToHex(key.candidate).substr(0, 16) +
         (key.repeat == 0 ? "" : "-" + std::to_string(key.repeat));
}

Budget TrialRunner::TrainingBudget() const {
  Budget budget;
  budget.stop = stop_;
  budget.memory = parts_.task.budget.memory;
  budget.seed = parts_.task.seed;
  return budget;
}

Result<std::optional<TrialOutcome>> TrialRunner::Resume(
    const Candidate& candidate, Stage stage, double fraction) const {
  std::optional<TrialOutcome> none;
  MODICUM_TRY(const auto trial,
              parts_.ledger.FindTrial(KeyOf(candidate, stage, fraction)));
  if (!trial || trial->outcome != "ok") return none;
  TrialOutcome outcome;
  outcome.candidate = candidate;
  outcome.directory = FolderOf(candidate, stage, fraction);
  const std::vector<uint32_t>& rows = ScoredRows(stage);
  if (!ReadDetail(trial->detail, rows.size(), outcome)) return none;
  // A candidate may have been renamed since.
  outcome.evidence.name = candidate.name;
  outcome.evidence.cost = trial->cost;
  outcome.evidence.wall = trial->wall;
  outcome.evidence.resumed = true;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Item& item = parts_.data.items[rows[i]];
    outcome.scores.push_back({item.id, item.group, outcome.evidence.scores[i]});
  }
  return std::optional(std::move(outcome));
}

// Scores on the stage's items, and a first look at the cost: three short
// repeats. The candidates that matter are measured properly later.
Status TrialRunner::Score(Model& model, Stage stage, TrialOutcome& outcome) {
  std::vector<Item> items;
  std::vector<const Item*> pointers;
  for (const uint32_t row : ScoredRows(stage)) {
    items.push_back(parts_.data.items[row]);
    pointers.push_back(&parts_.data.items[row]);
  }
  CallOptions call;
  call.stop = stop_;
  call.seed = parts_.task.seed;
  NullSink sink;
  const RemoteUses before = RemoteUseSoFar();
  MODICUM_TRY(const auto outputs, model.Predict(items, call, sink));
  MODICUM_RETURN_IF_ERROR(CheckAnswers(RemoteUseSince(before), outcome));
  outcome.scores = ScoreItems(parts_.metric, pointers, outputs);
  for (const ItemScore& score : outcome.scores)
    outcome.evidence.scores.push_back(score.value);
  FillConfidence(outputs, outcome);
  if (stage == Stage::kFinal) return {};
  CostOptions options;
  options.min_repeats = options.max_repeats = 3;
  options.repeat_wall = Seconds(0.01);
  options.latency_items = 20;
  const CostSubject subject{outcome.candidate.name, outcome.candidate.family,
                            &model};
  MODICUM_TRY(auto samples,
              MeasureCosts({&subject, 1}, items, options, parts_.meter,
                           parts_.fs, parts_.clock, stop_));
  outcome.evidence.samples = std::move(samples.front());
  return {};
}

Result<TrialRunner::Made> TrialRunner::Obtain(const Candidate& candidate,
                                              Stage stage, double fraction,
                                              const std::string& folder) {
  MODICUM_TRY(const auto known, Resume(candidate, stage, fraction));
  if (!known) {
    MODICUM_RETURN_IF_ERROR(MakeFolder(folder));
    return Make(candidate, stage, fraction, folder);
  }
  Made made{
      known->directory, {}, known->evidence.train, known->evidence.train_cpu};
  for (const auto& [name, sha256] : known->evidence.files)
    made.files.push_back(name);
  return made;
}

Result<TrialRunner::Made> TrialRunner::MakeByTraining(
    const Candidate& candidate, Stage stage, double fraction,
    const std::string& folder) {
  MODICUM_TRY(Trainer * trainer, FindTrainer(candidate.family));
  MODICUM_RETURN_IF_ERROR(trainer->Accepts(parts_.data));
  NullSink sink;
  const Budget budget = TrainingBudget();
  const WindowId window = parts_.meter.Begin("train");
  auto train = [&]() -> Result<TrainedModel> {
    std::vector<uint32_t> rows = TrainRows(stage, fraction);
    for (const PassStep& step : candidate.passes) {
      MODICUM_TRY(Pass * pass, FindPass(step.pass));
      const PassInput input{parts_.data,      rows, candidate.family,
                            candidate.params, {},   {}};
      MODICUM_TRY(rows, pass->SelectRows(input, step.params, budget));
    }
    // Where the next fit finds it, should this one be stopped; that one then
    // pays for the rest of the training, this one for its part.
    Checkpoint checkpoint(FolderOf(candidate, stage, fraction) + ".checkpoint");
    return trainer->Train(parts_.data, rows, candidate.params, budget,
                          &checkpoint, folder, sink);
  };
  auto trained = train();
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!trained) return Fail(std::move(trained).error());
  return Made{folder, trained->files,
              OfWorkload(reading.split.own(), "training"), reading.cpu};
}

// The parent is the candidate without its last pass.
Result<TrialRunner::Made> TrialRunner::MakeByPass(const Candidate& candidate,
                                                  Stage stage, double fraction,
                                                  const std::string& folder) {
  Candidate parent = candidate;
  const PassStep step = parent.passes.back();
  parent.passes.pop_back();
  MODICUM_TRY(Made from, Obtain(parent, stage, fraction, folder + ".parent"));
  if (step.pass == kRunStep) {
    MODICUM_RETURN_IF_ERROR(CopyInto(from.directory, folder, from.files));
    from.directory = folder;
    return from;
  }
  MODICUM_TRY(Pass * pass, FindPass(step.pass));
  const std::vector<uint32_t> rows = TrainRows(stage, fraction);
  const PassInput input{parts_.data,      rows,           candidate.family,
                        candidate.params, from.directory, from.files};
  NullSink sink;
  const WindowId window = parts_.meter.Begin("pass");
  auto passed = pass->Apply(input, step.params, TrainingBudget(), folder, sink);
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!passed) return Fail(std::move(passed).error());
  return Made{folder, passed->files,
              from.train + OfWorkload(reading.split.own(), "training"),
              from.train_cpu + reading.cpu};
}

Result<TrialRunner::Made> TrialRunner::MakeCascade(const Candidate& candidate,
                                                   Stage stage, double fraction,
                                                   const std::string& folder) {
  Made made{folder, {}, {}, {}};
  std::vector<CascadeStage> stages;
  for (size_t i = 0; i < candidate.stages.size(); ++i) {
    const std::string name = std::to_string(i + 1);
    MODICUM_TRY(const Made part, Obtain(candidate.stages[i], stage, fraction,
                                        folder + ".stage" + name));
    MODICUM_RETURN_IF_ERROR(
        CopyInto(part.directory, folder + "/" + name, part.files));
    for (const std::string& file : part.files)
      made.files.push_back(name + "/" + file);
    made.train = i == 0 ? part.train : made.train + part.train;
    made.train_cpu += part.train_cpu;
    stages.push_back({candidate.stages[i].family, name,
                      Get(candidate.params, "threshold" + name, 0.0)});
  }
  MODICUM_RETURN_IF_ERROR(
      WriteFileAtomically(folder + "/" + kCascadeFile, EncodeCascade(stages)));
  made.files.emplace_back(kCascadeFile);
  return made;
}

Result<TrialRunner::Made> TrialRunner::Make(const Candidate& candidate,
                                            Stage stage, double fraction,
                                            const std::string& folder) {
  if (!candidate.stages.empty())
    return MakeCascade(candidate, stage, fraction, folder);
  if (candidate.passes.empty())
    return MakeByTraining(candidate, stage, fraction, folder);
  if (RunSettingsOf(candidate) != nullptr)
    return MakeByPass(candidate, stage, fraction, folder);
  MODICUM_TRY(const Pass* last, FindPass(candidate.passes.back().pass));
  return last->on_data() ? MakeByTraining(candidate, stage, fraction, folder)
                         : MakeByPass(candidate, stage, fraction, folder);
}

// Made beside its final place, then renamed: the cache holds whole models
// only, also when two fits make the same one.
Result<TrialOutcome> TrialRunner::MakeAndScore(const Candidate& candidate,
                                               Stage stage, double fraction) {
  TrialOutcome outcome = OutcomeFor(candidate);
  outcome.directory = FolderOf(candidate, stage, fraction);
  const fs::path cache = fs::path(outcome.directory).parent_path();
  MODICUM_RETURN_IF_ERROR(MakeFolder(cache.string()));
  RemoveStale(cache);
  std::string building = outcome.directory + ".XXXXXX";
  if (mkdtemp(building.data()) == nullptr)
    return Fail(ErrorCode::kIo,
                "cannot create a folder beside " + outcome.directory + ": " +
                    std::strerror(errno),
                "--data-dir names another place");
  const Scratch scratch(building);
  const std::string folder = scratch.Within("model");
  MODICUM_RETURN_IF_ERROR(MakeFolder(folder));
  MODICUM_TRY(const Made made, Make(candidate, stage, fraction, folder));
  MODICUM_RETURN_IF_ERROR(MoveFolder(folder, outcome.directory));
  for (const std::string& file : made.files) {
    MODICUM_TRY(const Hash hash, Sha256OfFile(outcome.directory + "/" + file));
    outcome.evidence.files[file] = ToHex(hash);
  }
  outcome.evidence.train = made.train;
  outcome.evidence.train_cpu = made.train_cpu;
  MODICUM_TRY(const auto model, Load(outcome));
  const ModelInfo& info = model->info();
  outcome.evidence.engine = info.engine + " " + info.engine_version;
  outcome.evidence.not_deterministic = info.not_deterministic;
  outcome.evidence.parameters = info.parameters;
  outcome.evidence.bytes = info.bytes;
  MODICUM_RETURN_IF_ERROR(Score(*model, stage, outcome));
  return outcome;
}

Status TrialRunner::Record(const TrialOutcome& outcome, const TrialKey& key) {
  Trial trial;
  trial.key = key;
  trial.run = parts_.run;
  trial.name = outcome.candidate.name;
  trial.outcome = outcome.ok() ? "ok" : "failed";
  trial.cause = outcome.evidence.failure;
  trial.cost = outcome.evidence.cost;
  trial.wall = outcome.evidence.wall;
  if (outcome.ok()) trial.detail = DetailOf(outcome);
  return parts_.ledger.Put(trial);
}

TrialKey TrialRunner::UnfinishedKey() const {
  return {parts_.task_hash, Sha256Of("stopped search"), 0};
}

// The newest row's detail holds the sum over all stopped fits, its cost the
// last one's own: a ledger lists every row under the run that it belongs to.
Result<std::optional<Trial>> TrialRunner::Unfinished() const {
  MODICUM_TRY(auto trial, parts_.ledger.FindTrial(UnfinishedKey()));
  if (!trial) return trial;
  const Json json = Json::parse(trial->detail, nullptr, false);
  if (!json.is_object() || !json.contains("cost")) return trial;
  MODICUM_TRY(trial->cost, FromJson<Estimate<Joules>>(json["cost"]));
  trial->wall = Seconds(json.value("wall", trial->wall.value()));
  return trial;
}

Status TrialRunner::ChargeUnfinished(const Estimate<Joules>& cost,
                                     Seconds wall) {
  MODICUM_TRY(const auto earlier, Unfinished());
  Trial trial;
  trial.key = UnfinishedKey();
  trial.run = parts_.run;
  trial.name = "stopped search";
  trial.outcome = "interrupted";
  trial.cause = "what it spent beside its trials";
  trial.cost = cost;
  trial.wall = wall;
  const Estimate<Joules> sum = earlier ? earlier->cost + cost : cost;
  const Seconds walls = earlier ? earlier->wall + wall : wall;
  trial.detail = Json{{"cost", ToJson(sum)}, {"wall", walls.value()}}.dump();
  return parts_.ledger.Put(trial);
}

Result<TrialOutcome> TrialRunner::Run(const Candidate& candidate, Stage stage,
                                      double fraction,
                                      std::optional<Seconds> limit) {
  // Learns nothing from rows: part of them is all of them, and is paid once.
  if (candidate.family == kRemoteFamily) fraction = 1;
  MODICUM_TRY(auto resumed, Resume(candidate, stage, fraction));
  if (resumed) return *std::move(resumed);

  const RemoteUses before = RemoteUseSoFar();
  const WindowId window = parts_.meter.Begin(candidate.name);
  const StopAfter stop(parts_.stop, limit);
  stop_ = stop.token();
  auto outcome = MakeAndScore(candidate, stage, fraction);
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (parts_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  if (!outcome) {
    auto reason = OwnFault(candidate, outcome.error());
    if (!reason) return Fail(std::move(outcome).error());
    TrialOutcome failed = OutcomeFor(candidate);
    failed.evidence.failure =
        outcome.error().code == ErrorCode::kInterrupted
            ? fmt::format("stopped after {}: the task's budget is spent",
                          FormatDuration(reading.wall))
            : *std::move(reason);
    outcome = std::move(failed);
  }
  outcome->evidence.cost = WithRemote(
      OfWorkload(reading.split.own(), "training"), RemoteUseSince(before));
  outcome->evidence.wall = reading.wall;
  MODICUM_RETURN_IF_ERROR(Record(*outcome, KeyOf(candidate, stage, fraction)));
  return *std::move(outcome);
}

Result<std::unique_ptr<Model>> TrialRunner::Load(
    const TrialOutcome& outcome) const {
  NullSink sink;
  auto load = [&] {
    return LoadModel(outcome.candidate.family, outcome.directory,
                     parts_.data.labels, sink);
  };
  const Params* run = RunSettingsOf(outcome.candidate);
  if (run == nullptr) return load();
  std::vector<std::unique_ptr<Model>> instances;
  for (int64_t i = 0; i < Get(*run, "threads", int64_t{1}); ++i) {
    MODICUM_TRY(auto model, load());
    instances.push_back(std::move(model));
  }
  return WithRunSettings(std::move(instances),
                         static_cast<int>(Get(*run, "batch", int64_t{256})));
}

}  // namespace modicum
