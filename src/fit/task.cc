// SPDX-License-Identifier: Apache-2.0
// Reads the task file with toml++; every key is checked off, what is left
// over is refused by name.
#include "fit/task.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <set>

#include "base/caret.h"
#include "base/file.h"
#include "base/suggest.h"

namespace modicum {
namespace {

// A hundred thousand predictions a month for every human.
constexpr double kMostVolume = 1e15;
constexpr std::string_view kCatalog = "catalog:";
constexpr std::string_view kKinds[] = {"text-classification",
                                       "tabular-classification"};

// One table of the file: typed reads that remember the first fault and which
// keys were asked for.
class Section {
 public:
  Section(const toml::table& table, std::string name, std::string file)
      : table_(table), name_(std::move(name)), file_(std::move(file)) {}

  template <class T>
  bool Read(std::string_view key, T& value) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return false;
    const auto read = node->value<T>();
    if (!read) {
      Fault(*node, key, fmt::format("must be {}", Wanted<T>()));
      return false;
    }
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(*read)) {
        Fault(*node, key, "must be a finite number");
        return false;
      }
    }
    value = *read;
    return true;
  }
  template <class T>
  bool Read(std::string_view key, std::optional<T>& value) {
    T read{};
    if (!Read(key, read)) return false;
    value = read;
    return true;
  }
  void ReadStrings(std::string_view key, std::vector<std::string>& values) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return Fault(*node, key, "must be a list of strings");
    for (const toml::node& element : *array) {
      const auto text = element.value<std::string>();
      if (!text) return Fault(element, key, "must be a list of strings");
      values.push_back(*text);
    }
  }
  // A table of strings, by key.
  void ReadTexts(std::string_view key,
                 std::map<std::string, std::string>& values) {
    asked_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr || error_) return;
    const toml::table* table = node->as_table();
    if (table == nullptr) return Fault(*node, key, "must be a table");
    for (const auto& [name, element] : *table) {
      const auto text = element.value<std::string>();
      if (!text) return Fault(element, key, "must have strings as values");
      values.emplace(name.str(), *text);
    }
  }
  void Require(std::string_view key) {
    if (!error_ && table_.get(key) == nullptr)
      SetError(table_.source().begin.line,
               fmt::format("[{}] has no '{}'", name_, key),
               fmt::format("add {} = ... to [{}]", key, name_));
  }
  void RequireTable(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (node == nullptr || node->is_table()) return;
    SetError(node->source().begin.line, fmt::format("{} must be a table", key),
             fmt::format("it begins with [{}] on a line of its own", key));
  }
  // A fault of a value that was read: out of range, unknown.
  void Fault(std::string_view key, std::string_view what,
             std::string hint = {}) {
    const toml::node* node = table_.get(key);
    SetError(node ? node->source().begin.line : 0,
             fmt::format("{}.{} {}", name_, key, what), std::move(hint));
  }
  void Allow(std::string_view key) { asked_.push_back(key); }

  Status Finish() {
    for (const auto& [key, node] : table_) {
      const std::string_view word = key.str();
      if (error_) break;
      if (std::find(asked_.begin(), asked_.end(), word) != asked_.end())
        continue;
      std::string known;
      for (const std::string_view name : asked_)
        known += (known.empty() ? "" : ", ") + std::string(name);
      SetError(node.source().begin.line,
               fmt::format("unknown key '{}' in [{}]{}", word, name_,
                           DidYouMean(word, asked_)),
               "keys are: " + known);
    }
    if (error_) return Fail(*error_);
    return {};
  }

 private:
  template <class T>
  static std::string_view Wanted() {
    if constexpr (std::is_same_v<T, std::string>) return "a string";
    if constexpr (std::is_same_v<T, double>) return "a number";
    if constexpr (std::is_same_v<T, bool>) return "true or false";
    return "a whole number";
  }
  void Fault(const toml::node& node, std::string_view key,
             std::string_view what) {
    SetError(node.source().begin.line,
             fmt::format("{}.{} {}", name_, key, what), {});
  }
  void SetError(uint32_t line, std::string_view message, std::string hint) {
    if (error_) return;
    error_ =
        Error{ErrorCode::kInvalidInput,
              fmt::format("{}:{}: {}", file_, line, message), std::move(hint)};
  }

  const toml::table& table_;
  std::string name_;
  std::string file_;
  std::vector<std::string_view> asked_;
  std::optional<Error> error_;
};

void CheckRanges(const Task& task, Section& section) {
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

Status ReadTask(Section& section, Task& task) {
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

Status ReadPrompt(Section& section, Task& task) {
  section.Read("template", task.prompt_template);
  section.ReadTexts("labels", task.prompt_words);
  return section.Finish();
}

Status ReadPlace(Section& section, PlaceQuery& place) {
  section.Read("region", place.region);
  section.Read("provider", place.provider);
  section.Read("intensity", place.intensity);
  section.Read("pue", place.pue);
  section.Read("wue", place.wue);
  section.Read("tariff", place.tariff);
  section.Read("currency", place.currency);
  return section.Finish();
}

Status ReadBudget(Section& section, TaskBudget& budget) {
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

Status ReadReference(Section& section, Reference& row) {
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

Status ReadReferences(const toml::table& root, const std::string& file,
                      std::vector<Reference>& rows) {
  const toml::node* rows_node = root.get("reference");
  if (rows_node == nullptr) return {};
  if (!rows_node->is_array_of_tables())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}:{}: reference must be a list of tables", file,
                            rows_node->source().begin.line),
                "each begins with [[reference]], in double brackets");
  for (const toml::node& node : *rows_node->as_array()) {
    const toml::table* table = node.as_table();
    Section section(*table, "reference", file);
    rows.emplace_back();
    MODICUM_RETURN_IF_ERROR(ReadReference(section, rows.back()));
  }
  return {};
}

Result<toml::table> ParseToml(std::string_view text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    return Fail(ErrorAt(path, text, {at.line, at.column},
                        std::string(error.description())));
  }
}

// The sections a task file may have.
Status ReadSections(const toml::table& root, const std::string& path,
                    Task& task) {
  Section top(root, "task file", path);
  for (const std::string_view key :
       {"task", "place", "budget", "prompt", "reference"})
    top.Allow(key);
  top.Require("task");
  for (const std::string_view key : {"task", "place", "budget", "prompt"})
    top.RequireTable(key);
  MODICUM_RETURN_IF_ERROR(top.Finish());
  const toml::table empty;
  auto section = [&](std::string_view name) {
    const toml::table* table = root[name].as_table();
    return Section(table ? *table : empty, std::string(name), path);
  };
  Section task_section = section("task");
  MODICUM_RETURN_IF_ERROR(ReadTask(task_section, task));
  Section place_section = section("place");
  MODICUM_RETURN_IF_ERROR(ReadPlace(place_section, task.place));
  Section prompt_section = section("prompt");
  MODICUM_RETURN_IF_ERROR(ReadPrompt(prompt_section, task));
  Section budget_section = section("budget");
  MODICUM_RETURN_IF_ERROR(ReadBudget(budget_section, task.budget));
  return ReadReferences(root, path, task.references);
}

}  // namespace

bool FromCatalog(const Task& task) { return task.data.starts_with(kCatalog); }

Result<std::string> ObtainData(const Task& task, const std::string& data_dir,
                               const GetDataOptions& options) {
  if (!FromCatalog(task)) return task.data;
  return GetData(task.data.substr(kCatalog.size()), data_dir, options);
}

Result<Task> ParseTask(std::string_view toml, const std::string& path) {
  MODICUM_TRY(const toml::table root, ParseToml(toml, path));
  Task task;
  task.file = path;
  task.source = toml;
  MODICUM_RETURN_IF_ERROR(ReadSections(root, path, task));
  const auto folder = std::filesystem::path(path).parent_path();
  if (!FromCatalog(task)) task.data = (folder / task.data).string();
  for (std::string& model : task.models) model = (folder / model).string();
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
