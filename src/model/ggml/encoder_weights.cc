// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_weights.h"

#include <ggml-alloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>

#include "base/result.h"
#include "base/rng.h"
#include "model/ggml/backends.h"
#include "model/gguf/head_file.h"

namespace modicum {

namespace {

// A wish, that the kernel may ignore: memory that is all used is had faster in
// pages of megabytes.
void TakeLargePages(void* memory, size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* first = memory;
  size_t left = bytes;
  if (std::align(page, page, first, left) != nullptr)
    madvise(first, left / page * page, MADV_HUGEPAGE);
}

std::span<float> DataOf(const ggml_tensor* tensor) {
  return {static_cast<float*>(tensor->data),
          static_cast<size_t>(ggml_nelements(tensor))};
}

// Box and Muller's method, one of the pair.
float Normal(Rng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng.Unit()));
  return static_cast<float>(radius *
                            std::cos(2 * std::numbers::pi * rng.Unit()));
}

bool EndsWith(const ggml_tensor* tensor, std::string_view ending) {
  return std::string_view(tensor->name).ends_with(ending);
}

void DrawInto(std::span<const Parameter> parameters, uint64_t seed) {
  Rng rng(seed);
  for (const Parameter& parameter : parameters) {
    const std::span<float> values = parameter.values();
    if (parameter.decays) {
      // BERT draws all with 0.02 for a width of 768; matrices that see other
      // widths keep their outputs' size when drawn with 1/sqrt(inputs).
      float sd = 1 / std::sqrt(static_cast<float>(parameter.value->ne[0]));
      if (EndsWith(parameter.value, "embd.weight")) sd = 0.1F;
      // Attention starts out nearly even over the text: small data do not
      // suffice to unlearn a sharp one.
      if (EndsWith(parameter.value, "attn_q.weight") ||
          EndsWith(parameter.value, "attn_k.weight"))
        sd *= 0.1F;
      for (float& value : values) value = sd * Normal(rng);
    } else {
      const bool gain = EndsWith(parameter.value, "norm.weight");
      std::fill(values.begin(), values.end(), gain ? 1.0F : 0.0F);
    }
  }
}

// The list of a network's tensors while it is made.
struct TensorList {
  std::vector<EncoderTensor> all = {};

  void Matrix(const std::string& name, uint32_t columns, uint32_t rows,
              bool bias = true) {
    all.push_back({name + ".weight", columns, rows});
    if (bias) all.push_back({name + ".bias", rows, 0});
  }
  void Norm(const std::string& name, uint32_t width) {
    all.push_back({name + ".weight", width, 0});
    all.push_back({name + ".bias", width, 0});
  }
  void Layer(const std::string& prefix, const EncoderShape& shape) {
    const uint32_t d = shape.width;
    Matrix(prefix + "attn_q", d, d);
    Matrix(prefix + "attn_k", d, d, shape.key_bias);
    Matrix(prefix + "attn_v", d, d);
    Matrix(prefix + "attn_output", d, d);
    Norm(prefix + "attn_output_norm", d);
    Matrix(prefix + "ffn_up", d, shape.feed_forward);
    Matrix(prefix + "ffn_down", shape.feed_forward, d);
    Norm(prefix + "layer_output_norm", d);
  }
};

}  // namespace

std::vector<EncoderTensor> TensorsOf(const EncoderShape& shape) {
  TensorList list;
  list.Matrix("token_embd", shape.width, shape.vocabulary, false);
  if (shape.token_types > 0)
    list.Matrix("token_types", shape.width, shape.token_types, false);
  list.Matrix("position_embd", shape.width, shape.context, false);
  list.Norm("token_embd_norm", shape.width);
  for (uint32_t i = 0; i < shape.layers; ++i)
    list.Layer("blk." + std::to_string(i) + ".", shape);
  if (!shape.head && shape.labels == 0) return std::move(list.all);
  if (!shape.head) {
    list.Matrix("cls", shape.width, shape.width);
    list.Matrix("cls.output", shape.width, shape.labels);
    return std::move(list.all);
  }
  for (HeadTensor& tensor :
       HeadTensors({*shape.head, shape.width, shape.vocabulary, shape.labels,
                    shape.tied}))
    list.all.push_back({std::move(tensor.name),
                        static_cast<uint32_t>(tensor.columns),
                        static_cast<uint32_t>(tensor.rows)});
  return std::move(list.all);
}

uint64_t ParametersOf(const EncoderShape& shape, Learns learns) {
  uint64_t numbers = 0;
  if (learns == Learns::kNothing) return numbers;
  for (const EncoderTensor& tensor : TensorsOf(shape))
    if (learns == Learns::kAll || tensor.of_head()) numbers += tensor.numbers();
  return numbers;
}

std::span<float> Parameter::values() const { return DataOf(value); }
std::span<float> Parameter::gradients() const { return DataOf(gradient); }

EncoderWeights::EncoderWeights(const EncoderShape& shape, Learns learns,
                               const Place& place)
    : shape_(shape), learns_(learns) {
  const std::vector<EncoderTensor> tensors = TensorsOf(shape);
  context_.reset(
      ggml_init({.mem_size = 2 * tensors.size() * ggml_tensor_overhead(),
                 .mem_buffer = nullptr,
                 .no_alloc = true}));
  for (const EncoderTensor& tensor : tensors) {
    const int64_t columns = tensor.columns, rows = tensor.rows;
    ggml_tensor* value =
        rows == 0
            ? ggml_new_tensor_1d(context_.get(), GGML_TYPE_F32, columns)
            : ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, columns, rows);
    ggml_set_name(value, tensor.name.c_str());
    if (place) value->data = place(tensor);
    parameters_.push_back({.value = value, .decays = tensor.rows > 0});
  }
  const auto of_head = [](const EncoderTensor& tensor) {
    return tensor.of_head();
  };
  first_of_head_ = static_cast<size_t>(std::ranges::find_if(tensors, of_head) -
                                       tensors.begin());
  if (learns == Learns::kNothing) first_learnt_ = parameters_.size();
  if (learns == Learns::kHead) first_learnt_ = first_of_head_;
  for (size_t i = first_learnt_; i < parameters_.size(); ++i) {
    ggml_set_param(parameters_[i].value);
    parameters_[i].gradient =
        ggml_dup_tensor(context_.get(), parameters_[i].value);
  }
  buffer_.reset(
      ggml_backend_alloc_ctx_tensors_from_buft(context_.get(), Cpu().memory()));
  MODICUM_CHECK(buffer_ != nullptr || place);  // all may be placed
  if (buffer_ == nullptr) return;
  TakeLargePages(ggml_backend_buffer_get_base(buffer_.get()),
                 ggml_backend_buffer_get_size(buffer_.get()));
  if (!place) ggml_backend_buffer_clear(buffer_.get(), 0);
}

ggml_tensor* EncoderWeights::operator[](std::string_view name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [name](const Parameter& parameter) {
                                    return name == parameter.value->name;
                                  });
  MODICUM_CHECK(found != parameters_.end());
  return found->value;
}

void EncoderWeights::Draw(uint64_t seed) {
  DrawInto(parameters_, seed);
  // No place in a text means anything yet.
  const std::span<float> places = DataOf((*this)["position_embd.weight"]);
  std::fill(places.begin(), places.end(), 0.0F);
}

void EncoderWeights::DrawHead(uint64_t seed) { DrawInto(head(), seed); }

void EncoderWeights::ClearGradients() {
  for (const Parameter& parameter : learnt())
    std::fill(parameter.gradients().begin(), parameter.gradients().end(), 0.0F);
}

std::vector<float> EncoderWeights::Copy() const {
  std::vector<float> all;
  all.reserve(ParametersOf(shape_, learns_));
  for (const Parameter& parameter : learnt())
    all.insert(all.end(), parameter.values().begin(), parameter.values().end());
  return all;
}

void EncoderWeights::Set(std::span<const float> values) {
  for (const Parameter& parameter : learnt()) {
    const std::span<float> to = parameter.values();
    MODICUM_CHECK(values.size() >= to.size());
    std::copy_n(values.begin(), to.size(), to.begin());
    values = values.subspan(to.size());
  }
  MODICUM_CHECK(values.empty());
}

}  // namespace modicum
