// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/neural.h"

namespace modicum {

// llama.cpp as the program sees it. Silences the library.
std::unique_ptr<NeuralEngine> MakeLlamaEngine();

}  // namespace modicum
