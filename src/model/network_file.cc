// SPDX-License-Identifier: Apache-2.0
#include "model/network_file.h"

#include <filesystem>

#include "base/hash.h"
#include "model/embed_linear.h"
#include "model/neural_classifier.h"
#include "model/params.h"
#include "model/prompt_model.h"

namespace modicum {

namespace fs = std::filesystem;

bool RunsNetwork(std::string_view family) {
  return family == kEmbedLinear || family == kPrompt ||
         family == kEncoderFamily;
}

Result<std::string> NetworkOf(const Params& params, std::string_view family) {
  MODICUM_TRY(const std::string path, TextParam(params, kNetworkParam, ""));
  MODICUM_TRY(const std::string stated,
              TextParam(params, kNetworkHashParam, ""));
  if (path.empty())
    return Fail(ErrorCode::kInvalidInput,
                "family " + std::string(family) + " needs a network",
                "name it in the task file: models = [\"model.gguf\"]");
  if (stated.empty()) return path;
  MODICUM_TRY(const Hash hash, Sha256OfFile(path));
  if (ToHex(hash) == stated) return path;
  return Fail(ErrorCode::kInvalidInput, path + " changed while it was used",
              "start again once it is whole");
}

Status PlaceNetwork(const std::string& path, const std::string& directory) {
  const std::string to = directory + "/" + kNetworkFile;
  std::error_code error;
  const fs::path from = fs::canonical(path, error);
  if (!error) fs::create_hard_link(from, to, error);
  if (!error) return {};
  error.clear();
  fs::copy_file(path, to, error);
  if (!error) return {};
  return Fail(ErrorCode::kIo,
              "cannot copy " + path + " to " + to + ": " + error.message(),
              "--data-dir names another place");
}

Result<std::unique_ptr<NeuralModel>> OpenNetwork(const std::string& path,
                                                 OpenFor use,
                                                 const std::stop_token& stop,
                                                 PhaseSink& sink) {
  MODICUM_TRY(NeuralEngine * engine, FindNeuralEngine());
  CallOptions call;
  call.stop = stop;
  NeuralSettings settings;
  settings.vectors = use == OpenFor::kVectors;
  return engine->Open(path, settings, {}, call, sink);
}

ModelInfo InfoOn(const NeuralModel& network, std::string_view family,
                 const std::vector<std::string>& labels) {
  ModelInfo info;
  info.family = family;
  info.engine = network.info().engine;
  info.engine_version = network.info().engine_version;
  info.parameters = network.info().parameters;
  info.bytes = network.info().bytes;
  info.labels = labels;
  return info;
}

Status CheckNotExplained(const CallOptions& options, std::string_view family) {
  if (options.explain == 0) return {};
  return Fail(ErrorCode::kUnavailable,
              "family " + std::string(family) +
                  " cannot explain: a network has no features to name",
              "leave out --explain");
}

}  // namespace modicum
