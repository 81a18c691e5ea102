// SPDX-License-Identifier: Apache-2.0
// All families there are: one explicit row each, humblest first.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/suggest.h"
#include "model/cascade.h"
#include "model/embed_linear.h"
#include "model/engine.h"
#include "model/majority.h"
#include "model/module.h"
#include "model/neural_classifier.h"
#include "model/prompt_model.h"
#include "model/remote/remote_params.h"
#include "model/table_linear.h"
#include "model/tree_model.h"

namespace modicum {

namespace {

struct FamilyRow {
  std::string_view family;
  // The module that trains it; empty for a part of the program.
  std::string_view module;
  Engine& (*engine)() = nullptr;
  // Loads without the module, where the program itself can predict.
  decltype(&LoadLinear) load = nullptr;
};

constexpr FamilyRow kRows[] = {
    {"majority", "", MajorityEngine, nullptr},
    {"linear", "liblinear", nullptr, LoadLinear},
    {"fasttext", "fasttext", nullptr, nullptr},
    {"forest", "xgboost", nullptr, LoadTreeModel},
    {"boosted", "xgboost", nullptr, LoadTreeModel},
    {kEncoderFamily, kNeuralModule, nullptr, LoadEncoder},
    {kEmbedLinear, "", EmbedLinearEngine, nullptr},
    {kPrompt, "", PromptEngine, nullptr},
    {kRemoteFamily, kRemoteModule, nullptr, nullptr},
};

constexpr auto kFamilies = [] {
  std::array<std::string_view, std::size(kRows)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kRows[i].family;
  return names;
}();

Result<const FamilyRow*> FindRow(std::string_view family) {
  for (const FamilyRow& row : kRows)
    if (row.family == family) return &row;
  return Fail(ErrorCode::kNotFound,
              fmt::format("no model family '{}'{}", family,
                          DidYouMean(family, kFamilies)),
              fmt::format("there are: {}", fmt::join(kFamilies, ", ")));
}

// The module's engine, opened once. A failure is tried again: the user may
// have installed the module meanwhile.
Result<Engine*> ModuleEngine(const FamilyRow& row) {
  static std::mutex mutex;
  // Never destroyed: engines live as long as the process.
  static auto* open = new std::map<std::string_view, Engine*>;
  const std::lock_guard lock(mutex);
  Engine*& engine = (*open)[row.module];
  if (engine == nullptr) {
    // Says how it is built where it is missing.
    if (row.module == kNeuralModule)
      MODICUM_RETURN_IF_ERROR(FindNeuralEngine());
    MODICUM_TRY(engine, OpenModule(row.module, ModuleFolders()));
  }
  return engine;
}

}  // namespace

std::span<const std::string_view> Families() { return kFamilies; }

Result<Engine*> EngineOf(std::string_view family) {
  MODICUM_TRY(const FamilyRow* row, FindRow(family));
  if (row->engine != nullptr) return &row->engine();
  return ModuleEngine(*row);
}

Result<Trainer*> FindTrainer(std::string_view family) {
  MODICUM_TRY(Engine * engine, EngineOf(family));
  for (Trainer* trainer : engine->trainers())
    if (trainer->family() == family) return trainer;
  return Fail(ErrorCode::kInternal, fmt::format("engine {} has no family '{}'",
                                                engine->name(), family));
}

Result<std::unique_ptr<Model>> LoadModel(std::string_view family,
                                         const std::string& directory,
                                         const std::vector<std::string>& labels,
                                         PhaseSink& sink) {
  // Made of the others' models, trained by none.
  if (family == kCascadeFamily) return LoadCascade(directory, labels, sink);
  MODICUM_TRY(const FamilyRow* row, FindRow(family));
  if (row->load != nullptr) return row->load(directory, labels, sink);
  MODICUM_TRY(Trainer * trainer, FindTrainer(family));
  return trainer->Load(directory, labels, sink);
}

}  // namespace modicum
