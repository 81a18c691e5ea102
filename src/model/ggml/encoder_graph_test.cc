// SPDX-License-Identifier: Apache-2.0
// The encoder's numbers and gradients against the reference in double
// precision.
#include "model/ggml/encoder_graph.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "model/ggml/backends.h"
#include "model/ggml/composed_ops.h"
#include "model/ggml/encoder_sample.h"
#include "model/ggml/reference_gradients.h"

namespace modicum {
namespace {

TEST(EncoderGraph, LogitsAreThoseOfTheReference) {
  for (const uint32_t layers : {1U, 2U, 3U}) {
    EncoderShape shape = layers == 2 ? kImported : kTwoLayers;
    shape.layers = layers;
    const auto weights = SomeWeights(shape);
    EncoderGraph graph(*weights, 1, {});
    const EncoderBatch batch = SomeBatch(shape, 9);
    const auto logits = graph.Logits(batch);
    ASSERT_TRUE(logits);
    const ReferenceEncoder reference(*weights);
    for (size_t i = 0; i < batch.texts(); ++i) {
      const int32_t* from = &batch.tokens[i * batch.length];
      const auto expected = reference.Logits({from, from + batch.lengths[i]});
      for (size_t label = 0; label < shape.labels; ++label)
        EXPECT_NEAR((*logits)[i * shape.labels + label], expected[label], 1e-5);
    }
  }
}

TEST(EncoderGraph, GradientsAreThoseOfTheReference) {
  for (const EncoderShape& shape : {kTwoLayers, kImported})
    ExpectGradientsOfTheReference(*SomeWeights(shape), SomeBatch(shape, 9),
                                  SomeBatch(shape, 9));
}

// Texts read once, and a head over what was read.
TEST(EncoderGraph, AHeadAloneHasTheGradientsOfTheReference) {
  const auto whole = SomeWeights(kImported);
  EncoderWeights weights(kImported, Learns::kHead);
  for (size_t i = 0; i < whole->parameters().size(); ++i)
    std::ranges::copy(whole->parameters()[i].values(),
                      weights.parameters()[i].values().begin());
  EXPECT_EQ(weights.learnt().size(), 4U);
  EncoderBatch batch = SomeBatch(kImported, 9);
  EncoderGraph graph(weights, 1, {});
  const auto logits = graph.Logits(batch);
  const auto read = graph.Read(batch);
  ASSERT_TRUE(logits && read);
  EXPECT_EQ(read->size(), 9 * kImported.width);
  EncoderBatch of_head;
  of_head.length = 1;
  of_head.lengths.assign(9, 1);
  of_head.read = *read;
  of_head.targets = batch.targets;
  EXPECT_EQ(*graph.Logits(of_head), *logits);
  ExpectGradientsOfTheReference(weights, of_head, batch);
}

TEST(EncoderGraph, GradientsAddUp) {
  const auto weights = SomeWeights(kTwoLayers);
  EncoderGraph graph(*weights, 1, {});
  const EncoderBatch batch = SomeBatch(kTwoLayers, 4);
  Rng rng(1);
  const auto gradients = [&](std::initializer_list<float> shares) {
    weights->ClearGradients();
    for (const float share : shares)
      EXPECT_TRUE(graph.Gradients(batch, {}, share, rng));
    std::vector<float> all;
    for (const Parameter& parameter : weights->parameters())
      all.insert(all.end(), parameter.gradients().begin(),
                 parameter.gradients().end());
    return all;
  };
  const auto whole = gradients({1});
  const auto parts = gradients({0.25F, 0.75F});
  for (size_t i = 0; i < whole.size(); ++i)
    EXPECT_NEAR(whole[i], parts[i], 1e-6);
}

TEST(EncoderGraph, IsTheSameWhateverTheThreads) {
  const auto weights = SomeWeights(kTwoLayers);
  const EncoderBatch batch = SomeBatch(kTwoLayers, 9);
  std::vector<float> first;
  for (const int threads : {1, 2}) {
    EncoderGraph graph(*weights, threads, {});
    weights->ClearGradients();
    Rng rng(1);
    ASSERT_TRUE(graph.Gradients(batch, {0.1F, 0.1F, 0.1F}, 1, rng));
    std::vector<float> all;
    for (const Parameter& parameter : weights->parameters())
      all.insert(all.end(), parameter.gradients().begin(),
                 parameter.gradients().end());
    if (first.empty()) first = all;
    // BLAS rounds by how a product is cut.
    EXPECT_THAT(all, testing::Pointwise(testing::FloatNear(1e-5F), first));
  }
}

// Batches of one shape are summed in one order, whatever fills them; another
// shape may change the order, and with it the last digits.
TEST(EncoderGraph, WhatFillsABatchHasNoInfluence) {
  const auto weights = SomeWeights(kTwoLayers);
  EncoderGraph graph(*weights, 1, {});
  const std::vector<TokenIds> texts = {
      {1, 2, 3}, {4, 5, 6, 7, 8, 9, 10}, {3, 3, 3, 1, 2, 9, 4}};
  const auto logits = [&](std::vector<uint32_t> rows) {
    return *graph.Logits(MakeBatch(texts, rows, kTwoLayers.context));
  };
  const auto alone = logits({0});
  const auto filled = logits({0, 1});
  const auto otherwise_filled = logits({0, 2});
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(filled[i], otherwise_filled[i]);
    EXPECT_NEAR(alone[i], filled[i], 1e-5);
  }
}

TEST(EncoderGraph, ALongTextKeepsItsLastToken) {
  const std::vector<TokenIds> texts = {{1, 2, 3, 4, 5}};
  const EncoderBatch batch = MakeBatch(texts, std::vector<uint32_t>{0}, 3);
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{1, 2, 5}));
}

// The mean over many masks of the logits' gradient is not checked: only that
// dropout changes the loss, and equally for equal seeds.
TEST(EncoderGraph, DropoutIsSeeded) {
  const auto weights = SomeWeights(kTwoLayers);
  EncoderGraph graph(*weights, 1, {});
  const EncoderBatch batch = SomeBatch(kTwoLayers, 6);
  const auto loss = [&](float rate, uint64_t seed) {
    Rng rng(seed);
    return *graph.Gradients(batch, {rate, rate, rate}, 1, rng);
  };
  EXPECT_EQ(loss(0.3F, 1), loss(0.3F, 1));
  EXPECT_NE(loss(0.3F, 1), loss(0.3F, 2));
  EXPECT_EQ(loss(0, 1), loss(0, 2));
}

TEST(EncoderGraph, StopsWhenAsked) {
  const auto weights = SomeWeights(kTwoLayers);
  std::stop_source stop;
  EncoderGraph graph(*weights, 1, stop.get_token());
  const EncoderBatch batch = SomeBatch(kTwoLayers, 2);
  EXPECT_TRUE(graph.Logits(batch));
  stop.request_stop();
  EXPECT_EQ(graph.Logits(batch).error().code, ErrorCode::kInterrupted);
}

TEST(EncoderGraph, WorkingMemoryGrowsWithTheBatch) {
  const auto weights = SomeWeights(kTwoLayers);
  EncoderGraph graph(*weights, 1, {});
  const Bytes one = graph.WorkingMemory(8, 4);
  const Bytes twice = graph.WorkingMemory(16, 4);
  EXPECT_GT(twice.value(), 1.5 * one.value());
  EXPECT_LT(twice.value(), 2.5 * one.value());
}

// What each composed operation is, by ggml's own, over a range of inputs.
class Composed : public testing::Test {
 protected:
  using Unary = std::function<ggml_tensor*(ggml_context*, ggml_tensor*)>;

  std::vector<float> Apply(const Unary& function) {
    const GgmlContext context(ggml_init(
        {.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false}));
    ggml_tensor* x = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, 16, 20);
    auto* values = static_cast<float*>(x->data);
    for (int i = 0; i < 320; ++i)
      values[i] =
          static_cast<float>(i - 160) / 16 + (i % 16 == 3 ? 5.0F : 0.0F);
    ggml_tensor* y = function(context.get(), x);
    ggml_cgraph* graph = ggml_new_graph(context.get());
    ggml_build_forward_expand(graph, y);
    ggml_backend_t backend = Cpu().Start();
    Cpu().set_threads(backend, 1);
    ggml_backend_graph_compute(backend, graph);
    ggml_backend_free(backend);
    const auto* out = static_cast<const float*>(y->data);
    return {out, out + ggml_nelements(y)};
  }
  void ExpectEqual(const Unary& ours, const Unary& theirs, double tolerance) {
    const auto a = Apply(ours), b = Apply(theirs);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_NEAR(a[i], b[i], tolerance * std::max(1.0F, std::abs(b[i])));
  }
};

TEST_F(Composed, Tanh) { ExpectEqual(modicum::Tanh, ggml_tanh, 1e-6); }
TEST_F(Composed, Gelu) {
  // ggml's own reads a table in half precision.
  ExpectEqual(modicum::Gelu, ggml_gelu, 2e-3);
}
TEST_F(Composed, LayerNorm) {
  const auto constant = [](ggml_context* context, float value) {
    ggml_tensor* tensor = ggml_new_tensor_1d(context, GGML_TYPE_F32, 16);
    return ggml_set_f32(tensor, value);
  };
  ExpectEqual(
      [&](ggml_context* c, ggml_tensor* x) {
        return modicum::LayerNorm(c, x, constant(c, 2), constant(c, 3), 1e-6F);
      },
      [&](ggml_context* c, ggml_tensor* x) {
        return ggml_add(c, ggml_scale(c, ggml_norm(c, x, 1e-6F), 2),
                        constant(c, 3));
      },
      1e-5);
}

}  // namespace
}  // namespace modicum
