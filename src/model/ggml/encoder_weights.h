// SPDX-License-Identifier: Apache-2.0
// The numbers of a BERT-style text classifier and their gradients, named as
// GGUF names them.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace modicum {

struct EncoderShape {
  uint32_t vocabulary = 0;
  uint32_t labels = 0;
  uint32_t width = 64;
  uint32_t layers = 1;
  uint32_t heads = 2;
  uint32_t feed_forward = 128;
  uint32_t context = 256;  // tokens a text
  float epsilon = 1e-6F;   // of the norms

  friend bool operator==(const EncoderShape&, const EncoderShape&) = default;
};
// How many numbers a network of this shape has.
uint64_t ParametersOf(const EncoderShape& shape);

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
  // All zero. `gradients` false: for use, not for training.
  explicit EncoderWeights(const EncoderShape& shape, bool gradients = true);

  const EncoderShape& shape() const { return shape_; }
  std::span<const Parameter> parameters() const { return parameters_; }
  // By its GGUF name, which must be one: "blk.0.attn_q.weight".
  ggml_tensor* operator[](std::string_view name) const;
  // Fresh random numbers, the same for the same seed.
  void Draw(uint64_t seed);
  void ClearGradients();

  // All values in the order of parameters().
  std::vector<float> Copy() const;
  void Set(std::span<const float> values);

 private:
  void Add(const std::string& name, int64_t inputs, int64_t outputs);
  void AddVector(const std::string& name, int64_t size);
  void AddNorm(const std::string& name);
  void AddLayer(const std::string& prefix);

  const EncoderShape shape_;
  GgmlContext context_;
  GgmlBuffer buffer_;
  std::vector<Parameter> parameters_;
};

}  // namespace modicum
