// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/blas.h"

#include <dlfcn.h>

#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/rng.h"

namespace modicum {
namespace {

// The C interface of BLAS: its enumerations as integers.
using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int rows,
                       int columns, int inner, float alpha, const float* a,
                       int a_leading, const float* b, int b_leading, float beta,
                       float* c, int c_leading);
constexpr int kColumnMajor = 102, kAsItIs = 111, kTransposed = 112;

Sgemm sgemm = nullptr;

void Multiply(const Product& p) {
  sgemm(kColumnMajor, p.a_transposed ? kTransposed : kAsItIs,
        p.b_transposed ? kTransposed : kAsItIs, p.rows, p.columns, p.inner, 1,
        p.a, p.a_leading, p.b, p.b_leading, 0, p.c, p.c_leading);
}

float At(const std::vector<float>& values, int i) {
  return values[static_cast<size_t>(i)];
}

// Of a product whose sides fill no vector, against sums in double precision.
bool IsRight(bool a_transposed, bool b_transposed) {
  constexpr int kRows = 67, kColumns = 45, kInner = 131;
  Rng rng(1);
  std::vector<float> a(kRows * kInner), b(kInner * kColumns),
      c(kRows * kColumns);
  for (auto* values : {&a, &b})
    for (float& value : *values) value = static_cast<float>(rng.Unit() - 0.5);
  Multiply({kRows, kColumns, kInner, a.data(), a_transposed ? kInner : kRows,
            a_transposed, b.data(), b_transposed ? kColumns : kInner,
            b_transposed, c.data(), kRows});
  for (int column = 0; column < kColumns; ++column)
    for (int row = 0; row < kRows; ++row) {
      double sum = 0;
      for (int i = 0; i < kInner; ++i)
        sum +=
            double{At(a, a_transposed ? row * kInner + i : i * kRows + row)} *
            double{At(
                b, b_transposed ? i * kColumns + column : column * kInner + i)};
      const double got = double{At(c, column * kRows + row)};
      if (!(std::abs(got - sum) < 1e-4)) return false;
    }
  return true;
}

MultiplyFunction Open() {
  const char* wish = std::getenv("MODICUM_BLAS");
  if (wish != nullptr && std::string_view(wish) == "off") return nullptr;
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  // ggml's threads share the work; threads of its own would fight with them.
  const auto set_threads = reinterpret_cast<void (*)(int)>(
      dlsym(library, "openblas_set_num_threads"));
  if (sgemm == nullptr || set_threads == nullptr) return nullptr;
  set_threads(1);
  for (const bool a : {false, true})
    for (const bool b : {false, true})
      if (!IsRight(a, b)) return nullptr;
  return Multiply;
}

}  // namespace

MultiplyFunction FindBlas() {
  static const MultiplyFunction found = Open();
  return found;
}

}  // namespace modicum
