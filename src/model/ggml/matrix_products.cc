// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/matrix_products.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace modicum {
namespace {

constexpr int64_t kBlock = 16;  // a cache line of floats

// Thread `ith` of `nth`: which of `count` it takes.
struct Part {
  int64_t begin, end;
  Part(int64_t count, int ith, int nth)
      : begin(count * ith / nth), end(count * (ith + 1) / nth) {}
};

// ggml's strides are in bytes.
int64_t Stride(const ggml_tensor* x, int dimension) {
  return static_cast<int64_t>(x->nb[dimension]);
}

// `count` floats that lie `apart` bytes from each other.
void Gather(float* to, const char* from, int64_t apart, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = *reinterpret_cast<const float*>(from + i * apart);
}

// In blocks whose lines stay in the cache. (ggml_cont calls memcpy for each
// number.)
void Transpose(ggml_tensor* to, int ith, int nth, void*) {
  const ggml_tensor* from = to->src[0];
  auto* written = static_cast<float*>(to->data);
  const int64_t columns = to->ne[0], rows = to->ne[1];
  const Part part(columns, ith, nth);
  for (int64_t matrix = 0; matrix < to->ne[2] * to->ne[3]; ++matrix) {
    const char* read = static_cast<const char*>(from->data) +
                       matrix % to->ne[2] * Stride(from, 2) +
                       matrix / to->ne[2] * Stride(from, 3);
    for (int64_t column = part.begin; column < part.end; column += kBlock)
      for (int64_t row = 0; row < rows; ++row)
        Gather(written + row * columns + column,
               read + row * Stride(from, 0) + column * Stride(from, 1),
               Stride(from, 1), std::min(kBlock, part.end - column));
    written += rows * columns;
  }
}

ggml_tensor* Transposed(ggml_context* context, ggml_tensor* x) {
  ggml_tensor* view = ggml_transpose(context, x);
  // (ggml calls a row of one number contiguous whatever its stride.)
  if (ggml_is_contiguous(view) && view->nb[0] == sizeof(float)) return view;
  return ggml_custom_4d(context, GGML_TYPE_F32, x->ne[1], x->ne[0], x->ne[2],
                        x->ne[3], &x, 1, Transpose, GGML_N_TASKS_MAX, nullptr);
}

// A matrix as BLAS has it: which of its two dimensions is dense.
struct Stored {
  bool transposed;  // the second is
  int leading;
  explicit Stored(const ggml_tensor* x)
      : transposed(x->nb[0] != sizeof(float)),
        leading(static_cast<int>(x->nb[transposed ? 0 : 1] / sizeof(float))) {}
};

bool CanBeMultiplied(const ggml_tensor* x) {
  if (x->type != GGML_TYPE_F32) return false;
  if (x->nb[0] != sizeof(float) && x->nb[1] != sizeof(float)) return false;
  const Stored stored(x);
  return stored.leading >= x->ne[stored.transposed ? 1 : 0];
}

// Of many matrices each thread takes some; of one some rows or columns of the
// product, of which it has more: BLAS rearranges what all threads read anew in
// each. `inner` is the dimension of both operands that is summed over.
void MultiplyAll(ggml_tensor* to, int ith, int nth, MultiplyFunction multiply,
                 int inner) {
  const ggml_tensor* a = to->src[0];
  const ggml_tensor* b = to->src[1];
  const Stored a_stored(a), b_stored(b);
  const int64_t matrices = to->ne[2] * to->ne[3];
  const bool whole = matrices >= nth;
  const bool by_rows = !whole && to->ne[0] > to->ne[1];
  const Part own(matrices, whole ? ith : 0, whole ? nth : 1);
  const Part rows(to->ne[0], by_rows ? ith : 0, by_rows ? nth : 1);
  const bool by_columns = !whole && !by_rows;
  const Part columns(to->ne[1], by_columns ? ith : 0, by_columns ? nth : 1);
  if (rows.begin == rows.end || columns.begin == columns.end) return;
  for (int64_t matrix = own.begin; matrix < own.end; ++matrix) {
    const int64_t i2 = matrix % to->ne[2], i3 = matrix / to->ne[2];
    // a may be one for several of b.
    const char* a_data = static_cast<const char*>(a->data) +
                         i2 / (to->ne[2] / a->ne[2]) * Stride(a, 2) +
                         i3 / (to->ne[3] / a->ne[3]) * Stride(a, 3) +
                         rows.begin * Stride(a, 1 - inner);
    const char* b_data = static_cast<const char*>(b->data) + i2 * Stride(b, 2) +
                         i3 * Stride(b, 3) +
                         columns.begin * Stride(b, 1 - inner);
    char* c_data = static_cast<char*>(to->data) + i2 * Stride(to, 2) +
                   i3 * Stride(to, 3) + columns.begin * Stride(to, 1) +
                   rows.begin * Stride(to, 0);
    multiply(
        {static_cast<int>(rows.end - rows.begin),
         static_cast<int>(columns.end - columns.begin),
         static_cast<int>(a->ne[inner]), reinterpret_cast<const float*>(a_data),
         a_stored.leading, a_stored.transposed != (inner == 0),
         reinterpret_cast<const float*>(b_data), b_stored.leading,
         b_stored.transposed != (inner == 1), reinterpret_cast<float*>(c_data),
         static_cast<int>(Stride(to, 1) / Stride(to, 0))});
  }
}

// mul_mat sums over the first dimension of both, out_prod over the second.
void MultiplyRows(ggml_tensor* to, int ith, int nth, void* multiply) {
  MultiplyAll(to, ith, nth, reinterpret_cast<MultiplyFunction>(multiply), 0);
}
void MultiplyColumns(ggml_tensor* to, int ith, int nth, void* multiply) {
  MultiplyAll(to, ith, nth, reinterpret_cast<MultiplyFunction>(multiply), 1);
}

// `node` computes its own operands in another way.
void ComputeBy(ggml_context* context, ggml_custom_op_t function, void* data,
               ggml_tensor* node) {
  const ggml_tensor* model = ggml_custom_4d(
      context, node->type, node->ne[0], node->ne[1], node->ne[2], node->ne[3],
      node->src, 2, function, GGML_N_TASKS_MAX, data);
  node->op = model->op;
  std::memcpy(node->op_params, model->op_params, sizeof node->op_params);
}

void MakeFast(ggml_context* context, MultiplyFunction multiply,
              ggml_tensor* node) {
  const bool outer = node->op == GGML_OP_OUT_PROD;
  if (!outer && node->op != GGML_OP_MUL_MAT) return;
  if (multiply != nullptr && CanBeMultiplied(node->src[0]) &&
      CanBeMultiplied(node->src[1])) {
    ComputeBy(context, outer ? MultiplyColumns : MultiplyRows,
              reinterpret_cast<void*>(multiply), node);
  } else if (outer) {
    node->op = GGML_OP_MUL_MAT;
    for (int operand = 0; operand < 2; ++operand)
      node->src[operand] = Transposed(context, node->src[operand]);
  }
}

}  // namespace

ggml_cgraph* WithFastProducts(ggml_context* context, ggml_cgraph* graph,
                              MultiplyFunction multiply) {
  ggml_cgraph* result = ggml_new_graph_custom(
      context, static_cast<size_t>(ggml_graph_size(graph)), false);
  for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
    ggml_tensor* node = ggml_graph_node(graph, i);
    MakeFast(context, multiply, node);
    ggml_build_forward_expand(result, node);
  }
  return result;
}

}  // namespace modicum
