// SPDX-License-Identifier: Apache-2.0
// What several verbs of `modicum plan` read in the same way.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "hardware/accelerators.h"
#include "plan/architecture.h"
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

// --place, or --region of the settings. `kind` is --intensity-kind.
Result<Place> ReadPlace(const Settings& settings, const std::string& place,
                        const std::string& kind);

}  // namespace modicum
