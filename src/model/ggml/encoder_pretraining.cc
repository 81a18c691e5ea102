// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_pretraining.h"

#include <cstring>

namespace modicum {

namespace {

EncoderShape MaskedShape(const EncoderShape& shape) {
  EncoderShape masked = shape;
  masked.labels = 0;
  masked.head = HeadKind::kFillMask;
  masked.tied = true;
  return masked;
}

void CopyBody(const EncoderWeights& from, EncoderWeights& to) {
  for (const Parameter& parameter : from.parameters()) {
    const EncoderTensor tensor{parameter.value->name};
    if (tensor.of_head()) continue;
    std::memcpy(to[tensor.name]->data, parameter.value->data,
                parameter.values().size_bytes());
  }
}

}  // namespace

EncoderBatch HiddenLessons::BatchOf(std::span<const uint32_t> rows,
                                    Rng& rng) const {
  EncoderBatch batch = MakeBatch(texts_, rows, context_);
  HideTokens(rule_, rng, batch);
  return batch;
}

Status PretrainEncoder(EncoderWeights& weights, const PretrainingParts& parts) {
  EncoderWeights masked(MaskedShape(weights.shape()));
  CopyBody(weights, masked);
  masked.DrawHead(parts.budget.seed);
  EncoderGraph graph(masked, parts.budget.threads, parts.budget.stop);
  // The classifier's numbers and gradients lie beside these.
  const Bytes other(2 * sizeof(float) *
                    static_cast<double>(ParametersOf(masked.shape())));
  const HiddenLessons lessons(parts.texts, parts.rule, masked.shape().context);
  LearningParts learning{parts.settings, lessons, parts.budget};
  MODICUM_TRY(learning.together,
              TextsAtOnce(graph, masked, parts.texts, parts.settings.batch,
                          other, parts.budget));
  learning.checkpoint = parts.checkpoint;
  learning.key = parts.key;
  learning.clock = parts.clock;
  learning.name = "pretraining";
  learning.order = kPretrainStream;
  learning.steps = kPretrainStepStream;
  learning.keep_parts = true;
  learning.on_epoch = [&](uint32_t epoch, double loss, const auto&) {
    if (parts.on_epoch) parts.on_epoch(epoch, loss);
  };
  MODICUM_RETURN_IF_ERROR(Learn(masked, graph, learning));
  CopyBody(masked, weights);
  return {};
}

}  // namespace modicum
