// SPDX-License-Identifier: Apache-2.0
// The family `encoder`: a BERT-style text classifier, small and trained from
// nothing, or a new head on the body of a GGUF file; kept as a GGUF file.
#pragma once

#include "model/engine.h"

namespace modicum {

Trainer& EncoderFamily();

}  // namespace modicum
