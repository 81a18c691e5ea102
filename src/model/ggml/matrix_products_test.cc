// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/matrix_products.h"

#include <ggml-alloc.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "base/rng.h"
#include "model/ggml/backends.h"
#include "model/ggml/encoder_weights.h"

namespace modicum {
namespace {

// As BLAS does it, by the definition.
void MultiplyPlainly(const Product& p) {
  const auto at = [](const float* from, int leading, bool transposed, int row,
                     int column) {
    return double{transposed ? from[row * leading + column]
                             : from[column * leading + row]};
  };
  for (int column = 0; column < p.columns; ++column)
    for (int row = 0; row < p.rows; ++row) {
      double sum = 0;
      for (int i = 0; i < p.inner; ++i)
        sum += at(p.a, p.a_leading, p.a_transposed, row, i) *
               at(p.b, p.b_leading, p.b_transposed, i, column);
      p.c[column * p.c_leading + row] = static_cast<float>(sum);
    }
}

using Make =
    std::function<ggml_tensor*(ggml_context*, ggml_tensor* a, ggml_tensor* b)>;
struct Case {
  const char* name;
  std::array<int64_t, 4> a, b;
  Make make;
};

std::vector<Case> Cases() {
  const Make rows = ggml_mul_mat, columns = ggml_out_prod;
  const Make of_view = [](ggml_context* c, ggml_tensor* a, ggml_tensor* b) {
    return ggml_out_prod(c, a, ggml_transpose(c, b));
  };
  // Heads side by side, as attention has them.
  const Make of_heads = [](ggml_context* c, ggml_tensor* a, ggml_tensor* b) {
    return ggml_mul_mat(c, ggml_permute(c, a, 0, 2, 1, 3),
                        ggml_permute(c, b, 0, 2, 1, 3));
  };
  return {
      {"matrices", {16, 5, 1, 1}, {16, 7, 1, 1}, rows},
      {"many matrices", {16, 5, 3, 2}, {16, 7, 3, 2}, rows},
      {"one for several", {16, 5, 1, 2}, {16, 7, 4, 2}, rows},
      {"heads", {8, 3, 5, 2}, {8, 3, 6, 2}, of_heads},
      {"outer products", {5, 16, 1, 1}, {7, 16, 1, 1}, columns},
      {"outer products of a view", {5, 16, 1, 1}, {16, 7, 1, 1}, of_view},
      {"many outer products of a view", {5, 6, 3, 2}, {6, 7, 3, 2}, of_view},
      {"outer products of vectors", {5, 1, 1, 1}, {7, 1, 1, 1}, columns},
      {"an outer product with one row", {1, 16, 1, 1}, {16, 1, 1, 1}, of_view},
  };
}

// What the graph computes; `change` may make another of it.
std::vector<float> Compute(
    const Case& of, int threads,
    const std::function<ggml_cgraph*(ggml_context*, ggml_cgraph*)>& change) {
  const GgmlContext context(ggml_init(
      {.mem_size = 1U << 20U, .mem_buffer = nullptr, .no_alloc = true}));
  ggml_context* c = context.get();
  const auto input = [c](const std::array<int64_t, 4>& size) {
    ggml_tensor* x = ggml_new_tensor(c, GGML_TYPE_F32, 4, size.data());
    ggml_set_input(x);
    return x;
  };
  ggml_tensor* a = input(of.a);
  ggml_tensor* b = input(of.b);
  ggml_tensor* y = ggml_scale(c, of.make(c, a, b), 1);
  ggml_set_output(y);
  ggml_cgraph* graph = ggml_new_graph(c);
  ggml_build_forward_expand(graph, y);
  graph = change(c, graph);
  ggml_gallocr* allocator = ggml_gallocr_new(Cpu().memory());
  EXPECT_TRUE(ggml_gallocr_alloc_graph(allocator, graph));
  Rng rng(7);
  for (ggml_tensor* x : {a, b})
    for (int64_t i = 0; i < ggml_nelements(x); ++i)
      static_cast<float*>(x->data)[i] = static_cast<float>(rng.Unit() - 0.5);
  ggml_backend* backend = Cpu().Start();
  Cpu().set_threads(backend, threads);
  EXPECT_EQ(ggml_backend_graph_compute(backend, graph), GGML_STATUS_SUCCESS);
  const auto* values = static_cast<const float*>(y->data);
  std::vector<float> result(values, values + ggml_nelements(y));
  ggml_backend_free(backend);
  ggml_gallocr_free(allocator);
  return result;
}

void ExpectSameProducts(MultiplyFunction multiply) {
  for (const Case& one : Cases())
    for (const int threads : {1, 2, 3}) {
      SCOPED_TRACE(std::string(one.name) + ", threads " +
                   std::to_string(threads));
      const auto plain = Compute(
          one, 1, [](ggml_context*, ggml_cgraph* graph) { return graph; });
      const auto fast =
          Compute(one, threads, [&](ggml_context* c, ggml_cgraph* graph) {
            return WithFastProducts(c, graph, multiply);
          });
      ASSERT_EQ(fast.size(), plain.size());
      for (size_t i = 0; i < plain.size(); ++i)
        EXPECT_NEAR(fast[i], plain[i], 1e-5);
    }
}

TEST(MatrixProducts, WithoutBlasAreThoseOfGgml) { ExpectSameProducts(nullptr); }

TEST(MatrixProducts, OfAnyMultiplicationAreThoseOfGgml) {
  ExpectSameProducts(MultiplyPlainly);
}

TEST(MatrixProducts, OfOpenBlasAreThoseOfGgml) {
  const MultiplyFunction blas = FindBlas();
  if (blas == nullptr) GTEST_SKIP() << "no libopenblas.so.0 here";
  ExpectSameProducts(blas);
}

TEST(MatrixProducts, LeaveNoOuterProduct) {
  for (const MultiplyFunction multiply :
       {MultiplyFunction{nullptr}, MultiplyFunction{MultiplyPlainly}})
    Compute(Cases()[4], 1, [&](ggml_context* c, ggml_cgraph* graph) {
      ggml_cgraph* fast = WithFastProducts(c, graph, multiply);
      for (int i = 0; i < ggml_graph_n_nodes(fast); ++i)
        EXPECT_NE(ggml_graph_node(fast, i)->op, GGML_OP_OUT_PROD);
      return fast;
    });
}

}  // namespace
}  // namespace modicum
