// SPDX-License-Identifier: Apache-2.0
// The family prompt: a decoder says how likely each label is after a text, in
// words, with some examples of the training rows shown before. Nothing is
// trained.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/engine.h"
#include "model/neural.h"
#include "model/prompt_spec.h"

namespace modicum {

inline constexpr char kPrompt[] = "prompt";

// Parameters: model and sha256 (model/network_file.h), shots (examples shown
// of every label, default 0), template (kPromptTemplate), calibrate (default
// true), and "word:LABEL" for each label, by default the label itself.
Engine& PromptEngine();

// Words are of `labels`, in order. kInvalidInput when the network does not
// generate, or a word makes no token after the prompt. A text that does not
// fit the context is cut at its end.
Result<std::unique_ptr<Model>> MakePromptModel(
    std::unique_ptr<NeuralModel> network, PromptSpec spec,
    const std::vector<std::string>& labels);

}  // namespace modicum
