// SPDX-License-Identifier: Apache-2.0
// Networks out of GGUF files as subjects: classes, text, vectors.
#pragma once

#include "bench/task.h"
#include "model/neural.h"

namespace modicum {

Result<std::unique_ptr<BenchSubject>> OpenNetworkClassifier(
    const std::string& path, const Workload& workload, const CallOptions& call,
    PhaseSink& sink);
Result<std::unique_ptr<BenchSubject>> OpenGenerator(const std::string& path,
                                                    const Workload& workload,
                                                    const CallOptions& call,
                                                    PhaseSink& sink);
Result<std::unique_ptr<BenchSubject>> OpenEmbedder(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink);

// The same around a network that is open already.
std::unique_ptr<BenchSubject> NetworkClassifier(
    std::unique_ptr<NeuralModel> network);
std::unique_ptr<BenchSubject> NetworkGenerator(
    std::unique_ptr<NeuralModel> network, uint32_t new_tokens);
std::unique_ptr<BenchSubject> NetworkEmbedder(
    std::unique_ptr<NeuralModel> network);

// What a text's bytes cost to tell a reader who has the network, in bits:
// "bits-per-byte" compares networks whose tokens differ. On the items as they
// are given to the network, the first 100 of them.
Result<Scored> ScoreLikelihood(BenchSubject& subject, const Workload& workload,
                               std::span<const Item> items,
                               std::span<const Output> outputs,
                               const CallOptions& call);

}  // namespace modicum
