// SPDX-License-Identifier: Apache-2.0
// Tasks over texts: how they are read and cut, and the classifiers.
#pragma once

#include "bench/task.h"

namespace modicum {

// Texts with labels, unless the settings name none; then their labels are
// absent.
Result<Dataset> LoadLabelledTexts(const std::string& path,
                                  const TaskSettings& settings);
// Texts alone, unless the settings say where the labels stand.
Result<Dataset> LoadTexts(const std::string& path,
                          const TaskSettings& settings);

// The text's first `words` words, as they stand; 0: all.
void KeepWords(Item& item, uint64_t words);

// An artifact of any family that reads text, or a GGUF file with a
// classification head.
Result<std::unique_ptr<BenchSubject>> OpenTextClassifier(
    const std::string& path, const Workload& workload, const CallOptions& call,
    PhaseSink& sink);

// The metric of the workload. A model whose labels are none of the data's is
// not scored, and the note says so.
Result<Scored> ScoreLabels(BenchSubject& subject, const Workload& workload,
                           std::span<const Item> items,
                           std::span<const Output> outputs,
                           const CallOptions& call);

}  // namespace modicum
