// SPDX-License-Identifier: Apache-2.0
// The data of one training of a head: what it learns from, what chooses when it
// ends, what it is told about once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "train/head_task.h"

namespace modicum {

struct HeadData {
  Dataset train, validation;
  std::optional<Dataset> test;
  std::vector<std::string> labels;  // of tags, as the training data has them
  std::string metric;
  // Of `train`, by kind one of them.
  std::vector<TaggedExample> tagged;
  std::vector<AnswerExample> answers;
  std::vector<std::string> texts;
  // What whoever reads the figures should know.
  std::vector<std::string> notes;
};

// kInvalidInput names file and line: data of another shape, one tag alone, an
// answer that is not in its context, a metric that the tags do not have.
Result<HeadData> LoadHeadData(const HeadTask& task);

}  // namespace modicum
