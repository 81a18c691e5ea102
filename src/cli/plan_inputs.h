// SPDX-License-Identifier: Apache-2.0
// What several verbs of `modicum plan` read in the same way.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "hardware/accelerators.h"
#include "plan/architecture.h"
#include "plan/sweep.h"
#include "record/types.h"

namespace CLI {
class App;
}

namespace modicum {

struct ModelFlags {
  std::string model;   // preset, config.json, .gguf, .safetensors, folder
  std::string params;  // "7B"
};
void AddModelFlags(CLI::App& app, ModelFlags& flags);
// One of the two; kInvalidInput when both or none is given.
Result<Architecture> ReadArchitecture(const ModelFlags& flags);

struct ChipFlags {
  std::string gpu;
  std::string chip;  // changes
};
void AddChipFlags(CLI::App& app, ChipFlags& flags);
Result<Accelerator> ReadChip(const ChipFlags& flags);

// --sweep NAME=64..1024, several times, and --plot FIGURE.
void AddSweepFlags(CLI::App& app, std::vector<std::string>& sweeps,
                   std::string& plot);
Result<std::vector<SweepAxis>> ReadSweeps(
    const std::vector<std::string>& sweeps,
    std::span<const std::string_view> names);

// An option that is a text. One call instead of CLI11's inlined one: verbs have
// dozens of them.
void AddText(CLI::App& app, const char* flag, std::string& value,
             const char* help);

// --format of what is printed, table by default.
void AddFormatFlag(CLI::App& app, std::string& format);
// To stdout.
void PrintPlan(const Plan& plan, const std::string& format);
// The same, and the exit code; what was refused is a wrong usage.
int PrintPlanOrError(const Result<Plan>& plan, const std::string& format);

// --place, or --region of the settings.
Result<Place> ReadPlace(const Settings& settings, const std::string& place);

}  // namespace modicum
