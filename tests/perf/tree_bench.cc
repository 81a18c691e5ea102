// SPDX-License-Identifier: Apache-2.0
// Our prediction with trees against the library's own in-place prediction, on
// the same booster, rows and one thread. Arguments: trees, depth, items.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <cmath>

#include "model/test_tables.h"
#include "model/tree_model.h"
#include "model/xgboost/booster.h"

namespace modicum {
namespace {

constexpr size_t kColumns = 16;

// The columns add up, in pairs, to what decides; a tenth of the labels is
// noise, so that trees grow to their depth.
Dataset MakeRows(size_t count) {
  Dataset data = MakeTable(2, count / 2, kColumns, 0, 0.02);
  Rng rng(7);
  for (Item& item : data.items) {
    const auto& x = std::get<Numbers>(item.payload).values;
    float sum = 0;
    for (size_t c = 0; c + 1 < kColumns; c += 2)
      if (!std::isnan(x[c] * x[c + 1])) sum += x[c] * x[c + 1] - 0.25F;
    item.label = (sum > 0) != (rng.Unit() < 0.1) ? 1 : 0;
  }
  return data;
}

// One booster of so many trees of this depth, ours and the library's.
class Trained {
 public:
  Trained(int trees, int64_t depth)
      : train_(MakeRows(4000)),
        xgboost_data_(MakeData(train_)),
        booster_(
            Booster::Make(xgboost_data_, {{"objective", "binary:logistic"},
                                          {"tree_method", "hist"},
                                          {"max_depth", std::to_string(depth)},
                                          {"nthread", "1"},
                                          {"verbosity", "0"}})
                .value()) {
    SilenceXgboost();
    for (int round = 0; round < trees; ++round)
      MODICUM_CHECK(booster_.Update(round, xgboost_data_).has_value());
    TreeWeights weights;
    weights.config = {{0, 0}, {0, 0}};
    weights.columns = train_.columns;
    MODICUM_CHECK(AppendTrees(booster_.Save().value(), 1, weights));
    model_ = MakeTreeModel(EncodeTrees(weights), train_.labels).value();
  }
  void* booster() const { return booster_.handle(); }
  Model& model() { return *model_; }
  const Dataset& data() const { return train_; }

 private:
  static XgboostData MakeData(const Dataset& data) {
    CsrMatrix matrix;
    matrix.width = data.columns.size();
    std::vector<float> labels;
    for (const Item& item : data.items) {
      const auto& values = std::get<Numbers>(item.payload).values;
      for (uint32_t c = 0; c < values.size(); ++c)
        if (!std::isnan(values[c])) matrix.Add(c, values[c]);
      matrix.EndRow();
      labels.push_back(static_cast<float>(item.label));
    }
    return XgboostData::Make(matrix, labels).value();
  }
  Dataset train_;
  XgboostData xgboost_data_;
  Booster booster_;
  std::unique_ptr<Model> model_;
};

void Ours(benchmark::State& state) {
  Trained trained(static_cast<int>(state.range(0)), state.range(1));
  const auto count = static_cast<size_t>(state.range(2));
  const std::span<const Item> items = trained.data().items;
  NullSink sink;
  for (auto step : state)
    benchmark::DoNotOptimize(
        trained.model().Predict(items.subspan(0, count), {}, sink));
  state.SetItemsProcessed(state.iterations() * state.range(2));
}

void TheLibrarys(benchmark::State& state) {
  Trained trained(static_cast<int>(state.range(0)), state.range(1));
  const auto count = static_cast<size_t>(state.range(2));
  std::vector<float> dense;
  for (size_t i = 0; i < count; ++i) {
    const auto& x = std::get<Numbers>(trained.data().items[i].payload).values;
    dense.insert(dense.end(), x.begin(), x.end());
  }
  const std::string array = fmt::format(
      R"({{"data": [{}, true], "shape": [{}, {}], "typestr": "<f4",)"
      R"( "version": 3}})",
      reinterpret_cast<size_t>(dense.data()), count, kColumns);
  const char* config =
      R"({"type": 0, "missing": NaN, "training": false, "cache_id": 0,)"
      R"( "iteration_begin": 0, "iteration_end": 0, "strict_shape": false})";
  for (auto step : state) {
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* result = nullptr;
    MODICUM_CHECK(XGBoosterPredictFromDense(trained.booster(), array.c_str(),
                                            config, nullptr, &shape,
                                            &dimensions, &result) == 0);
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations() * state.range(2));
}

const std::vector<std::vector<int64_t>> kShapes{
    {50, 200}, {4, 12}, {1, 4000}};  // trees, depth, items
BENCHMARK(Ours)->ArgsProduct(kShapes);
BENCHMARK(TheLibrarys)->ArgsProduct(kShapes);

}  // namespace
}  // namespace modicum
