// SPDX-License-Identifier: Apache-2.0
#include "train/head_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/toml_section.h"

namespace modicum {
namespace {

constexpr std::string_view kKinds[] = {
    HeadKindName(HeadKind::kTokenClassification),
    HeadKindName(HeadKind::kQuestionAnswering),
    HeadKindName(HeadKind::kFillMask)};
constexpr std::string_view kMetricsOfTags[] = {"f1", "accuracy"};
constexpr std::string_view kMetricsOfAnswers[] = {"f1", "exact-match"};
constexpr std::string_view kMetricsOfTokens[] = {"accuracy", "top-5"};

std::span<const std::string_view> MetricsOf(HeadKind kind) {
  switch (kind) {
    case HeadKind::kTokenClassification:
      return kMetricsOfTags;
    case HeadKind::kQuestionAnswering:
      return kMetricsOfAnswers;
    case HeadKind::kFillMask:
      break;
  }
  return kMetricsOfTokens;
}

bool IsOneOf(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

void ReadKind(TomlSection& section, HeadTask& task) {
  std::string kind;
  section.Require("kind");
  section.Read("kind", kind);
  if (!IsOneOf(kind, kKinds))
    return section.Fault("kind",
                         fmt::format("'{}' is not a known kind{}", kind,
                                     DidYouMean(kind, kKinds)),
                         fmt::format("kinds are: {}", fmt::join(kKinds, ", ")));
  task.kind = *std::ranges::find(kHeadKinds, kind, HeadKindName);
}

void ReadMetric(TomlSection& section, HeadTask& task) {
  section.Read("metric", task.metric);
  const std::span<const std::string_view> known = MetricsOf(task.kind);
  if (!task.metric.empty() && !IsOneOf(task.metric, known))
    section.Fault("metric",
                  fmt::format("'{}' is not a known metric{}", task.metric,
                              DidYouMean(task.metric, known)),
                  fmt::format("metrics of {} are: {}", HeadKindName(task.kind),
                              fmt::join(known, ", ")));
}

void ReadData(TomlSection& section, std::string_view key, HeadTask& task,
              std::string& path) {
  section.Read(key, path);
  if (path.empty()) return;
  const auto folder = std::filesystem::path(task.file).parent_path();
  path = (folder / path).string();
}

Status ReadTrain(TomlSection& section, HeadTask& task) {
  ReadKind(section, task);
  section.Read("name", task.name);
  if (task.name.empty() ||
      task.name.find_first_of("/\\\n") != std::string::npos)
    section.Fault("name", "must be a plain name: it names the model's files");
  section.Require("train");
  section.Require("validation");
  ReadData(section, "train", task, task.train);
  ReadData(section, "validation", task, task.validation);
  if (task.train.empty()) section.Fault("train", "must name a file");
  if (task.validation.empty()) section.Fault("validation", "must name a file");
  ReadData(section, "test", task, task.test);
  if (task.kind == HeadKind::kFillMask) task.text = "text";
  if (task.kind != HeadKind::kQuestionAnswering)
    section.Read("text", task.text);
  if (task.kind == HeadKind::kTokenClassification)
    section.Read("label", task.label);
  ReadMetric(section, task);
  int64_t seed = 1;
  section.Read("seed", seed);
  if (seed < 0) section.Fault("seed", "must not be negative");
  task.seed = static_cast<uint64_t>(seed);
  return section.Finish();
}

// Whole numbers and others within a range.
class RangeReader {
 public:
  explicit RangeReader(TomlSection& section) : section_(section) {}

  void Count(std::string_view key, int64_t low, int64_t high,
             uint32_t& value) const {
    int64_t read = value;
    if (!section_.Read(key, read)) return;
    if (read < low || read > high)
      return section_.Fault(key, fmt::format("must be {} to {}", low, high));
    value = static_cast<uint32_t>(read);
  }
  void Number(std::string_view key, double low, double high,
              double& value) const {
    double read = value;
    if (!section_.Read(key, read)) return;
    if (read < low || read > high)
      return section_.Fault(key, fmt::format("must be {} to {}", low, high));
    value = read;
  }

 private:
  TomlSection& section_;
};

void ReadBase(TomlSection& section, HeadTask& task) {
  HeadSettings& encoder = task.encoder;
  ReadData(section, "base", task, encoder.base);
  std::optional<bool> frozen;
  section.Read("frozen", frozen);
  if (frozen && task.kind == HeadKind::kFillMask)
    section.Fault("frozen", "is not for fill-mask",
                  "other tokens are hidden in each pass, so the body must read "
                  "anew");
  else if (frozen && encoder.base.empty())
    section.Fault("frozen", "needs a base", "add base = \"bert.gguf\"");
  encoder.frozen = frozen.value_or(false);
  if (encoder.base.empty()) return;
  for (const char* own : {"layers", "width", "vocabulary", "context"})
    if (std::optional<int64_t> size; section.Read(own, size))
      section.Fault(own, "is the base's own", "leave it out");
}

Status ReadEncoder(TomlSection& section, HeadTask& task) {
  HeadSettings& encoder = task.encoder;
  const RangeReader range(section);
  ReadBase(section, task);
  const bool base = !encoder.base.empty();
  if (task.kind == HeadKind::kQuestionAnswering) encoder.context = 384;
  // What was learnt already is not to be thrown away in a few steps.
  if (base) encoder.rate = encoder.frozen ? 5e-3 : 1e-4;
  if (!base) {
    range.Count("layers", 1, 48, encoder.layers);
    range.Count("width", kDrawnHeadWidth, 4096, encoder.width);
    if (encoder.width % kDrawnHeadWidth != 0)
      section.Fault("width",
                    fmt::format("must be a multiple of {}", kDrawnHeadWidth));
    range.Count("vocabulary", 100, 100000, encoder.vocabulary);
    range.Count("context", 8, 4096, encoder.context);
  }
  range.Count("epochs", 1, 10000, encoder.epochs);
  range.Count("patience", 1, 10000, encoder.patience);
  range.Count("batch", 1, 4096, encoder.batch);
  range.Number("rate", 1e-6, 1, encoder.rate);
  range.Number("decay", 0, 10, encoder.decay);
  range.Number("dropout", 0, 0.9, encoder.dropout);
  if (task.kind != HeadKind::kFillMask)  // which hides words anyway
    range.Number("word_dropout", 0, 0.9, encoder.word_dropout);
  if (encoder.frozen && encoder.word_dropout > 0)
    section.Fault("word_dropout", "is not for a frozen body",
                  "it reads each text once, as it is");
  return section.Finish();
}

Status ReadLimits(TomlSection& section, HeadTask& task) {
  double seconds = task.time.value();
  double megabytes = task.memory.value() / 1e6;
  section.Read("seconds", seconds);
  section.Read("memory_mb", megabytes);
  if (seconds <= 0) section.Fault("seconds", "must be positive");
  if (megabytes <= 0) section.Fault("memory_mb", "must be positive");
  task.time = Seconds(seconds);
  task.memory = Bytes(megabytes * 1e6);
  return section.Finish();
}

}  // namespace

Result<HeadTask> ParseHeadTask(std::string_view toml, const std::string& path) {
  MODICUM_TRY(const toml::table root, ParseToml(toml, path));
  TomlSection top(root, "settings file", path);
  constexpr std::string_view kSections[] = {"train", "encoder", "budget"};
  top.Require("train");
  for (const std::string_view key : kSections) {
    top.Allow(key);
    top.RequireTable(key);
  }
  MODICUM_RETURN_IF_ERROR(top.Finish());
  HeadTask task;
  task.file = path;
  task.name = std::filesystem::path(path).stem().string();
  const toml::table empty;
  const auto section = [&](std::string_view name) {
    const toml::table* table = root[name].as_table();
    return TomlSection(table != nullptr ? *table : empty, std::string(name),
                       path);
  };
  TomlSection train = section("train");
  MODICUM_RETURN_IF_ERROR(ReadTrain(train, task));
  TomlSection encoder = section("encoder");
  MODICUM_RETURN_IF_ERROR(ReadEncoder(encoder, task));
  TomlSection budget = section("budget");
  MODICUM_RETURN_IF_ERROR(ReadLimits(budget, task));
  return task;
}

Result<HeadTask> LoadHeadTask(const std::string& path) {
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound)
    text.error().hint = "docs/train.md shows what one looks like";
  if (!text) return Fail(std::move(text).error());
  return ParseHeadTask(*text, path);
}

}  // namespace modicum
