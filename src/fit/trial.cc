// SPDX-License-Identifier: Apache-2.0
#include "fit/trial.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "evaluate/cost.h"
#include "record/json.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// What a trial's row keeps for resuming.
std::string DetailOf(const TrialOutcome& outcome) {
  Json values = Json::array();
  for (const ItemScore& score : outcome.scores) values.push_back(score.value);
  Json files = Json::object();
  for (size_t i = 0; i < outcome.files.size(); ++i)
    files[outcome.files[i]] = ToHex(outcome.hashes[i]);
  return Json{{"files", std::move(files)},
              {"scores", std::move(values)},
              {"train", ToJson(outcome.train)},
              {"train_cpu", outcome.train_cpu.value()},
              {"per_1000", ToJson(outcome.per_1000)}}
      .dump();
}

// Whether the folder holds the files with the content they had when the trial
// was recorded. A file that was altered since is as good as lost.
bool FilesAreWhole(const Json& files, TrialOutcome& outcome) {
  for (const auto& [name, sha256] : files.items()) {
    const auto hash = Sha256OfFile(outcome.directory + "/" + name);
    if (!hash || sha256 != ToHex(*hash)) return false;
    outcome.files.push_back(name);
    outcome.hashes.push_back(*hash);
  }
  return true;
}

// False when the row does not hold what this version needs, or its files are
// not there any more.
bool ReadDetail(const std::string& text, TrialOutcome& outcome) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("scores") ||
      !json.contains("files") || !json.contains("train") ||
      !json.contains("per_1000") || !json["scores"].is_array() ||
      !json["files"].is_object() ||
      json["scores"].size() != outcome.scores.size())
    return false;
  const auto train = FromJson<Estimate<Joules>>(json["train"]);
  const auto per_1000 = FromJson<Estimate<Joules>>(json["per_1000"]);
  if (!train || !per_1000) return false;
  outcome.train = *train;
  outcome.per_1000 = *per_1000;
  outcome.train_cpu = Seconds(json.value("train_cpu", 0.0));
  for (size_t i = 0; i < outcome.scores.size(); ++i) {
    if (!json["scores"][i].is_number()) return false;
    outcome.scores[i].value = json["scores"][i].get<double>();
  }
  return FilesAreWhole(json["files"], outcome);
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

}  // namespace

Hash HashOfTask(const Task& task, const Dataset& data, const HostFacts& host) {
  Sha256 hash;
  hash.AddField("fit-1");  // raise when a trial's meaning changes
  hash.AddField(
      {reinterpret_cast<const char*>(data.hash.data()), data.hash.size()});
  for (const std::string& part :
       {task.kind, task.text, task.label, task.metric,
        std::to_string(task.seed), std::to_string(task.test),
        std::to_string(task.validation), std::to_string(task.replace_bad_bytes),
        host.cpu_model, std::to_string(host.logical_cpus)})
    hash.AddField(part);
  return hash.Finish();
}

std::vector<uint32_t> TrialRunner::TrainRows(Stage stage) const {
  std::vector<uint32_t> rows = parts_.split.train;
  if (stage == Stage::kFinal)
    rows.insert(rows.end(), parts_.split.validation.begin(),
                parts_.split.validation.end());
  return rows;
}

const std::vector<uint32_t>& TrialRunner::ScoredRows(Stage stage) const {
  return stage == Stage::kFinal ? parts_.split.test : parts_.split.validation;
}

Result<std::optional<TrialOutcome>> TrialRunner::Resume(
    const Candidate& candidate, const TrialKey& key,
    const std::string& directory, Stage stage) const {
  std::optional<TrialOutcome> none;
  MODICUM_TRY(const auto trial, parts_.ledger.FindTrial(key));
  if (!trial || trial->outcome != "ok") return none;
  TrialOutcome outcome;
  outcome.candidate = candidate;
  outcome.directory = directory;
  outcome.cost = trial->cost;
  outcome.wall = trial->wall;
  outcome.resumed = true;
  for (const uint32_t row : ScoredRows(stage)) {
    const Item& item = parts_.data.items[row];
    outcome.scores.push_back({item.id, item.group, 0});
  }
  if (!ReadDetail(trial->detail, outcome)) return none;
  return std::optional(std::move(outcome));
}

Status TrialRunner::Score(Model& model, Stage stage, TrialOutcome& outcome) {
  std::vector<Item> items;
  std::vector<const Item*> pointers;
  for (const uint32_t row : ScoredRows(stage)) {
    items.push_back(parts_.data.items[row]);
    pointers.push_back(&parts_.data.items[row]);
  }
  CallOptions call;
  call.stop = parts_.stop;
  call.seed = parts_.task.seed;
  NullSink sink;
  const WindowId window = parts_.meter.Begin("predict");
  auto outputs = model.Predict(items, call, sink);
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (!outputs) return Fail(std::move(outputs).error());
  outcome.per_1000 = OfWorkload(reading.split.own(), outcome.candidate.family) *
                     (1000.0 / static_cast<double>(items.size()));
  outcome.scores = ScoreItems(parts_.metric, pointers, *outputs);
  return {};
}

Result<TrialOutcome> TrialRunner::Train(const Candidate& candidate, Stage stage,
                                        const std::string& directory) {
  TrialOutcome outcome;
  outcome.candidate = candidate;
  outcome.directory = directory;
  MODICUM_TRY(Trainer * trainer, FindTrainer(candidate.family));
  MODICUM_RETURN_IF_ERROR(trainer->Accepts(parts_.data));

  // Trained beside its final place, then renamed: the cache holds whole
  // models only, also when two fits train the same one.
  std::string building = directory + ".XXXXXX";
  MODICUM_RETURN_IF_ERROR(
      MakeFolder(fs::path(directory).parent_path().string()));
  RemoveStale(fs::path(directory).parent_path());
  if (mkdtemp(building.data()) == nullptr)
    return Fail(ErrorCode::kIo,
                "cannot create a folder beside " + directory + ": " +
                    std::strerror(errno),
                "--data-dir names another place");

  Budget budget;
  budget.stop = parts_.stop;
  budget.memory = parts_.task.budget.memory;
  budget.seed = parts_.task.seed;
  NullSink sink;
  const WindowId window = parts_.meter.Begin("train");
  auto trained = trainer->Train(parts_.data, TrainRows(stage), candidate.params,
                                budget, nullptr, building, sink);
  auto reading = parts_.meter.End(window);
  std::error_code ignored;
  if (!trained || !reading) {
    fs::remove_all(building, ignored);
    return Fail(trained ? std::move(reading).error()
                        : std::move(trained).error());
  }
  const Status moved = MoveFolder(building, directory);
  fs::remove_all(building, ignored);
  if (!moved) return Fail(moved.error());
  outcome.files = trained->files;
  for (const std::string& file : outcome.files) {
    MODICUM_TRY(const Hash hash, Sha256OfFile(directory + "/" + file));
    outcome.hashes.push_back(hash);
  }
  outcome.train = OfWorkload(reading->split.own(), "training");
  outcome.train_cpu = reading->cpu;
  MODICUM_TRY(const auto model, Load(outcome));
  MODICUM_RETURN_IF_ERROR(Score(*model, stage, outcome));
  return outcome;
}

Status TrialRunner::Record(const TrialOutcome& outcome, const TrialKey& key) {
  Trial trial;
  trial.key = key;
  trial.run = parts_.run;
  trial.name = outcome.candidate.name;
  trial.outcome = outcome.failure.empty() ? "ok" : "failed";
  trial.cause = outcome.failure;
  trial.cost = outcome.cost;
  trial.wall = outcome.wall;
  if (outcome.failure.empty()) trial.detail = DetailOf(outcome);
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

Result<TrialOutcome> TrialRunner::Run(const Candidate& candidate, Stage stage) {
  const TrialKey key{parts_.task_hash, HashOf(candidate),
                     stage == Stage::kFinal ? 1U : 0U};
  const std::string directory = parts_.cache + "/" +
                                ToHex(parts_.task_hash).substr(0, 16) + "/" +
                                ToHex(key.candidate).substr(0, 16) +
                                (stage == Stage::kFinal ? "-final" : "");
  MODICUM_TRY(auto resumed, Resume(candidate, key, directory, stage));
  if (resumed) return *std::move(resumed);

  const WindowId window = parts_.meter.Begin(candidate.name);
  auto outcome = Train(candidate, stage, directory);
  MODICUM_TRY(const WindowReading reading, parts_.meter.End(window));
  if (parts_.stop.stop_requested())
    return Fail(ErrorCode::kInterrupted, "interrupted");
  if (!outcome) {
    // A full disk or a forbidden folder would fail every candidate alike.
    const ErrorCode code = outcome.error().code;
    if (code == ErrorCode::kInterrupted || code == ErrorCode::kIo ||
        code == ErrorCode::kPermission)
      return Fail(std::move(outcome).error());
    TrialOutcome failed;
    failed.candidate = candidate;
    failed.failure = outcome.error().message;
    outcome = std::move(failed);
  }
  outcome->cost = OfWorkload(reading.split.own(), "training");
  outcome->wall = reading.wall;
  MODICUM_RETURN_IF_ERROR(Record(*outcome, key));
  return *std::move(outcome);
}

Result<std::unique_ptr<Model>> TrialRunner::Load(
    const TrialOutcome& outcome) const {
  MODICUM_TRY(Trainer * trainer, FindTrainer(outcome.candidate.family));
  NullSink sink;
  return trainer->Load(outcome.directory, parts_.data.labels, sink);
}

}  // namespace modicum
