// SPDX-License-Identifier: Apache-2.0
// The family `encoder`: a small BERT-style text classifier trained from
// nothing, kept as a GGUF file.
#pragma once

#include "model/engine.h"

namespace modicum {

Trainer& EncoderFamily();

}  // namespace modicum
