// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "model/params.h"
#include "model/payload.h"
#include "model/table_linear.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// A matrix entry and the solver's own node.
constexpr double kBytesPerNumber = 24;

Status CheckMemory(size_t numbers, const Budget& budget) {
  const double bytes = kBytesPerNumber * static_cast<double>(numbers);
  if (bytes <= budget.memory.value()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("training needs some {:.1f} GB, the budget is {:.1f}",
                          bytes / 1e9, budget.memory.value() / 1e9),
              "use fewer rows or columns");
}

const std::vector<float>& Values(const Item& item) {
  return std::get<Numbers>(item.payload).values;
}

// Mean and inverse standard deviation of each column's known values.
void Standardise(const Dataset& data, std::span<const uint32_t> rows,
                 TableWeights& weights) {
  for (size_t c = 0; c < data.columns.size(); ++c) {
    // Welford's recurrence: no large sums that cancel.
    double n = 0, mean = 0, squares = 0;
    for (const uint32_t row : rows) {
      const double value = Values(data.items[row])[c];
      if (std::isnan(value)) continue;
      const double change = value - mean;
      mean += change / ++n;
      squares += change * (value - mean);
    }
    weights.mean.push_back(mean);
    weights.scale.push_back(squares > 0 ? std::sqrt(n / squares) : 0);
  }
}

TrainingMatrix MakeMatrix(const Dataset& data, std::span<const uint32_t> rows,
                          const TableWeights& weights) {
  TrainingMatrix matrix;
  matrix.features = static_cast<uint32_t>(data.columns.size());
  for (const uint32_t row : rows) {
    const std::vector<float>& values = Values(data.items[row]);
    SparseRow entries;
    for (uint32_t c = 0; c < matrix.features; ++c) {
      if (std::isnan(values[c]) || weights.scale[c] == 0) continue;
      const double z = (values[c] - weights.mean[c]) * weights.scale[c];
      entries.push_back({c, static_cast<float>(z)});
    }
    matrix.rows.push_back(std::move(entries));
    matrix.classes.push_back(static_cast<uint32_t>(data.items[row].label));
  }
  return matrix;
}

}  // namespace

Result<double> ParseTableParams(const Params& params) {
  static constexpr std::string_view kKnown[] = {"C"};
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, "linear on a table", kKnown));
  return NumberParam(params, "C", 1, 1e-6, 1e6);
}

Result<TableWeights> TrainTableLinear(const Dataset& data,
                                      std::span<const uint32_t> rows,
                                      const Budget& budget,
                                      const BinarySolver& solver,
                                      PhaseSink& sink) {
  sink.Begin(Phase::kPrepare);
  MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
  MODICUM_RETURN_IF_ERROR(CheckTableRows(data, rows));
  MODICUM_RETURN_IF_ERROR(
      CheckMemory(rows.size() * data.columns.size(), budget));
  TableWeights weights;
  weights.columns = data.columns;
  weights.classes = static_cast<uint32_t>(data.labels.size());
  weights.rows = weights.classes == 2 ? 1 : weights.classes;
  Standardise(data, rows, weights);
  const TrainingMatrix matrix = MakeMatrix(data, rows, weights);

  sink.Begin(Phase::kTrain);
  weights.weights.assign(data.columns.size() * weights.rows, 0);
  for (uint32_t row = 0; row < weights.rows; ++row) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_TRY(
        const std::vector<double> solved,
        SolveOneAgainstRest(matrix, weights.rows == 1 ? 1 : row, solver));
    for (size_t c = 0; c < data.columns.size(); ++c)
      weights.weights[c * weights.rows + row] = static_cast<float>(solved[c]);
    weights.bias.push_back(solved.back());
  }
  return weights;
}

}  // namespace modicum
