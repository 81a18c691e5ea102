// SPDX-License-Identifier: Apache-2.0
// Reads the task file with toml++; every key is checked off, what is left
// over is refused by name.
#include "fit/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/file.h"
#include "base/suggest.h"
#include "base/toml_section.h"
#include "model/remote/remote_params.h"
#include "place/place_section.h"

namespace modicum {
namespace {

// A hundred thousand predictions a month for every human.
constexpr double kMostVolume = 1e15;
constexpr std::string_view kKinds[] = {"text-classification",
                                       "tabular-classification"};

void CheckRanges(const Task& task, TomlSection& section) {
  if (std::find(std::begin(kKinds), std::end(kKinds), task.kind) ==
      std::end(kKinds))
    section.Fault("kind",
                  fmt::format("'{}' is not a known kind{}", task.kind,
                              DidYouMean(task.kind, kKinds)),
                  fmt::format("kinds are: {}", fmt::join(kKinds, ", ")));
  if (task.within && task.floor)
    section.Fault("within", "and floor exclude each other",
                  "keep within = 0.01 (margin to the best) or floor = 0.97");
  if (task.within && *task.within < 0)
    section.Fault("within", "must not be negative");
  if (task.within && task.metric != "log-loss" && *task.within > 1)
    section.Fault("within", "must be between 0 and 1",
                  "it is a share: 0.01 is one percentage point");
  if (task.floor && task.metric != "log-loss" &&
      (*task.floor < 0 || *task.floor > 1))
    section.Fault("floor", "must be between 0 and 1");
  if (task.volume < 0) section.Fault("volume", "must not be negative");
  if (task.volume > kMostVolume)
    section.Fault("volume", "must be at most 1e15",
                  "it is the number of predictions a month");
  if (task.test <= 0 || task.test >= 0.9)
    section.Fault("test", "must be between 0 and 0.9",
                  "it is the share of the data kept for the test, e.g. 0.3");
  if (task.validation <= 0 || task.test + task.validation >= 0.95)
    section.Fault("validation", "and test leave too little to train on");
}

Status ReadTask(TomlSection& section, Task& task) {
  section.Require("name");
  section.Require("kind");
  section.Require("data");
  section.Read("name", task.name);
  section.Read("kind", task.kind);
  section.Read("data", task.data);
  section.Read("format", task.format);
  section.Read("text", task.text);
  section.Read("label", task.label);
  std::string bad_bytes = "refuse";
  section.Read("bad_bytes", bad_bytes);
  if (bad_bytes != "refuse" && bad_bytes != "replace")
    section.Fault("bad_bytes", "must be \"refuse\" or \"replace\"");
  task.replace_bad_bytes = bad_bytes == "replace";
  section.Read("metric", task.metric);
  section.Read("within", task.within);
  section.Read("floor", task.floor);
  section.Read("volume", task.volume);
  section.Read("current", task.current);
  int64_t seed = 1;
  section.Read("seed", seed);
  if (seed < 0) section.Fault("seed", "must not be negative");
  task.seed = static_cast<uint64_t>(seed);
  section.Read("test", task.test);
  section.Read("validation", task.validation);
  section.ReadStrings("families", task.families);
  section.ReadStrings("models", task.models);
  section.ReadStrings("columns", task.columns);
  section.Read("published", task.published);
  if (!task.within && !task.floor) task.within = 0.01;
  CheckRanges(task, section);
  if (task.name.empty() ||
      task.name.find_first_of("/\\\n") != std::string::npos)
    section.Fault("name", "must be a plain name: it names the artifact");
  return section.Finish();
}

Status ReadPrompt(TomlSection& section, Task& task) {
  section.Read("template", task.prompt_template);
  section.ReadTexts("labels", task.prompt_words);
  return section.Finish();
}

constexpr int64_t kMostPretraining = 10000;

Status ReadEncoder(TomlSection& section, Task& task) {
  section.ReadOneOrMore("base", task.bases);
  section.Read("frozen", task.frozen);
  if (task.frozen && task.bases.empty())
    section.Fault("frozen", "needs a base", "add base = \"bert.gguf\"");
  std::optional<int64_t> pretrain;
  section.Read("pretrain", pretrain);
  if (pretrain && (*pretrain < 0 || *pretrain > kMostPretraining))
    section.Fault("pretrain",
                  fmt::format("must be 0 to {} epochs", kMostPretraining));
  task.pretrain = static_cast<uint64_t>(pretrain.value_or(0));
  section.Read("unlabelled", task.unlabelled);
  if (!task.unlabelled.empty() && task.pretrain == 0)
    section.Fault("unlabelled", "is for pretraining alone",
                  "add pretrain = 20, the passes over it");
  if (task.pretrain > 0 && task.frozen == true)
    section.Fault("pretrain", "would change a base that is frozen",
                  "leave out one of them");
  return section.Finish();
}

Status ReadBudget(TomlSection& section, TaskBudget& budget) {
  std::optional<double> seconds;
  std::optional<double> joules;
  std::optional<double> megabytes;
  section.Read("seconds", seconds);
  section.Read("joules", joules);
  section.Read("memory_mb", megabytes);
  if (seconds && *seconds <= 0) section.Fault("seconds", "must be positive");
  if (joules && *joules <= 0) section.Fault("joules", "must be positive");
  if (megabytes && *megabytes <= 0)
    section.Fault("memory_mb", "must be positive");
  if (seconds) budget.time = Seconds(*seconds);
  if (joules) budget.energy = Joules(*joules);
  if (megabytes) budget.memory = Bytes(*megabytes * 1e6);
  return section.Finish();
}

Status ReadReference(TomlSection& section, Reference& row) {
  for (const std::string_view key : {"name", "joules_per_1000", "source"})
    section.Require(key);
  section.Read("name", row.name);
  section.Read("joules_per_1000", row.joules_per_1000);
  row.low = row.high = row.joules_per_1000;
  section.Read("low", row.low);
  section.Read("high", row.high);
  section.Read("quality", row.quality);
  section.Read("scope", row.scope);
  section.Read("source", row.source);
  section.Read("date", row.date);
  section.Read("planned", row.planned);
  if (row.joules_per_1000 <= 0)
    section.Fault("joules_per_1000", "must be positive");
  if (row.low > row.joules_per_1000 || row.high < row.joules_per_1000)
    section.Fault("joules_per_1000", "must lie between low and high");
  return section.Finish();
}

// A 90 % interval, or one number.
void ReadInterval(TomlSection& section, std::string_view key, const char* low,
                  const char* high, Params& params) {
  std::vector<double> ends;
  section.ReadOneOrMore(key, ends);
  if (ends.empty()) return;
  if (ends.size() > 2 || ends.front() <= 0 || ends.front() > ends.back())
    return section.Fault(key, "must be [low, high], joules a token",
                         "for example joules_out = [0.1, 10]");
  params[low] = ends.front();
  params[high] = ends.back();
}

Status ReadRemote(TomlSection& section, Params& params) {
  for (const char* key : {kRemoteName, kRemoteUrl, kRemoteModel})
    section.Require(key);
  for (const char* key :
       {kRemoteName, kRemoteUrl, kRemoteModel, kRemoteKey, kRemoteCurrency}) {
    std::string text;
    if (section.Read(key, text)) params[key] = std::move(text);
  }
  for (const char* key :
       {kRemotePriceIn, kRemotePriceOut, kRemoteTimeout, kRemoteMostSpent}) {
    double number = 0;
    if (section.Read(key, number)) params[key] = number;
    if (number < 0) section.Fault(key, "must not be negative");
  }
  int64_t parallel = 4;
  if (section.Read(kRemoteParallel, parallel))
    params[kRemoteParallel] = parallel;
  if (parallel < 1 || parallel > 64)
    section.Fault(kRemoteParallel, "must be 1 to 64");
  ReadInterval(section, "joules_in", kRemoteInLow, kRemoteInHigh, params);
  ReadInterval(section, "joules_out", kRemoteOutLow, kRemoteOutHigh, params);
  return section.Finish();
}

// The tables of a list that is written as [[name]], or none.
Result<std::vector<const toml::table*>> TablesOf(const toml::table& root,
                                                 std::string_view name,
                                                 const std::string& file) {
  std::vector<const toml::table*> tables;
  const toml::node* node = root.get(name);
  if (node == nullptr) return tables;
  if (!node->is_array_of_tables())
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}:{}: {} must be a list of tables", file,
                    node->source().begin.line, name),
        fmt::format("each begins with [[{}]], in double brackets", name));
  for (const toml::node& element : *node->as_array())
    tables.push_back(element.as_table());
  return tables;
}

Status ReadRemotes(const toml::table& root, const std::string& file,
                   std::vector<Params>& remotes) {
  MODICUM_TRY(const auto tables, TablesOf(root, "remote", file));
  std::set<std::string> names;
  for (const toml::table* table : tables) {
    TomlSection section(*table, "remote", file);
    remotes.emplace_back();
    MODICUM_RETURN_IF_ERROR(ReadRemote(section, remotes.back()));
    const std::string name = Get(remotes.back(), kRemoteName, std::string());
    if (!names.insert(name).second)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: two [[remote]] are named '{}'", file, name));
    if (Get(remotes.back(), kRemoteCurrency, std::string("USD")) !=
        Get(remotes.front(), kRemoteCurrency, std::string("USD")))
      return Fail(ErrorCode::kInvalidInput,
                  file + ": [[remote]] have prices in two currencies",
                  "give all of them in one: there is no exchange here");
  }
  return {};
}

Status ReadReferences(const toml::table& root, const std::string& file,
                      std::vector<Reference>& rows) {
  MODICUM_TRY(const auto tables, TablesOf(root, "reference", file));
  for (const toml::table* table : tables) {
    TomlSection section(*table, "reference", file);
    rows.emplace_back();
    MODICUM_RETURN_IF_ERROR(ReadReference(section, rows.back()));
  }
  return {};
}

// The sections a task file may have.
Status ReadSections(const toml::table& root, const std::string& path,
                    Task& task) {
  TomlSection top(root, "task file", path);
  for (const std::string_view key :
       {"task", "place", "budget", "prompt", "encoder", "reference", "remote"})
    top.Allow(key);
  top.Require("task");
  for (const std::string_view key :
       {"task", "place", "budget", "prompt", "encoder"})
    top.RequireTable(key);
  MODICUM_RETURN_IF_ERROR(top.Finish());
  const toml::table empty;
  auto section = [&](std::string_view name) {
    const toml::table* table = root[name].as_table();
    return TomlSection(table ? *table : empty, std::string(name), path);
  };
  TomlSection task_section = section("task");
  MODICUM_RETURN_IF_ERROR(ReadTask(task_section, task));
  TomlSection place_section = section("place");
  MODICUM_RETURN_IF_ERROR(ReadPlace(place_section, task.place));
  TomlSection prompt_section = section("prompt");
  MODICUM_RETURN_IF_ERROR(ReadPrompt(prompt_section, task));
  TomlSection encoder_section = section("encoder");
  MODICUM_RETURN_IF_ERROR(ReadEncoder(encoder_section, task));
  TomlSection budget_section = section("budget");
  MODICUM_RETURN_IF_ERROR(ReadBudget(budget_section, task.budget));
  MODICUM_RETURN_IF_ERROR(ReadRemotes(root, path, task.remotes));
  return ReadReferences(root, path, task.references);
}

}  // namespace

bool FromCatalog(const Task& task) {
  return task.data.starts_with(kCatalogPrefix);
}

Result<std::string> ObtainData(const Task& task, const std::string& data_dir,
                               const GetDataOptions& options) {
  if (!FromCatalog(task)) return task.data;
  return GetData(task.data.substr(kCatalogPrefix.size()), data_dir, options);
}

Result<Task> ParseTask(std::string_view toml, const std::string& path) {
  MODICUM_TRY(const toml::table root, ParseToml(toml, path));
  Task task;
  task.file = path;
  task.source = toml;
  MODICUM_RETURN_IF_ERROR(ReadSections(root, path, task));
  const auto folder = std::filesystem::path(path).parent_path();
  if (!FromCatalog(task)) task.data = (folder / task.data).string();
  for (auto* paths : {&task.models, &task.bases})
    for (std::string& path_of : *paths) path_of = (folder / path_of).string();
  if (!task.unlabelled.empty())
    task.unlabelled = (folder / task.unlabelled).string();
  return task;
}

Result<Task> LoadTask(const std::string& path) {
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound)
    text.error().hint = "examples/spam/task.toml shows what one looks like";
  if (!text) return Fail(std::move(text).error());
  return ParseTask(*text, path);
}

}  // namespace modicum
