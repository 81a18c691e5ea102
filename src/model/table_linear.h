// SPDX-License-Identifier: Apache-2.0
// Logistic regression on the standardised columns of a table, one class
// against the rest, and its file format, MODTAB1. Part of the program: only
// training needs the liblinear module.
//
// Little endian, no padding, nothing after the end:
//   "MODTAB1\n"
//   u32 classes, rows (1 when classes is 2, else classes), columns,
//       liblinear's version as a number (230)
//   columns times { u32 length, name in UTF-8 }
//   f64 bias[rows], mean[columns], scale[columns]
//   f32 weight[columns * rows]
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/linear_train.h"
#include "model/model.h"

namespace modicum {

inline constexpr char kTableLinearFile[] = "table.bin";

struct TableWeights {
  uint32_t classes = 2;
  uint32_t rows = 1;  // as in LinearWeights
  uint32_t solver_version = 0;
  std::vector<std::string> columns;
  std::vector<double> bias;
  // A value counts as (value - mean) * scale: mean and the inverse of the
  // standard deviation of the training rows. A missing value counts as the
  // mean, a column that never changes (scale 0) as nothing.
  std::vector<double> mean, scale;
  std::vector<float> weights;  // columns x rows

  friend bool operator==(const TableWeights&, const TableWeights&) = default;
};

std::string EncodeTableLinear(const TableWeights& weights);
// kInvalidInput for anything EncodeTableLinear cannot have written.
Result<TableWeights> DecodeTableLinear(std::string_view bytes);

// C, the inverse of the regularisation: the only parameter (default 1).
Result<double> ParseTableParams(const Params& params);
// Standardises and solves. Deterministic when the solver is.
Result<TableWeights> TrainTableLinear(const Dataset& data,
                                      std::span<const uint32_t> rows,
                                      const Budget& budget,
                                      const BinarySolver& solver,
                                      PhaseSink& sink);
// From the file's bytes; kInvalidInput when they do not fit the labels. A
// reason's effect is weight * standardised value: they and the bias sum up to
// the log-odds of the label.
Result<std::unique_ptr<Model>> MakeTableLinear(
    std::string_view bytes, const std::vector<std::string>& labels);

// The family linear in `directory`: table.bin, or where there is none the text
// model of linear.bin. Reports kLoad.
Result<std::unique_ptr<Model>> LoadLinear(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink);

}  // namespace modicum
