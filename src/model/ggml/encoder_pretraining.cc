// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_pretraining.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/bytes.h"
#include "model/ggml/encoder_training.h"
#include "model/ggml/training_steps.h"

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

class Pretraining {
 public:
  Pretraining(const EncoderWeights& start, const PretrainingParts& parts)
      : parts_(parts),
        settings_(parts.settings),
        weights_(MaskedShape(start.shape())),
        graph_(weights_, parts.budget.threads, parts.budget.stop),
        adamw_(ParametersOf(weights_.shape()), settings_.adamw),
        steps_an_epoch_((parts.texts.size() + settings_.batch - 1) /
                        settings_.batch),
        end_(parts.clock->Now() + parts.budget.wall) {
    CopyBody(start, weights_);
    weights_.DrawHead(parts.budget.seed);
  }

  Status Run() {
    // The classifier's numbers and gradients lie beside these.
    const Bytes other(2 * sizeof(float) *
                      static_cast<double>(ParametersOf(weights_.shape())));
    MODICUM_TRY(part_, TextsAtOnce(graph_, weights_, parts_.texts,
                                   settings_.batch, other, parts_.budget));
    MODICUM_RETURN_IF_ERROR(Resume());
    const uint64_t all = steps_an_epoch_ * settings_.epochs;
    std::vector<StepRows> steps;
    while (done_ < all && parts_.clock->Now() < end_) {
      const uint64_t epoch = done_ / steps_an_epoch_;
      const uint64_t step = done_ % steps_an_epoch_;
      if (steps.empty() || step == 0)
        steps =
            StepsOf(parts_.texts, settings_.batch,
                    StreamSeed(parts_.budget.seed, kPretrainStream, 2 * epoch));
      MODICUM_RETURN_IF_ERROR(TakeStep(steps[step]));
      if (step + 1 == steps_an_epoch_) EndEpoch(epoch);
      if (parts_.checkpoint != nullptr && parts_.checkpoint->Due())
        MODICUM_RETURN_IF_ERROR(Save());
    }
    return Save();
  }

  const EncoderWeights& weights() const { return weights_; }

 private:
  void EndEpoch(uint64_t epoch) {
    if (parts_.on_epoch)
      parts_.on_epoch(static_cast<uint32_t>(epoch),
                      loss_ / static_cast<double>(steps_an_epoch_));
    loss_ = 0;
  }

  // A stop keeps what was done before this step.
  Status TakeStep(const StepRows& rows) {
    auto loss = Learn(rows);
    if (loss) {
      loss_ += *loss;
      ++done_;
      return {};
    }
    if (loss.error().code == ErrorCode::kInterrupted)
      MODICUM_RETURN_IF_ERROR(Save());
    return Fail(std::move(loss).error());
  }

  // Hides tokens and learns to find them, in parts that fit into the memory.
  Result<double> Learn(const StepRows& rows) {
    Rng rng(StreamSeed(parts_.budget.seed, kPretrainStream, 2 * done_ + 1));
    std::vector<EncoderBatch> batches;
    size_t hidden = 0;
    for (size_t at = 0; at < rows.size(); at += part_) {
      EncoderBatch& batch = batches.emplace_back(
          MakeBatch(parts_.texts,
                    std::span(rows).subspan(
                        at, std::min<size_t>(part_, rows.size() - at)),
                    weights_.shape().context));
      HideTokens(parts_.rule, rng, batch);
      hidden += batch.hidden.size();
    }
    if (hidden == 0) return 0;  // texts without words
    weights_.ClearGradients();
    double loss = 0;
    for (const EncoderBatch& batch : batches) {
      if (batch.hidden.empty()) continue;
      const float share =
          static_cast<float>(batch.hidden.size()) / static_cast<float>(hidden);
      MODICUM_TRY(const double mean,
                  graph_.Gradients(batch, settings_.dropout, share, rng));
      loss += mean * double{share};
    }
    if (!std::isfinite(loss))
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("pretraining diverged in step {}: the loss is no "
                              "number",
                              done_ + 1),
                  "lower rate");
    ClipGradients(weights_.learnt(), settings_.clip);
    adamw_.Step(weights_.learnt(),
                LearningRate(done_, steps_an_epoch_ * settings_.epochs,
                             settings_.warm_up, settings_.rate));
    return loss;
  }

  Status Save() {
    if (parts_.checkpoint == nullptr) return {};
    ByteWriter out;
    out.Put(done_);
    out.Put(loss_);
    out.Put(adamw_.state().steps);
    out.PutAll(weights_.Copy());
    out.PutAll(adamw_.state().first);
    out.PutAll(adamw_.state().second);
    return parts_.checkpoint->Save(parts_.key, out.Take());
  }

  Status Resume() {
    if (parts_.checkpoint == nullptr) return {};
    MODICUM_TRY(const auto state, parts_.checkpoint->Load(parts_.key));
    if (!state) return {};
    const uint64_t numbers = ParametersOf(weights_.shape());
    ByteReader in(*state);
    done_ = in.Get<uint64_t>();
    loss_ = in.Get<double>();
    AdamW::State moments;
    moments.steps = in.Get<uint64_t>();
    const auto values = in.GetAll<float>(numbers);
    moments.first = in.GetAll<float>(numbers);
    moments.second = in.GetAll<float>(numbers);
    if (!in.ok() || in.left() > 0 || done_ > steps_an_epoch_ * settings_.epochs)
      return Fail(ErrorCode::kInvalidInput,
                  parts_.checkpoint->path() + ": a damaged checkpoint",
                  "remove it to train from the start");
    weights_.Set(values);
    adamw_.Set(std::move(moments));
    return {};
  }

  const PretrainingParts& parts_;
  const PretrainingSettings& settings_;
  EncoderWeights weights_;
  EncoderGraph graph_;
  AdamW adamw_;
  const uint64_t steps_an_epoch_;
  const MonotonicTime end_;
  uint32_t part_ = 1;  // texts computed at once
  uint64_t done_ = 0;  // steps
  double loss_ = 0;    // sum over the epoch's steps so far
};

}  // namespace

Status PretrainEncoder(EncoderWeights& weights, const PretrainingParts& parts) {
  Pretraining pretraining(weights, parts);
  MODICUM_RETURN_IF_ERROR(pretraining.Run());
  CopyBody(pretraining.weights(), weights);
  return {};
}

}  // namespace modicum
