// SPDX-License-Identifier: Apache-2.0
// OpenBLAS, where the machine has it: the fastest products of matrices for
// training. It is opened at run time, so that nothing needs it.
#pragma once

#include <cstdint>

namespace modicum {

// C = op(A) op(B) in single precision, column by column: C has `rows` rows and
// `columns` columns, op(A) `inner` columns; a leading dimension is what lies
// between the beginnings of two columns as they are stored.
struct Product {
  int rows, columns, inner;
  const float* a;
  int a_leading;
  bool a_transposed;
  const float* b;
  int b_leading;
  bool b_transposed;
  float* c;
  int c_leading;
};
using MultiplyFunction = void (*)(const Product&);

// Multiplies in the calling thread alone; any number may at once. Null where
// there is no libopenblas.so.0, where MODICUM_BLAS is "off", and where what it
// computes for a trial is wrong (some versions are on some CPUs).
MultiplyFunction FindBlas();

}  // namespace modicum
