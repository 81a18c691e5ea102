// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_weights.h"

#include <ggml-alloc.h>
#include <ggml-cpu.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/result.h"
#include "base/rng.h"

namespace modicum {

namespace {

constexpr size_t kOutside = 8;  // parameters that belong to no layer
constexpr size_t kPerLayer = 15;

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

}  // namespace

uint64_t ParametersOf(const EncoderShape& shape) {
  const uint64_t d = shape.width;
  const uint64_t layer = 4 * d * d + 3 * d + 4 * d +
                         2 * d * shape.feed_forward + shape.feed_forward + d;
  return (shape.vocabulary + shape.context) * d + 2 * d + shape.layers * layer +
         d * d + d + shape.labels * (d + 1);
}

std::span<float> Parameter::values() const { return DataOf(value); }
std::span<float> Parameter::gradients() const { return DataOf(gradient); }

EncoderWeights::EncoderWeights(const EncoderShape& shape, bool gradients)
    : shape_(shape) {
  const size_t most = kOutside + kPerLayer * shape.layers;
  context_.reset(ggml_init({.mem_size = 2 * most * ggml_tensor_overhead(),
                            .mem_buffer = nullptr,
                            .no_alloc = true}));
  Add("token_embd.weight", shape.width, shape.vocabulary);
  Add("position_embd.weight", shape.width, shape.context);
  AddNorm("token_embd_norm");
  for (uint32_t i = 0; i < shape.layers; ++i)
    AddLayer("blk." + std::to_string(i) + ".");
  Add("cls.weight", shape.width, shape.width);
  AddVector("cls.bias", shape.width);
  Add("cls.output.weight", shape.width, shape.labels);
  AddVector("cls.output.bias", shape.labels);
  for (Parameter& parameter : parameters_) {
    ggml_set_param(parameter.value);
    if (gradients)
      parameter.gradient = ggml_dup_tensor(context_.get(), parameter.value);
  }
  buffer_.reset(ggml_backend_alloc_ctx_tensors_from_buft(
      context_.get(), ggml_backend_cpu_buffer_type()));
  MODICUM_CHECK(buffer_ != nullptr);
  ggml_backend_buffer_clear(buffer_.get(), 0);
}

void EncoderWeights::Add(const std::string& name, int64_t inputs,
                         int64_t outputs) {
  ggml_tensor* value =
      ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, inputs, outputs);
  ggml_set_name(value, name.c_str());
  parameters_.push_back({.value = value, .decays = true});
}

void EncoderWeights::AddVector(const std::string& name, int64_t size) {
  ggml_tensor* value = ggml_new_tensor_1d(context_.get(), GGML_TYPE_F32, size);
  ggml_set_name(value, name.c_str());
  parameters_.push_back({.value = value});
}

void EncoderWeights::AddNorm(const std::string& name) {
  AddVector(name + ".weight", shape_.width);
  AddVector(name + ".bias", shape_.width);
}

void EncoderWeights::AddLayer(const std::string& prefix) {
  const uint32_t d = shape_.width;
  Add(prefix + "attn_q.weight", d, d);
  AddVector(prefix + "attn_q.bias", d);
  // A bias of the keys would cancel in the softmax.
  Add(prefix + "attn_k.weight", d, d);
  Add(prefix + "attn_v.weight", d, d);
  AddVector(prefix + "attn_v.bias", d);
  Add(prefix + "attn_output.weight", d, d);
  AddVector(prefix + "attn_output.bias", d);
  AddNorm(prefix + "attn_output_norm");
  Add(prefix + "ffn_up.weight", d, shape_.feed_forward);
  AddVector(prefix + "ffn_up.bias", shape_.feed_forward);
  Add(prefix + "ffn_down.weight", shape_.feed_forward, d);
  AddVector(prefix + "ffn_down.bias", d);
  AddNorm(prefix + "layer_output_norm");
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
  Rng rng(seed);
  for (const Parameter& parameter : parameters_) {
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
  // No place in a text means anything yet.
  const std::span<float> places = DataOf((*this)["position_embd.weight"]);
  std::fill(places.begin(), places.end(), 0.0F);
}

void EncoderWeights::ClearGradients() {
  for (const Parameter& parameter : parameters_)
    std::fill(parameter.gradients().begin(), parameter.gradients().end(), 0.0F);
}

std::vector<float> EncoderWeights::Copy() const {
  std::vector<float> all;
  all.reserve(ParametersOf(shape_));
  for (const Parameter& parameter : parameters_)
    all.insert(all.end(), parameter.values().begin(), parameter.values().end());
  return all;
}

void EncoderWeights::Set(std::span<const float> values) {
  for (const Parameter& parameter : parameters_) {
    const std::span<float> to = parameter.values();
    MODICUM_CHECK(values.size() >= to.size());
    std::copy_n(values.begin(), to.size(), to.begin());
    values = values.subspan(to.size());
  }
  MODICUM_CHECK(values.empty());
}

}  // namespace modicum
