// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "model/ggml/backends.h"
#include "model/ggml/composed_ops.h"
#include "model/ggml/hidden_tokens.h"
#include "model/ggml/matrix_products.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// Enough for the nodes of one layer and its gradients, and for the rest.
constexpr size_t kNodesPerLayer = 512;
constexpr size_t kOtherNodes = 512;
// Added to the attention of what only fills: its softmax is zero.
constexpr float kNever = -1e9F;

void Fill(ggml_tensor* tensor, const void* data) {
  std::memcpy(tensor->data, data, ggml_nbytes(tensor));
}

// Of how many tokens the head sees what the body made, at most.
size_t TokensSeen(const EncoderShape& shape, size_t texts, size_t length) {
  if (!shape.head) return texts;
  // As many as are hidden, rounded up.
  if (shape.head == HeadKind::kFillMask)
    return texts * (length / kHiddenOneIn + 1);
  return texts * length;
}

}  // namespace

EncoderBatch MakeBatch(std::span<const TokenIds> texts,
                       std::span<const uint32_t> which, uint32_t longest) {
  EncoderBatch batch;
  for (const uint32_t i : which) {
    const auto length = static_cast<uint32_t>(texts[i].size());
    batch.lengths.push_back(std::min(length, longest));
    batch.length = std::max(batch.length, batch.lengths.back());
  }
  batch.tokens.resize(batch.length * which.size());
  for (size_t i = 0; i < which.size(); ++i) {
    const TokenIds& text = texts[which[i]];
    int32_t* to = &batch.tokens[i * batch.length];
    std::copy_n(text.begin(), batch.lengths[i], to);
    to[batch.lengths[i] - 1] = text.back();
  }
  return batch;
}

// One graph while it is made, filled and run.
struct EncoderGraph::Build {
  const EncoderWeights& weights;
  const EncoderBatch& batch;
  const Dropout* dropout;  // null: nothing is dropped
  GgmlContext memory;
  ggml_cgraph* graph = nullptr;

  ggml_tensor* read = nullptr;  // all others of the body are null then
  ggml_tensor* tokens = nullptr;
  ggml_tensor* kinds = nullptr;  // of each token, or of all: the first
  ggml_tensor* places = nullptr;
  ggml_tensor* first = nullptr;  // the row of each text's first token
  ggml_tensor* mask = nullptr;
  ggml_tensor* asked = nullptr;    // rows of the tokens that are
  ggml_tensor* context = nullptr;  // where an answer may be
  ggml_tensor* targets = nullptr;
  ggml_tensor* logits = nullptr;
  ggml_tensor* loss = nullptr;
  ggml_tensor* loss_gradient = nullptr;
  struct Kept {
    ggml_tensor* mask;
    float rate;
  };
  std::vector<Kept> kept;

  Build(const EncoderWeights& w, const EncoderBatch& b, const Dropout* d,
        std::vector<uint8_t>& arena)
      : weights(w), batch(b), dropout(d) {
    memory.reset(ggml_init({.mem_size = arena.size(),
                            .mem_buffer = arena.data(),
                            .no_alloc = true}));
    graph = ggml_new_graph_custom(
        memory.get(), kNodesPerLayer * w.shape().layers + kOtherNodes,
        dropout != nullptr);
  }

  int64_t texts() const { return static_cast<int64_t>(batch.texts()); }
  int64_t length() const { return batch.length; }
  int64_t width() const { return weights.shape().width; }

  ggml_tensor* Input(ggml_type type, int64_t a, int64_t b = 1, int64_t c = 1,
                     int64_t d = 1) {
    ggml_tensor* tensor = ggml_new_tensor_4d(memory.get(), type, a, b, c, d);
    ggml_set_input(tensor);
    return tensor;
  }
  ggml_tensor* Linear(const std::string& name, ggml_tensor* x,
                      bool bias = true) {
    return MultiplyAdd(memory.get(), x, weights[name + ".weight"],
                       bias ? weights[name + ".bias"] : nullptr);
  }
  ggml_tensor* Norm(const std::string& name, ggml_tensor* x) {
    return LayerNorm(memory.get(), x, weights[name + ".weight"],
                     weights[name + ".bias"], weights.shape().epsilon);
  }
  ggml_tensor* Drop(ggml_tensor* x, float rate) {
    if (rate <= 0) return x;
    ggml_tensor* keep = Input(GGML_TYPE_F32, x->ne[0], x->ne[1]);
    kept.push_back({keep, rate});
    return ggml_mul(memory.get(), x, keep);
  }
  float HiddenDropout() const { return dropout ? dropout->hidden : 0; }

  ggml_tensor* Embed();
  ggml_tensor* Attend(const std::string& prefix, ggml_tensor* queries,
                      ggml_tensor* x);
  ggml_tensor* Layer(uint32_t index, ggml_tensor* x);
  ggml_tensor* Body();
  ggml_tensor* Classify(ggml_tensor* x);
  ggml_tensor* Asked(ggml_tensor* x);
  ggml_tensor* Unmask(ggml_tensor* x);
  ggml_tensor* Locate(ggml_tensor* x);
  ggml_tensor* Head(ggml_tensor* x);
  void MakeForward();
  void MakeLoss();
  void MakeBackward();
  void FillInputs() const;
  void FillTexts() const;
  void FillKinds() const;
  void FillContext() const;
  void FillTargets() const;
  void FillDropout(Rng& rng) const;
};

// [width, length * texts]
ggml_tensor* EncoderGraph::Build::Embed() {
  ggml_context* c = memory.get();
  tokens = Input(GGML_TYPE_I32, length() * texts());
  places = Input(GGML_TYPE_I32, length());
  ggml_tensor* x = ggml_get_rows(c, weights["token_embd.weight"], tokens);
  x = ggml_reshape_3d(c, x, width(), length(), texts());
  if (weights.shape().token_types > 0) {
    kinds = batch.seconds.empty() ? Input(GGML_TYPE_I32, 1)
                                  : Input(GGML_TYPE_I32, length() * texts());
    ggml_tensor* of_kind =
        ggml_get_rows(c, weights["token_types.weight"], kinds);
    if (!batch.seconds.empty())
      of_kind = ggml_reshape_3d(c, of_kind, width(), length(), texts());
    x = ggml_add(c, x, of_kind);
  }
  x = ggml_add(c, x, ggml_get_rows(c, weights["position_embd.weight"], places));
  x = ggml_reshape_2d(c, x, width(), length() * texts());
  x = Norm("token_embd_norm", x);
  return Drop(x, dropout ? dropout->embedding : 0);
}

// What each of `queries`, some tokens of each text, gathers from all of `x`.
ggml_tensor* EncoderGraph::Build::Attend(const std::string& prefix,
                                         ggml_tensor* queries, ggml_tensor* x) {
  ggml_context* c = memory.get();
  const int64_t heads = weights.shape().heads;
  const int64_t size = width() / heads;
  const int64_t asking = queries->ne[1] / texts();
  ggml_tensor* q = Linear(prefix + "attn_q", queries);
  ggml_tensor* k = Linear(prefix + "attn_k", x, weights.shape().key_bias);
  ggml_tensor* v = Linear(prefix + "attn_v", x);
  q = ggml_reshape_4d(c, q, size, heads, asking, texts());
  k = ggml_reshape_4d(c, k, size, heads, length(), texts());
  v = ggml_reshape_4d(c, v, size, heads, length(), texts());
  q = ggml_cont(c, ggml_permute(c, q, 0, 2, 1, 3));
  k = ggml_cont(c, ggml_permute(c, k, 0, 2, 1, 3));
  v = ggml_cont(c, ggml_permute(c, v, 1, 2, 0, 3));
  // [length, asking, heads, texts]
  ggml_tensor* weight = ggml_add(c, ggml_mul_mat(c, k, q), mask);
  weight = ggml_soft_max_ext(c, weight, nullptr,
                             1 / std::sqrt(static_cast<float>(size)), 0);
  ggml_tensor* gathered = ggml_mul_mat(c, v, weight);
  gathered = ggml_cont(c, ggml_permute(c, gathered, 0, 2, 1, 3));
  gathered = ggml_reshape_2d(c, gathered, width(), asking * texts());
  return Linear(prefix + "attn_output", gathered);
}

ggml_tensor* EncoderGraph::Build::Layer(uint32_t index, ggml_tensor* x) {
  ggml_context* c = memory.get();
  const std::string prefix = "blk." + std::to_string(index) + ".";
  // Of the last layer a classifier reads the first token of each text alone.
  const bool last = first != nullptr && index + 1 == weights.shape().layers;
  ggml_tensor* own = last ? ggml_get_rows(c, x, first) : x;
  ggml_tensor* attended = Attend(prefix, own, x);
  attended = Drop(attended, HiddenDropout());
  x = Norm(prefix + "attn_output_norm", ggml_add(c, attended, own));
  ggml_tensor* fed =
      Linear(prefix + "ffn_down", Gelu(c, Linear(prefix + "ffn_up", x)));
  fed = Drop(fed, HiddenDropout());
  return Norm(prefix + "layer_output_norm", ggml_add(c, fed, x));
}

// [width, texts] or, with a head for each token, [width, length * texts]
ggml_tensor* EncoderGraph::Build::Body() {
  mask = Input(GGML_TYPE_F32, length(), 1, 1, texts());
  if (!weights.shape().head) first = Input(GGML_TYPE_I32, texts());
  ggml_tensor* x = Embed();
  for (uint32_t i = 0; i < weights.shape().layers; ++i) x = Layer(i, x);
  return x;
}

// [labels, texts]
ggml_tensor* EncoderGraph::Build::Classify(ggml_tensor* x) {
  x = Tanh(memory.get(), Linear("cls", x));
  x = Drop(x, dropout ? dropout->pooled : 0);
  return Linear("cls.output", x);
}

// [width, tokens that are asked about]
ggml_tensor* EncoderGraph::Build::Asked(ggml_tensor* x) {
  if (read != nullptr) return x;
  asked = Input(GGML_TYPE_I32, static_cast<int64_t>(batch.asked.size()));
  return ggml_get_rows(memory.get(), x, asked);
}

// [vocabulary, tokens that are asked about]
ggml_tensor* EncoderGraph::Build::Unmask(ggml_tensor* x) {
  ggml_context* c = memory.get();
  x = Asked(x);
  x = Norm("head.transform_norm", Gelu(c, Linear("head.transform", x)));
  if (!weights.shape().tied) return Linear("head.decoder", x);
  x = ggml_mul_mat(c, weights["token_embd.weight"], x);
  return ggml_add(c, x, weights["head.decoder.bias"]);
}

// [length, 2 * texts]: where an answer begins, where it ends; never outside of
// the second text.
ggml_tensor* EncoderGraph::Build::Locate(ggml_tensor* x) {
  ggml_context* c = memory.get();
  context = Input(GGML_TYPE_F32, length(), 1, texts());
  x = ggml_reshape_3d(c, Linear("head.output", x), 2, length(), texts());
  x = ggml_cont(c, ggml_permute(c, x, 1, 0, 2, 3));
  x = ggml_add(c, x, context);
  return ggml_reshape_2d(c, x, length(), 2 * texts());
}

ggml_tensor* EncoderGraph::Build::Head(ggml_tensor* x) {
  if (!weights.shape().head) return Classify(x);
  switch (*weights.shape().head) {
    case HeadKind::kFillMask:
      return Unmask(x);
    case HeadKind::kTokenClassification:
      x = Asked(x);
      return Linear("head.output", Drop(x, dropout ? dropout->pooled : 0));
    case HeadKind::kQuestionAnswering:
      break;
  }
  return Locate(x);
}

void EncoderGraph::Build::MakeForward() {
  if (!batch.read.empty())
    read = Input(GGML_TYPE_F32, width(),
                 static_cast<int64_t>(batch.read.size()) / width());
  logits = Head(read != nullptr ? read : Body());
  ggml_set_output(logits);
  ggml_build_forward_expand(graph, logits);
}

void EncoderGraph::Build::MakeLoss() {
  targets = Input(GGML_TYPE_F32, logits->ne[0], logits->ne[1]);
  loss = ggml_cross_entropy_loss(memory.get(), logits, targets);
  ggml_set_loss(loss);
  ggml_set_output(loss);
  ggml_build_forward_expand(graph, loss);
}

void EncoderGraph::Build::MakeBackward() {
  const int nodes = ggml_graph_n_nodes(graph);
  std::vector<ggml_tensor*> gradients(static_cast<size_t>(nodes));
  for (int i = 0; i < nodes; ++i)
    for (const Parameter& parameter : weights.learnt())
      if (ggml_graph_node(graph, i) == parameter.value)
        gradients[static_cast<size_t>(i)] = parameter.gradient;
  ggml_build_backward_expand(memory.get(), graph, gradients.data());
  loss_gradient = ggml_graph_get_grad_acc(graph, loss);
  graph = WithFastProducts(memory.get(), graph, FindBlas());
}

void EncoderGraph::Build::FillTargets() const {
  if (!weights.shape().head) return Fill(targets, batch.targets.data());
  auto* row = static_cast<float*>(targets->data);
  std::fill_n(row, ggml_nelements(targets), 0.0F);
  for (const int32_t one : batch.wanted) {
    row[one] = 1;
    row += targets->ne[0];
  }
}

void EncoderGraph::Build::FillKinds() const {
  auto* kind = static_cast<int32_t*>(kinds->data);
  std::fill_n(kind, ggml_nelements(kinds), 0);
  if (weights.shape().token_types < 2) return;
  for (size_t text = 0; text < batch.seconds.size(); ++text)
    if (const uint32_t second = batch.seconds[text]; second > 0)
      std::fill_n(kind + text * batch.length + second, batch.length - second,
                  1);
}

// A second text goes from its first token to before the last, which ends it.
void EncoderGraph::Build::FillContext() const {
  auto* place = static_cast<float*>(context->data);
  std::fill_n(place, ggml_nelements(context), kNever);
  for (size_t text = 0; text < batch.texts(); ++text) {
    const uint32_t second = batch.seconds[text];
    std::fill_n(place + text * batch.length + second,
                batch.lengths[text] - 1 - second, 0.0F);
  }
}

void EncoderGraph::Build::FillTexts() const {
  Fill(tokens, batch.tokens.data());
  if (kinds != nullptr) FillKinds();
  auto* place = static_cast<int32_t*>(places->data);
  for (uint32_t i = 0; i < batch.length; ++i)
    place[i] = static_cast<int32_t>(i);
  auto* row = first == nullptr ? nullptr : static_cast<int32_t*>(first->data);
  auto* unseen = static_cast<float*>(mask->data);
  for (size_t text = 0; text < batch.texts(); ++text) {
    if (row != nullptr) row[text] = static_cast<int32_t>(text * batch.length);
    float* of_text = unseen + text * batch.length;
    std::fill_n(of_text, batch.length, kNever);
    std::fill_n(of_text, batch.lengths[text], 0.0F);
  }
}

void EncoderGraph::Build::FillInputs() const {
  if (targets != nullptr) FillTargets();
  if (context != nullptr) FillContext();
  if (asked != nullptr) Fill(asked, batch.asked.data());
  if (read != nullptr)
    Fill(read, batch.read.data());
  else
    FillTexts();
}

void EncoderGraph::Build::FillDropout(Rng& rng) const {
  for (const Kept& one : kept) {
    const auto limit = static_cast<uint32_t>(one.rate * 0x1p32F);
    const float scale = 1 / (1 - one.rate);
    auto* values = static_cast<float*>(one.mask->data);
    for (int64_t i = 0; i < ggml_nelements(one.mask); ++i)
      values[i] = rng.Next() < limit ? 0 : scale;
  }
}

EncoderGraph::EncoderGraph(EncoderWeights& weights, int threads,
                           std::stop_token stop)
    : weights_(weights), stop_(std::move(stop)) {
  const size_t nodes = kNodesPerLayer * weights.shape().layers + kOtherNodes;
  // Tensors that are no nodes, views for one, take as many again; the graph
  // with matrix products is a second one.
  arena_.resize(3 * nodes * ggml_tensor_overhead() +
                ggml_graph_overhead_custom(nodes, true) +
                ggml_graph_overhead_custom(nodes, false));
  backend_ = Cpu().Start();
  MODICUM_CHECK(backend_ != nullptr);
  Cpu().set_threads(backend_, threads);
  Cpu().set_abort_callback(
      backend_,
      [](void* token) {
        return static_cast<std::stop_token*>(token)->stop_requested();
      },
      const_cast<std::stop_token*>(&stop_));
  allocator_ = ggml_gallocr_new(Cpu().memory());
}

EncoderGraph::~EncoderGraph() {
  ggml_gallocr_free(allocator_);
  ggml_backend_free(backend_);
}

Status EncoderGraph::Run(Build& build) {
  if (ggml_backend_graph_compute(backend_, build.graph) != GGML_STATUS_SUCCESS)
    return TrainingInterrupted();
  return {};
}

Result<std::vector<float>> EncoderGraph::Compute(Build& build,
                                                 ggml_tensor* output) {
  MODICUM_CHECK(ggml_gallocr_alloc_graph(allocator_, build.graph));
  build.FillInputs();
  MODICUM_RETURN_IF_ERROR(Run(build));
  const auto* values = static_cast<const float*>(output->data);
  return std::vector<float>(values, values + ggml_nelements(output));
}

Result<std::vector<float>> EncoderGraph::Logits(const EncoderBatch& batch) {
  Build build(weights_, batch, nullptr, arena_);
  build.MakeForward();
  return Compute(build, build.logits);
}

Result<std::vector<float>> EncoderGraph::Read(const EncoderBatch& batch) {
  Build build(weights_, batch, nullptr, arena_);
  ggml_tensor* output = build.Body();
  ggml_set_output(output);
  ggml_build_forward_expand(build.graph, output);
  return Compute(build, output);
}

Result<double> EncoderGraph::Gradients(const EncoderBatch& batch,
                                       const Dropout& dropout, float weight,
                                       Rng& rng) {
  MODICUM_CHECK(weights_.learns() == Learns::kAll || !batch.read.empty());
  Build build(weights_, batch, &dropout, arena_);
  build.MakeForward();
  build.MakeLoss();
  build.MakeBackward();
  MODICUM_CHECK(ggml_gallocr_alloc_graph(allocator_, build.graph));
  build.FillInputs();
  build.FillDropout(rng);
  Fill(build.loss_gradient, &weight);
  MODICUM_RETURN_IF_ERROR(Run(build));
  return *static_cast<const float*>(build.loss->data);
}

Bytes EncoderGraph::WorkingMemory(uint32_t texts, uint32_t length) {
  EncoderBatch batch;
  batch.length = length;
  batch.lengths.assign(texts, length);
  if (weights_.shape().head == HeadKind::kQuestionAnswering)
    batch.seconds.assign(texts, 1);
  const size_t seen = TokensSeen(weights_.shape(), texts, length);
  if (weights_.learns() == Learns::kHead)
    batch.read.resize(seen * weights_.shape().width);
  batch.asked.resize(seen);
  const Dropout dropout{0.1F, 0.1F, 0.1F};
  Build build(weights_, batch, &dropout, arena_);
  build.MakeForward();
  build.MakeLoss();
  build.MakeBackward();
  // Of its own: after measuring, an allocator cannot allocate.
  ggml_gallocr* measure = ggml_gallocr_new(Cpu().memory());
  size_t bytes = 0;
  ggml_gallocr_reserve_n_size(measure, build.graph, nullptr, nullptr, &bytes);
  ggml_gallocr_free(measure);
  return Bytes(static_cast<double>(bytes));
}

}  // namespace modicum
