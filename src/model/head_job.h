// SPDX-License-Identifier: Apache-2.0
// What a training of an encoder with a head is told: examples, sizes, limits,
// and who judges it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/item.h"
#include "model/engine.h"
#include "model/head_kind.h"
#include "model/head_texts.h"
#include "model/neural.h"

namespace modicum {

// A sentence, and the label of each of its words.
struct TaggedExample {
  std::vector<std::string> words;
  std::vector<uint32_t> labels;
};

// A question about a context, and which part of that answers it.
struct AnswerExample {
  TextPair pair;
  TextRange answer;
};

struct HeadSettings {
  // Of a body that is drawn: a base has its own.
  uint32_t layers = 2;
  uint32_t width = 128;
  uint32_t vocabulary = 8000;
  uint32_t context = 256;
  // A GGUF file whose body is trained on; "": none.
  std::string base = {};
  bool frozen = false;  // the body stays as it is
  uint32_t epochs = 10;
  uint32_t patience = 3;  // epochs without a better one, then it ends
  uint32_t batch = 32;
  double rate = 1e-3;
  double decay = 0.01;
  double dropout = 0.1;
  double word_dropout = 0;  // share of tokens that are made unknown
};

// The width of an attention head of a body that is drawn.
inline constexpr uint32_t kDrawnHeadWidth = 32;

struct HeadEpoch {
  uint32_t epoch = 0;  // from 0
  double loss = 0;     // mean of its steps
  double quality = 0;  // as it was judged
};

struct HeadJob {
  HeadKind kind = HeadKind::kTokenClassification;
  HeadSettings settings = {};
  std::vector<std::string> labels = {};  // of tags, by number
  // By kind one of them.
  std::span<const TaggedExample> tagged = {};
  std::span<const AnswerExample> answers = {};
  std::span<const std::string> texts = {};  // whose tokens are hidden
  Budget budget = {};
  Checkpoint* checkpoint = nullptr;  // keeps the state when all is done
  std::string path = {};             // the body's; its head goes beside it
  // How good the network is as it would be kept, from 0 to 1; it reports the
  // phases of its own work.
  std::function<Result<double>(HeadedEncoder&)> judge = nullptr;
  std::function<void(const HeadEpoch&)> on_epoch = nullptr;  // may be null
  // Steps done, and all there may be.
  std::function<void(uint64_t, uint64_t)> on_step = nullptr;  // may be null
};

}  // namespace modicum
