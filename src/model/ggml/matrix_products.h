// SPDX-License-Identifier: Apache-2.0
// The products of a training's graph in the form that is fastest here.
#pragma once

#include <ggml.h>

#include "model/ggml/blas.h"

namespace modicum {

// The same graph, what computes it changed in place: with `multiply` every
// product of single precision is made by that; without, each outer product
// (GGML_OP_OUT_PROD, which backward passes are made of and ggml adds up one by
// one) becomes the matrix product of its transposed operands, for which ggml
// has kernels: out_prod(a, b) = mul_mat(a^T, b^T). New nodes are of `context`.
ggml_cgraph* WithFastProducts(ggml_context* context, ggml_cgraph* graph,
                              MultiplyFunction multiply);

}  // namespace modicum
