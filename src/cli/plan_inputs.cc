// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_inputs.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "cli/print_error.h"
#include "model/gguf/gguf_file.h"
#include "model/safetensors.h"
#include "place/place_settings.h"
#include "plan/amount.h"
#include "report/plan_report.h"

namespace modicum {
namespace {

constexpr size_t kLargestConfig = 1 << 20;

Result<Architecture> FromConfig(const std::string& path) {
  MODICUM_TRY(const std::string text, ReadFile(path));
  if (text.size() > kLargestConfig)
    return Fail(ErrorCode::kInvalidInput,
                path + ": larger than any config.json",
                "name the config.json of a model");
  return ParseConfig(text, path);
}

// Parameters are counted; the shape is in the config.json beside, if any.
Result<Architecture> FromSafetensors(const std::string& folder) {
  MODICUM_TRY(const SafetensorsSet set, SafetensorsSet::Open(folder));
  double parameters = 0;
  for (const SafeTensor& tensor : set.tensors())
    parameters += static_cast<double>(tensor.elements());
  const std::string config = folder + "/config.json";
  Result<Architecture> model = std::filesystem::exists(config)
                                   ? FromConfig(config)
                                   : TypicalArchitecture(parameters);
  if (!model) return model;
  model->active *= parameters / model->parameters;
  model->parameters = parameters;
  if (model->name.empty()) model->name = folder;
  return model;
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Result<Architecture> FromText(const std::string& text) {
  if (text.ends_with(".json")) return FromConfig(text);
  if (text.ends_with(".gguf")) {
    MODICUM_TRY(const GgufFile file, ReadGguf(text));
    return ArchitectureOf(file);
  }
  if (text.ends_with(".safetensors")) return FromSafetensors(FolderOf(text));
  std::error_code ignored;
  if (std::filesystem::is_directory(text, ignored)) {
    if (std::filesystem::exists(text + "/model.safetensors", ignored) ||
        std::filesystem::exists(text + "/model.safetensors.index.json",
                                ignored))
      return FromSafetensors(text);
    return FromConfig(text + "/config.json");
  }
  return FindArchitecture(text);
}

}  // namespace

void AddModelFlags(CLI::App& app, ModelFlags& flags) {
  AddText(app, "--model", flags.model,
          "a preset (llama-2-7b), config.json, .gguf, .safetensors or "
          "a folder of these");
  AddText(app, "--params", flags.params,
          "parameters instead: 7B, 350M, 7e9 (shape assumed)");
}

Result<Architecture> ReadArchitecture(const ModelFlags& flags) {
  if (flags.model.empty() == flags.params.empty())
    return Fail(ErrorCode::kInvalidInput,
                flags.model.empty()
                    ? "which model?"
                    : "--model and --params contradict each other",
                "--model llama-2-7b, --model config.json or --params 7B");
  if (!flags.model.empty()) return FromText(flags.model);
  MODICUM_TRY(const double parameters, ParseAmount(flags.params, "--params"));
  MODICUM_TRY(Architecture model, TypicalArchitecture(parameters));
  model.name = "a model of " + flags.params + " parameters";
  return model;
}

void AddChipFlags(CLI::App& app, ChipFlags& flags) {
  AddText(app, "--gpu", flags.gpu, "the chip: a100-80, h100, tpu-v4, ...");
  AddText(app, "--chip", flags.chip,
          "changes to it: tdp=350,memory=24,bandwidth=900,bf16=100");
}

Result<Accelerator> ReadChip(const ChipFlags& flags) {
  if (flags.gpu.empty())
    return Fail(ErrorCode::kInvalidInput, "on which chip?",
                "--gpu a100-80; `modicum plan chips` lists them");
  MODICUM_TRY(const Accelerator* chip, FindAccelerator(flags.gpu));
  if (flags.chip.empty()) return *chip;
  return ChangedAccelerator(*chip, flags.chip);
}

void AddSweepFlags(CLI::App& app, std::vector<std::string>& sweeps,
                   std::string& plot) {
  app.add_option("--sweep", sweeps,
                 "plan a range of an input: count=64..1024, count=64..1024:9")
      ->allow_extra_args(false);
  app.add_option("--plot", plot, "the figure that a sweep draws");
}

Result<std::vector<SweepAxis>> ReadSweeps(
    const std::vector<std::string>& sweeps,
    std::span<const std::string_view> names) {
  std::vector<SweepAxis> axes;
  for (const std::string& sweep : sweeps) {
    MODICUM_TRY(SweepAxis axis, ParseSweep(sweep, names));
    axes.push_back(std::move(axis));
  }
  return axes;
}

Result<Place> ReadPlace(const Settings& settings, const std::string& place) {
  return FindPlace(PlaceQueryOf(settings, {.region = place}));
}

void AddFormatFlag(CLI::App& app, std::string& format) {
  app.add_option("--format", format, "table, json, csv, md or html")
      ->check(CLI::IsMember({"table", "json", "csv", "md", "html"}));
}

void AddText(CLI::App& app, const char* flag, std::string& value,
             const char* help) {
  app.add_option(flag, value, help);
}

void PrintPlan(const Plan& plan, const std::string& format) {
  std::fputs(FormatPlan(plan, format).c_str(), stdout);
}

int PrintPlanOrError(const Result<Plan>& plan, const std::string& format) {
  if (!plan) return UsageError(plan.error());
  PrintPlan(*plan, format);
  return kExitOk;
}

}  // namespace modicum
