// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/inference_graph.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "model/ggml/backends.h"
#include "model/ggml/composed_ops.h"
#include "model/ggml/compute.h"
#include "model/ggml/matrix_products.h"

namespace modicum {

namespace {

// Nodes of a layer, of the attention within one length of text, of the rest.
constexpr size_t kLayerNodes = 40;
constexpr size_t kAttentionNodes = 24;
constexpr size_t kRestNodes = 64;

// Texts of one length that follow each other.
struct EqualTexts {
  int64_t at = 0;  // the first's first token
  int64_t length = 0;
  int64_t count = 0;
};

// The longest first, so that equal lengths stand together.
std::vector<const AskedText*> LongestFirst(std::span<const AskedText> texts) {
  std::vector<const AskedText*> order;
  for (const AskedText& text : texts) order.push_back(&text);
  std::stable_sort(order.begin(), order.end(),
                   [](const AskedText* a, const AskedText* b) {
                     return a->tokens.size() > b->tokens.size();
                   });
  return order;
}

// The first of them that go together: one at least.
std::span<const AskedText* const> Fitting(
    std::span<const AskedText* const> order, size_t together) {
  size_t count = 1;
  size_t tokens = order[0]->tokens.size();
  while (count < order.size() &&
         tokens + order[count]->tokens.size() <= together)
    tokens += order[count++]->tokens.size();
  return order.first(count);
}

std::vector<EqualTexts> GroupByLength(std::span<const AskedText* const> texts) {
  std::vector<EqualTexts> groups;
  int64_t at = 0;
  for (const AskedText* text : texts) {
    const auto length = static_cast<int64_t>(text->tokens.size());
    if (groups.empty() || groups.back().length != length)
      groups.push_back({at, length, 0});
    ++groups.back().count;
    at += length;
  }
  return groups;
}

}  // namespace

struct InferenceGraph::Job {
  std::span<const AskedText> texts;
  size_t together;
  bool head;
  const CallOptions& call;
};

// One graph while it is made, filled and run.
struct InferenceGraph::Build {
  const EncoderWeights& weights;
  const GeluKind gelu;
  const std::span<const AskedText* const> texts;
  const std::vector<EqualTexts> groups;
  GgmlContext context = nullptr;
  ggml_cgraph* graph = nullptr;
  ggml_tensor* tokens = nullptr;
  ggml_tensor* positions = nullptr;
  ggml_tensor* kinds = nullptr;   // null: the network has none
  ggml_tensor* places = nullptr;  // null: every token is asked about
  ggml_tensor* output = nullptr;

  Build(const EncoderWeights& w, GeluKind g,
        std::span<const AskedText* const> t, std::vector<uint8_t>& arena)
      : weights(w), gelu(g), texts(t), groups(GroupByLength(t)) {
    const size_t nodes =
        w.shape().layers * (kLayerNodes + kAttentionNodes * groups.size()) +
        kRestNodes;
    arena.resize(std::max(arena.size(),
                          3 * nodes * ggml_tensor_overhead() +
                              2 * ggml_graph_overhead_custom(nodes, false)));
    context.reset(ggml_init({.mem_size = arena.size(),
                             .mem_buffer = arena.data(),
                             .no_alloc = true}));
    graph = ggml_new_graph_custom(context.get(), nodes, false);
  }

  int64_t width() const { return weights.shape().width; }
  int64_t TokenCount() const {
    return groups.back().at + groups.back().length * groups.back().count;
  }
  ggml_tensor* Numbers(int64_t count) {
    ggml_tensor* tensor =
        ggml_new_tensor_1d(context.get(), GGML_TYPE_I32, count);
    ggml_set_input(tensor);
    return tensor;
  }
  ggml_tensor* Linear(const std::string& name, ggml_tensor* x,
                      bool bias = true) {
    return MultiplyAdd(context.get(), x, weights[name + ".weight"],
                       bias ? weights[name + ".bias"] : nullptr);
  }
  ggml_tensor* Activate(ggml_tensor* x) {
    return gelu == GeluKind::kErf ? ggml_gelu_erf(context.get(), x)
                                  : ggml_gelu(context.get(), x);
  }
  ggml_tensor* Norm(const std::string& name, ggml_tensor* x) {
    ggml_context* c = context.get();
    x = ggml_norm(c, x, weights.shape().epsilon);
    x = ggml_mul(c, x, weights[name + ".weight"]);
    return ggml_add(c, x, weights[name + ".bias"]);
  }

  ggml_tensor* Embed();
  ggml_tensor* Part(ggml_tensor* x, const EqualTexts& group, bool flipped);
  ggml_tensor* AttendWithin(const EqualTexts& group, ggml_tensor* q,
                            ggml_tensor* k, ggml_tensor* v);
  ggml_tensor* Attend(const std::string& prefix, ggml_tensor* x);
  ggml_tensor* Layer(uint32_t index, ggml_tensor* x);
  ggml_tensor* Asked(ggml_tensor* x);
  ggml_tensor* Head(ggml_tensor* x);
  void Make(bool head);
  void Fill() const;
};

// [width, tokens]
ggml_tensor* InferenceGraph::Build::Embed() {
  ggml_context* c = context.get();
  tokens = Numbers(TokenCount());
  positions = Numbers(TokenCount());
  ggml_tensor* x = ggml_get_rows(c, weights["token_embd.weight"], tokens);
  x = ggml_add(c, x,
               ggml_get_rows(c, weights["position_embd.weight"], positions));
  if (weights.shape().token_types > 0) {
    kinds = Numbers(TokenCount());
    x = ggml_add(c, x, ggml_get_rows(c, weights["token_types.weight"], kinds));
  }
  return Norm("token_embd_norm", x);
}

// A group's columns of `x` as [size, length, heads, texts]; flipped,
// [length, size, heads, texts].
ggml_tensor* InferenceGraph::Build::Part(ggml_tensor* x,
                                         const EqualTexts& group,
                                         bool flipped) {
  ggml_context* c = context.get();
  const int64_t heads = weights.shape().heads;
  const int64_t size = width() / heads;
  x = ggml_view_4d(c, x, size, heads, group.length, group.count,
                   static_cast<size_t>(size) * sizeof(float), x->nb[1],
                   x->nb[1] * static_cast<size_t>(group.length),
                   x->nb[1] * static_cast<size_t>(group.at));
  x = flipped ? ggml_permute(c, x, 1, 2, 0, 3) : ggml_permute(c, x, 0, 2, 1, 3);
  return ggml_cont(c, x);
}

// [width, length * texts]
ggml_tensor* InferenceGraph::Build::AttendWithin(const EqualTexts& group,
                                                 ggml_tensor* q, ggml_tensor* k,
                                                 ggml_tensor* v) {
  ggml_context* c = context.get();
  const auto head = width() / weights.shape().heads;
  const auto size = static_cast<float>(head);
  ggml_tensor* weight =
      ggml_mul_mat(c, Part(k, group, false), Part(q, group, false));
  weight = ggml_soft_max_ext(c, weight, nullptr, 1 / std::sqrt(size), 0);
  ggml_tensor* gathered = ggml_mul_mat(c, Part(v, group, true), weight);
  gathered = ggml_cont(c, ggml_permute(c, gathered, 0, 2, 1, 3));
  return ggml_reshape_2d(c, gathered, width(), group.length * group.count);
}

// What each token attends to, which is of its own text alone.
ggml_tensor* InferenceGraph::Build::Attend(const std::string& prefix,
                                           ggml_tensor* x) {
  ggml_context* c = context.get();
  ggml_tensor* q = Linear(prefix + "attn_q", x);
  ggml_tensor* k = Linear(prefix + "attn_k", x, weights.shape().key_bias);
  ggml_tensor* v = Linear(prefix + "attn_v", x);
  ggml_tensor* gathered = AttendWithin(groups[0], q, k, v);
  if (groups.size() > 1) {
    ggml_tensor* all = ggml_dup(c, q);  // written over, group by group
    for (const EqualTexts& group : groups) {
      if (group.at > 0) gathered = AttendWithin(group, q, k, v);
      all = ggml_set_2d_inplace(c, all, gathered, all->nb[1],
                                all->nb[1] * static_cast<size_t>(group.at));
    }
    gathered = all;
  }
  return gathered;
}

ggml_tensor* InferenceGraph::Build::Layer(uint32_t index, ggml_tensor* x) {
  ggml_context* c = context.get();
  const std::string prefix = "blk." + std::to_string(index) + ".";
  ggml_tensor* gathered = Attend(prefix, x);
  if (index + 1 == weights.shape().layers) {
    gathered = Asked(gathered);
    x = Asked(x);
  }
  gathered = Linear(prefix + "attn_output", gathered);
  x = Norm(prefix + "attn_output_norm", ggml_add(c, gathered, x));
  ggml_tensor* fed = Activate(Linear(prefix + "ffn_up", x));
  fed = Linear(prefix + "ffn_down", fed);
  return Norm(prefix + "layer_output_norm", ggml_add(c, fed, x));
}

// The columns that are asked about: more is not made of the others once every
// token has read them.
ggml_tensor* InferenceGraph::Build::Asked(ggml_tensor* x) {
  if (places != nullptr) return ggml_get_rows(context.get(), x, places);
  int64_t count = 0;
  bool all = true;
  for (const AskedText* text : texts) {
    all = all && text->places.empty();
    count += static_cast<int64_t>(text->rows());
  }
  if (all) return x;
  places = Numbers(count);
  return ggml_get_rows(context.get(), x, places);
}

ggml_tensor* InferenceGraph::Build::Head(ggml_tensor* x) {
  ggml_context* c = context.get();
  if (!weights.shape().head)
    return Linear("cls.output", ggml_tanh(c, Linear("cls", x)));
  if (weights.shape().head != HeadKind::kFillMask)
    return Linear("head.output", x);
  x = Activate(Linear("head.transform", x));
  x = Norm("head.transform_norm", x);
  if (!weights.shape().tied) return Linear("head.decoder", x);
  x = ggml_mul_mat(c, weights["token_embd.weight"], x);
  return ggml_add(c, x, weights["head.decoder.bias"]);
}

void InferenceGraph::Build::Make(bool head) {
  ggml_tensor* x = Embed();
  for (uint32_t i = 0; i < weights.shape().layers; ++i) x = Layer(i, x);
  output = head ? Head(x) : x;
  ggml_set_output(output);
  ggml_build_forward_expand(graph, output);
  graph = WithFastProducts(context.get(), graph, FindBlas());
}

void InferenceGraph::Build::Fill() const {
  const auto data = [](ggml_tensor* tensor) {
    return tensor == nullptr ? nullptr : static_cast<int32_t*>(tensor->data);
  };
  int32_t* token = data(tokens);
  int32_t* position = data(positions);
  int32_t* kind = data(kinds);
  int32_t* place = data(places);
  int32_t at = 0;
  for (const AskedText* text : texts) {
    const auto length = static_cast<uint32_t>(text->tokens.size());
    for (uint32_t i = 0; i < length; ++i) {
      *token++ = text->tokens[i];
      *position++ = static_cast<int32_t>(i);
      const bool second = text->second > 0 && i >= text->second;
      if (kind != nullptr)
        *kind++ = second && weights.shape().token_types > 1 ? 1 : 0;
      if (place != nullptr && text->places.empty())
        *place++ = at + static_cast<int32_t>(i);
    }
    if (place != nullptr)
      for (const uint32_t i : text->places)
        *place++ = at + static_cast<int32_t>(i);
    at += static_cast<int32_t>(length);
  }
}

InferenceGraph::InferenceGraph(const EncoderWeights& weights,
                               const ThreadPools& pools, GeluKind gelu)
    : weights_(weights), gelu_(gelu) {
  backend_ = Cpu().Start();
  MODICUM_CHECK(backend_ != nullptr);
  pools.Attach(*backend_);
  Cpu().set_abort_callback(backend_, EndsNow, this);
  allocator_ = ggml_gallocr_new(Cpu().memory());
}

InferenceGraph::~InferenceGraph() {
  ggml_gallocr_free(allocator_);
  ggml_backend_free(backend_);
}

bool InferenceGraph::EndsNow(void* self) {
  return !CheckCall(*static_cast<InferenceGraph*>(self)->call_);
}

Status InferenceGraph::Logits(std::span<const AskedText> texts, size_t together,
                              const CallOptions& call, PhaseSink& sink,
                              const Take& take) {
  return Run({texts, together, /*head=*/true, call}, sink, take);
}

Status InferenceGraph::Read(std::span<const AskedText> texts, size_t together,
                            const CallOptions& call, PhaseSink& sink,
                            const Take& take) {
  return Run({texts, together, /*head=*/false, call}, sink, take);
}

Status InferenceGraph::Run(const Job& job, PhaseSink& sink, const Take& take) {
  const std::vector<const AskedText*> order = LongestFirst(job.texts);
  sink.Begin(Phase::kPrefill);
  for (size_t at = 0; at < order.size();) {
    const auto part = Fitting(std::span(order).subspan(at), job.together);
    MODICUM_TRY(const auto numbers, Compute(part, job.head, job.call));
    size_t rows = 0;
    for (const AskedText* text : part) rows += text->rows();
    std::span<const float> left = numbers;
    std::vector<SeqWork> work;
    for (const AskedText* text : part) {
      const auto index = static_cast<size_t>(text - job.texts.data());
      const size_t own = text->rows() * (numbers.size() / rows);
      take(index, left.first(own));
      left = left.subspan(own);
      work.push_back(
          {RequestId{index}, static_cast<uint32_t>(text->tokens.size()), 0, 0});
    }
    sink.Step(Phase::kPrefill, work);
    at += part.size();
  }
  return {};
}

Result<std::vector<float>> InferenceGraph::Compute(
    std::span<const AskedText* const> texts, bool head,
    const CallOptions& call) {
  MODICUM_CHECK(!texts.empty());
  MODICUM_RETURN_IF_ERROR(CheckCall(call));
  Build build(weights_, gelu_, texts, arena_);
  build.Make(head);
  if (!ggml_gallocr_alloc_graph(allocator_, build.graph))
    return Fail(ErrorCode::kUnavailable,
                "no memory for what the network computes",
                "smaller batches need less: --micro-batch");
  build.Fill();
  call_ = &call;
  const auto status = ggml_backend_graph_compute(backend_, build.graph);
  call_ = nullptr;
  if (status != GGML_STATUS_SUCCESS) {
    MODICUM_RETURN_IF_ERROR(CheckCall(call));
    return Fail(ErrorCode::kInternal, "ggml cannot compute the network");
  }
  const auto* values = static_cast<const float*>(build.output->data);
  return std::vector<float>(values, values + ggml_nelements(build.output));
}

}  // namespace modicum
