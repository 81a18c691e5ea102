// SPDX-License-Identifier: Apache-2.0
// The numbers of a BERT-style text classifier and their gradients, named as
// GGUF names them.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/head_kind.h"

namespace modicum {

struct EncoderShape {
  uint32_t vocabulary = 0;
  // Of a classifier of texts or of tokens; 0 without `head`: the body alone.
  uint32_t labels = 0;
  uint32_t width = 64;
  uint32_t layers = 1;
  uint32_t heads = 2;
  uint32_t feed_forward = 128;
  uint32_t context = 256;  // tokens a text
  float epsilon = 1e-6F;   // of the norms
  // What networks from elsewhere may have: kinds of tokens, the first of which
  // all are; and a bias of the keys, which cancels in the softmax.
  uint32_t token_types = 0;
  bool key_bias = false;
  // What is said of each token; none: texts are classified.
  std::optional<HeadKind> head = {};
  bool tied = true;  // fill-mask: the embedding is the last matrix too

  friend bool operator==(const EncoderShape&, const EncoderShape&) = default;
};

// Its tensors by GGUF's names, those of the head (`cls` or `head`) last.
struct EncoderTensor {
  std::string name;
  uint32_t columns = 0;
  uint32_t rows = 0;  // 0: a vector

  bool of_head() const {
    return name.starts_with("cls.") || name.starts_with("head.");
  }
  uint64_t numbers() const {
    return uint64_t{columns} * (rows == 0 ? 1 : rows);
  }
};
std::vector<EncoderTensor> TensorsOf(const EncoderShape& shape);

// What a training changes.
enum class Learns { kNothing, kHead, kAll };
// How many numbers that is in a network of this shape.
uint64_t ParametersOf(const EncoderShape& shape, Learns learns = Learns::kAll);

struct GgmlContextFree {
  void operator()(ggml_context* context) const { ggml_free(context); }
};
using GgmlContext = std::unique_ptr<ggml_context, GgmlContextFree>;
struct GgmlBufferFree {
  void operator()(ggml_backend_buffer* buffer) const {
    ggml_backend_buffer_free(buffer);
  }
};
using GgmlBuffer = std::unique_ptr<ggml_backend_buffer, GgmlBufferFree>;

struct Parameter {
  ggml_tensor* value = nullptr;
  ggml_tensor* gradient = nullptr;  // of the same shape
  bool decays = false;              // a matrix: weight decay applies to it

  std::span<float> values() const;
  std::span<float> gradients() const;
};

class EncoderWeights {
 public:
  // Where a tensor's numbers lie already, and outlive this; null: nowhere.
  using Place = std::function<float*(const EncoderTensor&)>;
  // All zero; where any is placed, the rest is the caller's to fill. Only what
  // learns has gradients.
  explicit EncoderWeights(const EncoderShape& shape,
                          Learns learns = Learns::kAll,
                          const Place& place = nullptr);

  const EncoderShape& shape() const { return shape_; }
  Learns learns() const { return learns_; }
  std::span<const Parameter> parameters() const { return parameters_; }
  std::span<const Parameter> body() const {
    return std::span(parameters_).first(first_of_head_);
  }
  std::span<const Parameter> head() const {
    return std::span(parameters_).subspan(first_of_head_);
  }
  // Those that a training changes.
  std::span<const Parameter> learnt() const {
    return std::span(parameters_).subspan(first_learnt_);
  }
  // By its GGUF name, which must be one: "blk.0.attn_q.weight".
  ggml_tensor* operator[](std::string_view name) const;
  // Fresh random numbers, the same for the same seed.
  void Draw(uint64_t seed);
  void DrawHead(uint64_t seed);
  void ClearGradients();

  // The values in the order of learnt().
  std::vector<float> Copy() const;
  void Set(std::span<const float> values);

 private:
  const EncoderShape shape_;
  const Learns learns_;
  GgmlContext context_;
  GgmlBuffer buffer_;
  std::vector<Parameter> parameters_;
  size_t first_of_head_ = 0, first_learnt_ = 0;
};

}  // namespace modicum
