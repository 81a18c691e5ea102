// SPDX-License-Identifier: Apache-2.0
// The GGUF files that a task names: networks that are tried beside what is
// trained from nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fit/task.h"
#include "model/engine.h"

namespace modicum {

struct NetworkFile {
  std::string path;
  std::string name;  // the file's, without folder and .gguf; unique
  std::string sha256;
  bool generates = false;  // a decoder
};

struct Networks {
  std::vector<NetworkFile> files;
  Params prompt;  // of family prompt, as the task says
  // Of family remote, one for each endpoint.
  std::vector<Params> remotes = {};
  std::vector<NetworkFile> bases = {};  // of family encoder
  std::optional<bool> frozen = {};      // as the task says
  // Of encoders whose bodies learn: how they are pretrained.
  Params pretraining = {};
};

// Every file that one of the task's patterns matches, each once, by path.
// kNotFound for a pattern without one, kInvalidInput for a file that is no
// sound GGUF model, or no encoder where one is to be a base; kUnavailable for a
// base where the neural engine is not installed.
Result<Networks> FindNetworks(const Task& task);

// kInvalidInput when the task has a word for what is no label of the data.
Status CheckPromptLabels(const Task& task,
                         const std::vector<std::string>& labels);

}  // namespace modicum
