// SPDX-License-Identifier: Apache-2.0
// The task file: what must be done, how well, how often, where.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/estimate.h"
#include "base/result.h"
#include "base/units.h"
#include "dataset/catalog.h"
#include "model/engine.h"
#include "place/place.h"
#include "record/evidence.h"

namespace modicum {

struct TaskBudget {
  std::optional<Seconds> time;   // of the whole search
  std::optional<Joules> energy;  // of the whole search
  Bytes memory{4e9};             // of one training
};

struct Task {
  std::string file;    // the task file's path
  std::string source;  // its text, whole
  std::string name;
  std::string kind;
  std::string data;  // path, or "catalog:NAME" for `modicum data get`
  std::string format;
  std::string text = "text";
  std::string label = "label";
  std::vector<std::string> columns;  // of a table; empty: all but the label
  bool replace_bad_bytes = false;    // invalid UTF-8 becomes U+FFFD
  std::string metric = "accuracy";
  std::optional<double> within;  // margin to the best
  std::optional<double> floor;   // or an absolute bound
  double volume = 0;             // predictions a month; 0 = not said
  std::string current;           // what runs today: a candidate or reference
  uint64_t seed = 1;
  double test = 0.3;  // fractions of all items
  double validation = 0.15;
  std::vector<std::string> families;  // empty: all
  std::vector<std::string> models;    // GGUF files; may have * and ?
  // Encoders whose bodies are trained on, patterns too.
  std::vector<std::string> bases = {};
  std::optional<bool> frozen = {};  // their bodies stay as they are; else both
  // Passes in which encoders learn the language before their task, over the
  // training texts and those of this file.
  uint64_t pretrain = 0;
  std::string unlabelled = {};
  // What a decoder is asked; see model/prompt_model.h.
  std::string prompt_template;                      // "": as that says
  std::map<std::string, std::string> prompt_words;  // by label
  // Endpoints to ask, each as the parameters of family remote.
  std::vector<Params> remotes = {};
  bool published = true;  // show published figures of other models
  PlaceQuery place;
  TaskBudget budget;
  std::vector<Reference> references;
};

// kInvalidInput names file, line and cure; unknown keys get "did you mean".
Result<Task> LoadTask(const std::string& path);
// The same from text; `path` is for messages and relative data paths.
Result<Task> ParseTask(std::string_view toml, const std::string& path);

// Whether the data is a set of the catalog, not a path.
bool FromCatalog(const Task& task);
// The path of the data; a set of the catalog is obtained into `data_dir`.
Result<std::string> ObtainData(const Task& task, const std::string& data_dir,
                               const GetDataOptions& options);

}  // namespace modicum
