// SPDX-License-Identifier: Apache-2.0
// One vector a text: embeddings and classes.
#include <algorithm>
#include <numeric>

#include "model/ggml/llama_model.h"
#include "model/ggml/vectors.h"

namespace modicum {
namespace {

// The longest first, so that those of a batch are alike.
std::vector<size_t> ByLength(std::span<const TokenIds> texts) {
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return texts[a].size() > texts[b].size();
  });
  return order;
}

}  // namespace

Result<Compute*> LlamaModel::VectorCompute(size_t longest) {
  const auto sequences = static_cast<size_t>(settings_.sequences);
  const size_t tokens =
      std::max(longest, static_cast<size_t>(settings_.micro_batch));
  // The library plans its memory for sequences of equal length and ends the
  // process where that leaves a rest.
  const auto room =
      static_cast<uint32_t>((tokens + sequences - 1) / sequences * sequences);
  if (vectors_ != nullptr && vectors_->shape().batch >= room)
    return vectors_.get();
  ComputeShape shape;
  // A pooled text is computed in one graph.
  shape.cells = shape.batch = shape.micro_batch = room;
  shape.sequences = static_cast<uint32_t>(sequences);
  shape.vectors = true;
  shape.pooling =
      pooling_ == LLAMA_POOLING_TYPE_NONE ? LLAMA_POOLING_TYPE_MEAN : pooling_;
  vectors_.reset();  // before the larger one takes its memory
  MODICUM_TRY(vectors_, OpenCompute(shape));
  return vectors_.get();
}

Result<std::vector<std::vector<float>>> LlamaModel::Pool(
    std::span<const TokenIds> texts, size_t size, const CallOptions& call,
    PhaseSink& sink) {
  const std::vector<size_t> order = ByLength(texts);
  std::vector<std::vector<float>> vectors(texts.size());
  if (texts.empty()) return vectors;
  MODICUM_RETURN_IF_ERROR(CheckNoneEmpty(texts));
  const auto length = [&](size_t i) {
    return std::min(texts[i].size(), size_t{info_.context});
  };
  MODICUM_TRY(Compute* const compute, VectorCompute(length(order[0])));
  sink.Begin(Phase::kPrefill);
  Batch batch(compute->shape().batch);
  for (size_t next = 0; next < order.size();) {
    batch.Clear();
    compute->Forget();
    std::vector<SeqWork> work;
    for (size_t k = next;
         k < order.size() && work.size() < compute->shape().sequences &&
         batch.size() + length(order[k]) <= compute->shape().batch;
         ++k) {
      const TokenIds tokens = CutTo(texts[order[k]], info_.context);
      for (size_t i = 0; i < tokens.size(); ++i)
        batch.Add(tokens[i], i, work.size(), true);
      work.push_back(WorkOf(order[k], tokens.size(), 0, 0));
    }
    MODICUM_RETURN_IF_ERROR(compute->Run(batch, call));
    for (size_t s = 0; s < work.size(); ++s) {
      const auto vector = compute->Vector(s, size);
      MODICUM_RETURN_IF_ERROR(CheckNumbers(info_.path, vector));
      vectors[order[next + s]].assign(vector.begin(), vector.end());
    }
    sink.Step(Phase::kPrefill, work);
    next += work.size();
  }
  return vectors;
}

Result<std::vector<std::vector<float>>> LlamaModel::Embed(
    std::span<const TokenIds> texts, bool normalize, const CallOptions& call,
    PhaseSink& sink) {
  if (pooling_ == LLAMA_POOLING_TYPE_RANK) return NoVectors(info_.path);
  MODICUM_TRY(auto vectors, Pool(texts, info_.width, call, sink));
  if (normalize)
    for (std::vector<float>& vector : vectors) Normalize(vector);
  return vectors;
}

Result<std::vector<std::vector<float>>> LlamaModel::Classify(
    std::span<const TokenIds> texts, const CallOptions& call, PhaseSink& sink) {
  if (pooling_ != LLAMA_POOLING_TYPE_RANK) return NoClasses(info_.path);
  return Pool(texts, info_.labels.size(), call, sink);
}

}  // namespace modicum
