// SPDX-License-Identifier: Apache-2.0
#include "bench/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "base/glob.h"
#include "base/suggest.h"
#include "base/toml_section.h"
#include "dataset/catalog.h"
#include "model/gguf/head_file.h"
#include "place/place_section.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostInferences = 1'000'000'000;
constexpr uint64_t kMostRuns = 10'000;
constexpr uint64_t kMostBatch = 65'536;
constexpr uint64_t kMostTokens = 1 << 20;

tl::unexpected<Error> Refused(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
}

// A whole number that is not negative; `out` keeps its value without the key.
void ReadCount(TomlSection& section, std::string_view key, uint64_t& out) {
  std::optional<int64_t> value;
  section.Read(key, value);
  if (!value) return;
  if (*value < 0) return section.Fault(key, "must not be negative");
  out = static_cast<uint64_t>(*value);
}

void ReadCounts(TomlSection& section, std::string_view key,
                std::vector<uint64_t>& out) {
  std::vector<int64_t> values(out.begin(), out.end());
  section.ReadOneOrMore(key, values);
  out.clear();
  for (const int64_t value : values) {
    if (value < 0) return section.Fault(key, "must not be negative");
    out.push_back(static_cast<uint64_t>(value));
  }
}

void ReadSeconds(TomlSection& section, std::string_view key, Seconds& out) {
  std::optional<double> value;
  section.Read(key, value);
  if (!value) return;
  if (*value < 0) return section.Fault(key, "must not be negative");
  out = Seconds(*value);
}

Status ReadBench(TomlSection& section, BenchConfig& config) {
  BenchProtocol& protocol = config.protocol;
  section.Read("name", config.name);
  ReadCount(section, "inferences", protocol.inferences);
  uint64_t runs = 0;
  ReadCount(section, "runs", runs);
  if (runs > kMostRuns)
    section.Fault("runs", fmt::format("must be at most {}", kMostRuns));
  if (runs > 0) {
    protocol.runs = static_cast<uint32_t>(runs);
    protocol.exact_runs = true;
  }
  ReadSeconds(section, "longest", protocol.longest);
  ReadSeconds(section, "shortest", protocol.shortest);
  ReadCount(section, "seed", protocol.seed);
  return section.Finish();
}

Status ReadTask(TomlSection& section, const fs::path& folder,
                TaskSettings& settings) {
  for (const std::string_view key : {"task", "models", "data"})
    section.Require(key);
  std::string name;
  if (section.Read("task", name)) {
    if (const auto task = FindBenchTask(name))
      settings.task = *task;
    else
      section.Fault("task", "names an " + task.error().message,
                    task.error().hint);
  }
  section.ReadOneOrMore("models", settings.models);
  section.ReadOneOrMore("data", settings.data);
  section.Read("format", settings.format);
  section.Read("text", settings.text);
  section.Read("label", settings.label);
  section.Read("metric", settings.metric);
  section.Read("floor", settings.floor);
  ReadCounts(section, "batch", settings.batches);
  ReadCounts(section, "lengths", settings.lengths);
  ReadCount(section, "new_tokens", settings.new_tokens);
  uint64_t threads = 0;
  ReadCount(section, "threads", threads);
  uint64_t context = 0;
  ReadCount(section, "context", context);
  if (threads > 4096) section.Fault("threads", "must be at most 4096");
  if (context > kMostTokens)
    section.Fault("context", fmt::format("must be at most {}", kMostTokens));
  section.ReadTexts("answers", settings.answers);
  MODICUM_RETURN_IF_ERROR(section.Finish());
  settings.threads = static_cast<int>(threads);
  settings.context = static_cast<int>(context);
  // Relative to the file, as its reader expects.
  for (std::string& model : settings.models) model = (folder / model).string();
  for (std::string& data : settings.data)
    if (!data.starts_with(kCatalogPrefix)) data = (folder / data).string();
  return {};
}

Status ReadTasks(const toml::table& root, const std::string& path,
                 std::vector<TaskSettings>& tasks) {
  const toml::node& node = *root.get("task");
  if (!node.is_array_of_tables())
    return Refused(fmt::format("{}:{}: task must be a list of tables", path,
                               node.source().begin.line),
                   "each begins with [[task]], in double brackets");
  const fs::path folder = fs::path(path).parent_path();
  for (const toml::node& element : *node.as_array()) {
    TomlSection section(*element.as_table(), "task", path);
    tasks.emplace_back();
    MODICUM_RETURN_IF_ERROR(ReadTask(section, folder, tasks.back()));
  }
  return {};
}

Status CheckTask(const TaskSettings& settings) {
  const BenchTask& task = *settings.task;
  if (settings.models.empty())
    return Refused(fmt::format("{}: no models", task.name),
                   "name an artifact or a GGUF file");
  if (settings.data.empty())
    return Refused(fmt::format("{}: no data", task.name),
                   "name a file, or catalog:NAME (`modicum data list`)");
  if (settings.batches.empty())
    return Refused(fmt::format("{}: no batch size", task.name));
  if (!task.metrics.empty() &&
      std::ranges::count(task.metrics, MetricOf(settings)) == 0)
    return Refused(
        fmt::format("{}: unknown metric '{}'{}", task.name, settings.metric,
                    DidYouMean(settings.metric, task.metrics)),
        fmt::format("metrics are: {}", fmt::join(task.metrics, ", ")));
  for (const uint64_t batch : settings.batches) {
    if (batch == 0 || batch > kMostBatch)
      return Refused(fmt::format("{}: a batch of {} items", task.name, batch),
                     fmt::format("it can be 1 to {}", kMostBatch));
    if (batch > 1 && !task.batches)
      return Refused(fmt::format("{}: a batch of {} items", task.name, batch),
                     "this task is done one item a call: leave the batch out");
  }
  if (task.generates &&
      (settings.new_tokens == 0 || settings.new_tokens > kMostTokens))
    return Refused(
        fmt::format("{}: {} new tokens", task.name, settings.new_tokens),
        fmt::format("it can be 1 to {}", kMostTokens));
  return {};
}

Result<std::vector<std::string>> Matches(const std::string& pattern) {
  std::vector<std::string> paths = PathsMatching(pattern);
  // A head is beside its body, and no model of its own.
  if (IsPattern(pattern)) std::erase_if(paths, IsHeadPath);
  if (paths.empty())
    return Fail(ErrorCode::kNotFound,
                IsPattern(pattern) ? "no model matches " + pattern
                                   : "there is no model " + pattern,
                "a model is a folder that `modicum fit` wrote (NAME.modicum) "
                "or a GGUF file");
  return paths;
}

}  // namespace

Result<BenchConfig> ParseBenchConfig(std::string_view toml,
                                     const std::string& path) {
  MODICUM_TRY(const toml::table root, ParseToml(toml, path));
  BenchConfig config;
  config.name = fs::path(path).stem().string();
  TomlSection top(root, "bench file", path);
  for (const std::string_view key : {"bench", "task", "place"}) top.Allow(key);
  top.Require("task");
  for (const std::string_view key : {"bench", "place"}) top.RequireTable(key);
  MODICUM_RETURN_IF_ERROR(top.Finish());
  const toml::table empty;
  const auto section = [&](std::string_view name) {
    const toml::table* table = root[name].as_table();
    return TomlSection(table ? *table : empty, std::string(name), path);
  };
  TomlSection bench = section("bench");
  MODICUM_RETURN_IF_ERROR(ReadBench(bench, config));
  TomlSection place = section("place");
  MODICUM_RETURN_IF_ERROR(ReadPlace(place, config.place));
  MODICUM_RETURN_IF_ERROR(ReadTasks(root, path, config.tasks));
  const auto checked = CheckBenchConfig(config);
  if (!checked)
    return Refused(path + ": " + checked.error().message, checked.error().hint);
  return config;
}

Result<BenchConfig> LoadBenchConfig(const std::string& path) {
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound)
    text.error().hint = "examples/bench/bench.toml shows what one looks like";
  if (!text) return Fail(std::move(text).error());
  return ParseBenchConfig(*text, path);
}

Status CheckBenchConfig(const BenchConfig& config) {
  const BenchProtocol& protocol = config.protocol;
  if (protocol.inferences == 0 || protocol.inferences > kMostInferences)
    return Refused(fmt::format("a run of {} inferences", protocol.inferences),
                   fmt::format("it can have 1 to {}", kMostInferences));
  if (protocol.runs == 0 || protocol.runs > kMostRuns)
    return Refused(fmt::format("{} runs", protocol.runs),
                   fmt::format("there can be 1 to {}", kMostRuns));
  if (!(protocol.longest > Seconds(0)))
    return Refused("the longest time of a model is zero",
                   "600 seconds are the default");
  if (config.tasks.empty()) return Refused("no task to do");
  for (const TaskSettings& settings : config.tasks)
    MODICUM_RETURN_IF_ERROR(CheckTask(settings));
  return {};
}

Result<std::vector<std::string>> FindModels(
    const std::vector<std::string>& patterns) {
  std::vector<std::string> models;
  for (const std::string& pattern : patterns) {
    MODICUM_TRY(const auto paths, Matches(pattern));
    for (std::string path : paths) {
      while (path.size() > 1 && path.back() == '/') path.pop_back();
      if (std::find(models.begin(), models.end(), path) == models.end())
        models.push_back(std::move(path));
    }
  }
  return models;
}

}  // namespace modicum
