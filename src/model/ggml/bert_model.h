// SPDX-License-Identifier: Apache-2.0
// An encoder whose products BLAS makes: what llama.cpp computes of a `bert`,
// where that is the faster way.
#pragma once

#include <memory>

#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/neural.h"

namespace modicum {

// Null where llama.cpp is to compute it by `settings.blas`. kUnavailable says
// why it cannot be "on": there is no BLAS, a GPU or an adapter is asked for,
// the network is another, or in single precision it would not fit into
// `available`. After OpenBackends().
Result<std::unique_ptr<NeuralModel>> OpenAsBert(const GgufFile& file,
                                                const NeuralSettings& settings,
                                                std::optional<Bytes> available);

}  // namespace modicum
