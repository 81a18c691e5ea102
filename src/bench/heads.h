// SPDX-License-Identifier: Apache-2.0
// Encoders with a head for each token as subjects: hidden tokens, tags of
// words, answers to questions.
#pragma once

#include "bench/task.h"
#include "model/neural.h"

namespace modicum {

// Words with their tags ("tokens" and "tags", unless the settings say
// otherwise).
Result<Dataset> LoadTags(const std::string& path, const TaskSettings& settings);
// Questions about contexts.
Result<Dataset> LoadAnswers(const std::string& path,
                            const TaskSettings& settings);

// The item's first `words` words, of a question those of its context; 0: all.
void KeepTaggedWords(Item& item, uint64_t words);
void KeepContextWords(Item& item, uint64_t words);

Result<std::unique_ptr<BenchSubject>> OpenUnmasker(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink);
Result<std::unique_ptr<BenchSubject>> OpenTagger(const std::string& path,
                                                 const Workload& workload,
                                                 const CallOptions& call,
                                                 PhaseSink& sink);
Result<std::unique_ptr<BenchSubject>> OpenAnswerer(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink);

// The same around an encoder that is open already, by its head.
std::unique_ptr<BenchSubject> EncoderSubject(
    std::unique_ptr<HeadedEncoder> encoder);

// "accuracy": the hidden token is the likeliest; "top-5": one of five; "bits":
// that it costs to tell.
inline constexpr std::string_view kUnmaskMetrics[] = {"accuracy", "top-5",
                                                      "bits"};
Result<Scored> ScoreUnmasked(BenchSubject& subject, const Workload& workload,
                             std::span<const Item> items,
                             std::span<const Output> outputs,
                             const CallOptions& call);
// "f1": of entities; "accuracy": of words.
inline constexpr std::string_view kTagMetrics[] = {"f1", "accuracy"};
Result<Scored> ScoreTags(BenchSubject& subject, const Workload& workload,
                         std::span<const Item> items,
                         std::span<const Output> outputs,
                         const CallOptions& call);
// "f1": the mean over questions; "exact-match".
inline constexpr std::string_view kAnswerMetrics[] = {"f1", "exact-match"};
Result<Scored> ScoreAnswers(BenchSubject& subject, const Workload& workload,
                            std::span<const Item> items,
                            std::span<const Output> outputs,
                            const CallOptions& call);

}  // namespace modicum
