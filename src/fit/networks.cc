// SPDX-License-Identifier: Apache-2.0
#include "fit/networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/glob.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/head_file.h"
#include "model/neural.h"
#include "model/pretraining_texts.h"

namespace modicum {

namespace {

// Architectures of llama.cpp v0.5.0 that make vectors and no text.
constexpr std::string_view kEncoders[] = {
    "bert",      "modern-bert",     "nomic-bert",   "nomic-bert-moe",
    "neo-bert",  "eurobert",        "jina-bert-v2", "jina-bert-v3",
    "t5encoder", "gemma-embedding", "llama-embed"};

Result<std::vector<std::string>> Matches(const std::string& pattern,
                                         std::string_view key,
                                         const std::string& file) {
  std::vector<std::string> paths = PathsMatching(pattern);
  // A head is beside its body, and no network of its own.
  if (IsPattern(pattern)) std::erase_if(paths, IsHeadPath);
  if (!paths.empty()) return paths;
  return Fail(ErrorCode::kNotFound,
              fmt::format("{}: {}: no file is named {}", file, key, pattern),
              "paths are relative to the task file's folder");
}

Result<NetworkFile> Describe(const std::string& path) {
  MODICUM_TRY(const GgufFile file, ReadGguf(path));
  NetworkFile network;
  network.path = path;
  network.name = std::filesystem::path(path).stem().string();
  network.generates = std::find(std::begin(kEncoders), std::end(kEncoders),
                                file.architecture()) == std::end(kEncoders);
  MODICUM_TRY(const Hash hash, Sha256OfFile(path));
  network.sha256 = ToHex(hash);
  return network;
}

Result<std::vector<NetworkFile>> Find(const std::vector<std::string>& patterns,
                                      std::string_view key,
                                      const std::string& file) {
  std::set<std::string> paths;
  for (const std::string& pattern : patterns) {
    MODICUM_TRY(const auto matches, Matches(pattern, key, file));
    paths.insert(matches.begin(), matches.end());
  }
  std::vector<NetworkFile> files;
  std::set<std::string> names;
  for (const std::string& path : paths) {
    MODICUM_TRY(NetworkFile network, Describe(path));
    if (!names.insert(network.name).second) network.name = path;
    files.push_back(std::move(network));
  }
  return files;
}

Result<Params> PretrainingOf(const Task& task) {
  Params params;
  if (task.pretrain == 0) return params;
  params[kPretrainParam] = static_cast<int64_t>(task.pretrain);
  if (task.unlabelled.empty()) return params;
  params[kUnlabelledParam] = task.unlabelled;
  if (task.text != "text") params[kUnlabelledTextParam] = task.text;
  auto hash = Sha256OfFile(task.unlabelled);
  if (!hash)
    return Fail(hash.error().code,
                fmt::format("{}: encoder.unlabelled: {}", task.file,
                            hash.error().message),
                "paths are relative to the task file's folder");
  params[kUnlabelledHashParam] = ToHex(*hash);
  return params;
}

}  // namespace

Result<Networks> FindNetworks(const Task& task) {
  Networks networks;
  MODICUM_TRY(networks.files, Find(task.models, "models", task.file));
  MODICUM_TRY(networks.bases, Find(task.bases, "encoder.base", task.file));
  for (const NetworkFile& base : networks.bases) {
    MODICUM_TRY(NeuralEngine * engine, FindNeuralEngine());
    MODICUM_RETURN_IF_ERROR(engine->CheckEncoderBase(base.path));
  }
  networks.frozen = task.frozen;
  MODICUM_TRY(networks.pretraining, PretrainingOf(task));
  if (!task.prompt_template.empty())
    networks.prompt["template"] = task.prompt_template;
  for (const auto& [label, word] : task.prompt_words)
    networks.prompt["word:" + label] = word;
  for (Params params : task.remotes) {
    params.insert(networks.prompt.begin(), networks.prompt.end());
    networks.remotes.push_back(std::move(params));
  }
  return networks;
}

Status CheckPromptLabels(const Task& task,
                         const std::vector<std::string>& labels) {
  const std::vector<std::string_view> known(labels.begin(), labels.end());
  for (const auto& [label, word] : task.prompt_words) {
    if (std::find(known.begin(), known.end(), label) != known.end()) continue;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: [prompt.labels] has a word for '{}', which "
                            "is no label of the data{}",
                            task.file, label, DidYouMean(label, known)),
                fmt::format("labels are: {}", fmt::join(labels, ", ")));
  }
  return {};
}

}  // namespace modicum
