// SPDX-License-Identifier: Apache-2.0
// What networks need and ggml has not in one piece, or cannot differentiate,
// composed of operations that it can. Each equals the operation that llama.cpp
// runs when the network is used, up to rounding.
#pragma once

#include <ggml.h>

namespace modicum {

// A linear layer; without `bias` where that is null.
ggml_tensor* MultiplyAdd(ggml_context* context, ggml_tensor* x,
                         ggml_tensor* matrix, ggml_tensor* bias);

// LayerNorm with gain and bias (vectors over the first dimension): RMSNorm of
// what is left when the mean is taken away. ggml: ggml_norm, ggml_mul,
// ggml_add.
ggml_tensor* LayerNorm(ggml_context* context, ggml_tensor* x, ggml_tensor* gain,
                       ggml_tensor* bias, float epsilon);

// GELU by its tanh form, 0.5 x (1 + tanh u) = x sigmoid(2u) with
// u = sqrt(2/pi) (x + 0.044715 x^3) (Hendrycks & Gimpel 2016).
ggml_tensor* Gelu(ggml_context* context, ggml_tensor* x);

// tanh x = 2 sigmoid(2x) - 1.
ggml_tensor* Tanh(ggml_context* context, ggml_tensor* x);

}  // namespace modicum
