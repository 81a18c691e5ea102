// SPDX-License-Identifier: Apache-2.0
// What tests of networks begin with: random ones, opened through the module.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llama.h>

#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "dataset/temp_folder.h"
#include "model/gguf/random_network.h"
#include "model/neural.h"

namespace modicum {

// What an engine reports.
class Recorder final : public PhaseSink {
 public:
  void Begin(Phase phase) override { phases.push_back(phase); }
  void Step(Phase phase, std::span<const SeqWork> work) override {
    ++steps[phase];
    for (const SeqWork& sequence : work) {
      tokens[phase] += sequence.tokens_in;
      kv_bytes = sequence.kv_bytes;
    }
  }
  std::vector<Phase> phases;
  std::map<Phase, size_t> steps;
  std::map<Phase, size_t> tokens;
  uint64_t kv_bytes = 0;
};

class Neural : public testing::Test {
 protected:
  Neural() {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    path_ = folder_.path() + "/network.gguf";
  }

  std::string Write(const RandomNetwork& network, const char* name) {
    const std::string path = folder_.path() + "/" + name;
    MODICUM_CHECK(WriteRandomNetwork(network, path).has_value());
    return path;
  }

  Result<std::unique_ptr<NeuralModel>> TryOpen(const std::string& path,
                                               NeuralSettings settings = {}) {
    // More would wait for each other where the machine is busy.
    if (settings.threads == 0) settings.threads = 1;
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    return engine->Open(path, settings, {}, {}, recorder_);
  }
  std::unique_ptr<NeuralModel> Open(const std::string& path,
                                    const NeuralSettings& settings = {}) {
    auto model = TryOpen(path, settings);
    EXPECT_TRUE(model) << model.error().message;
    return *std::move(model);
  }
  // A random llama, or bert, with other settings than its own.
  std::unique_ptr<NeuralModel> OpenRandom(const NeuralSettings& settings = {},
                                          const RandomNetwork& network = {}) {
    path_ = Write(network, "network.gguf");
    return Open(path_, settings);
  }
  std::string ErrorOf(const Status& status) {
    return status ? "" : status.error().message;
  }

  static TokenIds Range(TokenId first, size_t count) {
    TokenIds tokens(count);
    std::iota(tokens.begin(), tokens.end(), first);
    return tokens;
  }

  TempFolder folder_;
  std::string path_;
  Recorder recorder_;
  NullSink sink_;
};

inline GenerateOptions Greedy(uint32_t tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  options.ignore_end = true;
  return options;
}

using Vectors = std::vector<std::vector<float>>;

inline void ExpectNear(const Vectors& a, const Vectors& b,
                       float apart = 2e-3F) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_THAT(a[i], testing::Pointwise(testing::FloatNear(apart), b[i])) << i;
}

// Of all lengths, not in their order.
inline std::vector<TokenIds> Texts() {
  std::vector<TokenIds> texts;
  for (const size_t length : {3U, 40U, 1U, 17U, 100U, 8U, 8U, 64U, 2U})
    texts.push_back(TokenIds(length, static_cast<TokenId>(20 + length)));
  return texts;
}

}  // namespace modicum
