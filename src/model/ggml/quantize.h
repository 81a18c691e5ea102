// SPDX-License-Identifier: Apache-2.0
// A GGUF file in fewer bits, by llama.cpp's own quantizers.
#pragma once

#include "model/gguf/gguf_file.h"
#include "model/neural.h"

namespace modicum {

// `from` is the checked header of what is read.
Status QuantizeFile(const GgufFile& from, const std::string& to,
                    const QuantizeOptions& options);

}  // namespace modicum
