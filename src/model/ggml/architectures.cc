// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/architectures.h"

#include <fmt/format.h>
#include <llama-arch.h>
#include <llama.h>

#include <string_view>
#include <vector>

#include "base/suggest.h"
#include "model/gguf/gguf_check.h"
#include "model/gguf/gguf_names.h"

namespace modicum {
namespace {

// One without a name is left to the check of a model.
Status CheckArchitecture(const GgufFile& file) {
  const std::string_view name = file.architecture();
  if (name.empty()) return {};
  std::vector<std::string_view> known;
  for (const llm_arch architecture : llm_arch_all()) {
    known.emplace_back(llm_arch_name(architecture));
    if (known.back() == name) return {};
  }
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{}: architecture {} is not one that llama.cpp {} has{}",
                  file.name, Shown(name), llama_version(),
                  DidYouMean(name, known)),
      "the file was made for another version of llama.cpp, or altered: take a "
      "network of an architecture that it has, such as llama, qwen3, gemma3 "
      "or bert");
}

}  // namespace

Result<GgufFile> ReadNetwork(const std::string& path) {
  MODICUM_TRY(GgufFile file, ReadGguf(path, GgufCheck::kStructure));
  MODICUM_RETURN_IF_ERROR(CheckArchitecture(file));
  MODICUM_RETURN_IF_ERROR(CheckGgufModel(file));
  return file;
}

}  // namespace modicum
