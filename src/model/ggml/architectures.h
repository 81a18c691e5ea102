// SPDX-License-Identifier: Apache-2.0
// The architectures of networks that this llama.cpp has: what is asked of a
// file first, for each names its other keys.
#pragma once

#include <string>

#include "base/result.h"
#include "model/gguf/gguf_file.h"

namespace modicum {

// As ReadGguf of a model; kInvalidInput, before anything else is said of its
// keys, where llama.cpp does not have its architecture.
Result<GgufFile> ReadNetwork(const std::string& path);

}  // namespace modicum
