// SPDX-License-Identifier: Apache-2.0
// An artifact is a folder, name.modicum/: model files, card.json (lineage,
// quality, energy, versions, sha256 of every file) and a human CARD.md.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/engine.h"
#include "model/model.h"
#include "record/types.h"

namespace modicum {

// How the model is run; see model/run_settings.h.
struct RunSettings {
  int threads = 1;
  int batch = 256;  // items per call of the model
};

// What the card tells of the model, beside its files.
struct Card {
  std::string name;  // of the task
  std::string kind;  // "text-classification"
  std::string family;
  Params params;
  std::vector<std::string> passes;
  std::vector<std::string> labels;
  std::string engine, engine_version;
  std::string text_field = "text";   // what predict reads; or, of a table,
  std::vector<std::string> columns;  // these numbers, in this order
  RunSettings run;
  Hash data{};      // of the training data file
  Hash artifact{};  // hash(parents, pass, parameters, data)
  uint64_t train_items = 0;
  uint64_t seed = 1;
  uint64_t parameters = 0;
  std::vector<QualityFigure> quality;
  std::optional<Estimate<Joules>> joules_per_1000;
  std::optional<Estimate<Joules>> train_joules;
  double cpu_seconds_per_1000 = 0;
  std::string machine;  // on which the energy was measured
  std::string place;
  std::string created;  // ISO 8601 UTC
  std::string modicum_version;
  std::map<std::string, std::string> files;  // name -> sha256 hex
  std::map<std::string, uint64_t> sizes;     // name -> bytes
};

// The content address of an artifact: what it was made from, by which pass
// ("train:linear"), with what parameters, on what data.
Hash ArtifactHash(std::span<const Hash> parents, std::string_view pass,
                  const Params& params, const Hash& data);

// Parses card.json. kInvalidInput says what is wrong and where.
Result<Card> ParseCard(std::string_view json);
std::string FormatCard(const Card& card);          // card.json
std::string FormatCardMarkdown(const Card& card);  // CARD.md

// Whether WriteArtifact could write there: the folder above is writable and
// nothing but an artifact would be replaced.
Status CheckArtifactPath(const std::string& path);

// Copies `files` from `directory`, fills Card::files and sizes, and writes the
// artifact beside its final name, then renames: it is whole or not there.
// Fills Card::artifact, for a model trained from nothing, when it is zero.
// An existing artifact at `path` is replaced; any other file is not.
Status WriteArtifact(const std::string& path, Card card,
                     const std::string& directory,
                     const std::vector<std::string>& files);

struct LoadedArtifact {
  Card card;
  std::unique_ptr<Model> model;
};
// Checks length and sha256 of every file before any engine sees it. The model
// uses Card::run's threads, as far as this machine has them.
Result<LoadedArtifact> LoadArtifact(const std::string& path, PhaseSink& sink);

}  // namespace modicum
