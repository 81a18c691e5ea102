// SPDX-License-Identifier: Apache-2.0
// A Hugging Face folder (config.json, safetensors, tokenizer.json) to one GGUF
// file that llama.cpp loads and, where it has a head that llama.cpp cannot
// hold, that head in a second one. One tensor's rows are in memory at a time.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

struct ImportOptions {
  std::optional<GgmlType> type;  // kF32, kF16 or kBf16; none: as stored
  std::function<void(uint64_t done, uint64_t total, std::string_view tensor)>
      progress = {};  // bytes of the output
  std::stop_token stop = {};
};

// The headers of what was written.
struct ImportedModel {
  GgufFile model;
  std::optional<GgufFile> head;  // HeadPathOf(model)
};

// Writes `output`, all or nothing, and returns its header. Opens the module
// that does it. kInvalidInput names the file and field that is wrong;
// kInterrupted when stopped, kUnavailable without the module.
Result<ImportedModel> ImportModel(const std::string& folder,
                                  const std::string& output,
                                  const ImportOptions& options = {});

// What the module exports.
class Importer {
 public:
  virtual ~Importer() = default;
  virtual Result<ImportedModel> Import(const std::string& folder,
                                       const std::string& output,
                                       const ImportOptions& options) const = 0;
};
using ImporterFactory = const Importer* (*)();
inline constexpr char kImporterFactory[] = "modicum_importer_1";

}  // namespace modicum
