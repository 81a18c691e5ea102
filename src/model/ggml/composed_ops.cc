// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/composed_ops.h"

namespace modicum {

ggml_tensor* MultiplyAdd(ggml_context* context, ggml_tensor* x,
                         ggml_tensor* matrix, ggml_tensor* bias) {
  x = ggml_mul_mat(context, matrix, x);
  return bias == nullptr ? x : ggml_add(context, x, bias);
}

ggml_tensor* LayerNorm(ggml_context* context, ggml_tensor* x, ggml_tensor* gain,
                       ggml_tensor* bias, float epsilon) {
  // The mean is added with a minus: only ggml_add sums the gradient of a
  // broadcast operand.
  ggml_tensor* minus_mean = ggml_scale(context, ggml_sum_rows(context, x),
                                       -1.0F / static_cast<float>(x->ne[0]));
  ggml_tensor* normed =
      ggml_rms_norm(context, ggml_add(context, x, minus_mean), epsilon);
  return ggml_add(context, ggml_mul(context, normed, gain), bias);
}

ggml_tensor* Gelu(ggml_context* context, ggml_tensor* x) {
  // x sigmoid(x p) = silu(x p) / p with p = 2u / x, which is never zero: SiLU
  // runs on all threads, sigmoid by its parts would not.
  constexpr float kTwiceRootTwoOverPi = 1.5957691216057308F;
  ggml_tensor* p =
      ggml_scale_bias(context, ggml_sqr(context, x),
                      kTwiceRootTwoOverPi * 0.044715F, kTwiceRootTwoOverPi);
  return ggml_div(context, ggml_silu(context, ggml_mul(context, x, p)), p);
}

ggml_tensor* Tanh(ggml_context* context, ggml_tensor* x) {
  // sigmoid(2x) = exp(-softplus(-2x)).
  ggml_tensor* softplus = ggml_softplus(context, ggml_scale(context, x, -2.0F));
  ggml_tensor* sigmoid =
      ggml_exp(context, ggml_scale(context, softplus, -1.0F));
  return ggml_scale_bias(context, sigmoid, 2.0F, -1.0F);
}

}  // namespace modicum
