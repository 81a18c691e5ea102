// SPDX-License-Identifier: Apache-2.0
// Engines train and load models. Heavy ones are modules, opened when first
// used: libmodicum-<engine>.so beside the program.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "dataset/dataset.h"
#include "model/model.h"

namespace modicum {

using ParamValue = std::variant<int64_t, double, std::string, bool>;
using Params = std::map<std::string, ParamValue>;
std::string ToString(const Params& params);  // "C=1 char_ngrams=3-5"

// The parameter as T (int64_t, double, std::string, bool) or `fallback`.
template <class T>
T Get(const Params& params, std::string_view name, T fallback) {
  const auto it = params.find(std::string(name));
  if (it == params.end()) return fallback;
  if (const T* value = std::get_if<T>(&it->second)) return *value;
  return fallback;
}

// Limits a training must keep, and the user's wish to stop.
struct Budget {
  std::stop_token stop;
  Seconds wall{3600};
  Bytes memory{8e9};
  int threads = 1;
  uint64_t seed = 1;
};

// Where a long training keeps its state; see model/checkpoint.h.
class Checkpoint;

// Files a training wrote into its directory.
struct TrainedModel {
  std::vector<std::string> files;  // relative to the directory
};

// One way of making a model. Lifetime: that of its engine.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual std::string_view family() const = 0;
  // Why this data cannot be used, or ok.
  virtual Status Accepts(const Dataset& data) const = 0;
  // Trains on data.items[rows]; writes model files into `directory`, which
  // exists and is empty. Deterministic in budget.seed or says so in
  // ModelInfo::not_deterministic. Reports kPrepare and kTrain. A training of
  // more than seconds goes on from `checkpoint`, which may be null, and leaves
  // its state there when it is stopped.
  virtual Result<TrainedModel> Train(const Dataset& data,
                                     std::span<const uint32_t> rows,
                                     const Params& params, const Budget& budget,
                                     Checkpoint* checkpoint,
                                     const std::string& directory,
                                     PhaseSink& sink) = 0;
  // Loads what Train wrote. Never trusts the files: a truncated or altered
  // one is kInvalidInput, checked before any library sees it.
  virtual Result<std::unique_ptr<Model>> Load(
      const std::string& directory, const std::vector<std::string>& labels,
      PhaseSink& sink) = 0;
};

class Pass;

// The families of an engine.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view version() const = 0;
  virtual std::vector<Trainer*> trainers() = 0;
  // Passes over its models that only its library can do; see model/pass.h.
  virtual std::vector<Pass*> passes() { return {}; }
};

// Every module exports this one C function; the program owns the result.
inline constexpr char kEngineFactory[] = "modicum_engine";
using EngineFactory = Engine* (*)();

// A family by name; loads its module when needed. Thread-safe. kNotFound with
// "did you mean"; kUnavailable when the module is not installed.
Result<Trainer*> FindTrainer(std::string_view family);
// All families this build knows, humblest first: majority, linear, fasttext,
// forest, boosted, encoder, on networks embed+linear and prompt, and remote.
std::span<const std::string_view> Families();
// The engine that has `family`, for reports. Loads its module.
Result<Engine*> EngineOf(std::string_view family);
// Loads a trained model of `family`; opens a module only where the program
// itself cannot predict.
Result<std::unique_ptr<Model>> LoadModel(std::string_view family,
                                         const std::string& directory,
                                         const std::vector<std::string>& labels,
                                         PhaseSink& sink);

}  // namespace modicum
