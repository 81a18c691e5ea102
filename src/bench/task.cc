// SPDX-License-Identifier: Apache-2.0
// Every task that can be benchmarked.
#include "bench/task.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "bench/heads.h"
#include "bench/networks.h"
#include "bench/texts.h"

namespace modicum {

std::span<const BenchTask> BenchTasks() {
  static constexpr BenchTask kTasks[] = {
      {"text-classification", "one label a text: artifacts, GGUF with a head",
       "token read", "text-classification", 0, true, false, LoadLabelledTexts,
       KeepWords, OpenTextClassifier, ScoreLabels},
      // The study's setting: 20 words to begin with, 10 tokens to add.
      {"text-generation", "goes on from a text's first words: GGUF decoders",
       "token written", "text-generation", 20, false, true, LoadTexts,
       KeepWords, OpenGenerator, ScoreLikelihood},
      {"fill-mask", "finds a hidden token: encoders with such a head",
       "token read", "masked-language-modelling", 0, true, false, LoadTexts,
       KeepWords, OpenUnmasker, ScoreUnmasked, kUnmaskMetrics},
      {"token-classification", "a tag for each word: encoders with such a head",
       "token read", "token-classification", 0, true, false, LoadTags,
       KeepTaggedWords, OpenTagger, ScoreTags, kTagMetrics},
      {"question-answering",
       "a part of a text as the answer: encoders with such a head",
       "token read", "question-answering", 0, true, false, LoadAnswers,
       KeepContextWords, OpenAnswerer, ScoreAnswers, kAnswerMetrics},
      {"embeddings", "one vector a text: GGUF", "token read", "", 0, true,
       false, LoadTexts, KeepWords, OpenEmbedder, nullptr},
  };
  return kTasks;
}

std::string_view MetricOf(const TaskSettings& settings) {
  if (!settings.metric.empty()) return settings.metric;
  const auto& metrics = settings.task->metrics;
  return metrics.empty() ? "accuracy" : metrics.front();
}

Result<const BenchTask*> FindBenchTask(std::string_view name) {
  std::vector<std::string_view> names;
  for (const BenchTask& task : BenchTasks()) {
    if (task.name == name) return &task;
    names.push_back(task.name);
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("unknown task '{}'{}", name, DidYouMean(name, names)),
              fmt::format("tasks are: {}", fmt::join(names, ", ")));
}

}  // namespace modicum
