// SPDX-License-Identifier: Apache-2.0
// Which columns of the weights matter: mean squares of what they are
// multiplied with, over a text, as llama-imatrix takes them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "model/ggml/llama_model.h"

namespace modicum {
namespace {

// Rows that are too few say little of a matrix that sees many.
constexpr int64_t kMinRows = 16;

struct Sums {
  std::vector<float> squares;  // of each matrix, its columns
  std::vector<double> counts;  // of each matrix, rows it was given
};

// Watches matrix products go by.
class Observer {
 public:
  static bool OnNode(ggml_tensor* node, bool ask, void* self) {
    auto& observer = *static_cast<Observer*>(self);
    if (ask) return Matters(*node);
    if (node->op == GGML_OP_MUL_MAT_ID)
      observer.AddExperts(*node);
    else
      observer.Add(*node);
    return true;
  }

  Result<std::vector<Importance>> Take() const {
    std::vector<Importance> all;
    for (const auto& [name, sums] : sums_) {
      Importance importance{name, sums.squares};
      const size_t columns = sums.squares.size() / sums.counts.size();
      for (size_t i = 0; i < importance.values.size(); ++i) {
        float& value = importance.values[i];
        const double count = sums.counts[i / columns];
        // An expert that nothing came to: all its columns alike.
        value = count > 0 ? value / static_cast<float>(count) : 1;
        if (!std::isfinite(value))
          return Fail(ErrorCode::kInvalidInput,
                      fmt::format("what {} is given is no number", name),
                      "the network's weights are broken");
      }
      all.push_back(std::move(importance));
    }
    return all;
  }

 private:
  static bool Matters(const ggml_tensor& node) {
    if (node.op == GGML_OP_MUL_MAT_ID) return true;
    return node.op == GGML_OP_MUL_MAT && node.src[1]->ne[1] >= kMinRows &&
           node.src[1]->type == GGML_TYPE_F32 &&
           std::strncmp(node.src[0]->name, "blk.", 4) == 0;
  }

  Sums& SumsOf(const ggml_tensor& weight, int64_t columns, int64_t matrices,
               int64_t counts) {
    Sums& sums = sums_[weight.name];
    if (sums.squares.empty()) {
      sums.squares.resize(static_cast<size_t>(columns * matrices));
      sums.counts.resize(static_cast<size_t>(counts));
    }
    return sums;
  }

  static const float* Row(const ggml_tensor& tensor, int64_t i1, int64_t i2,
                          int64_t i3) {
    const auto* data = static_cast<const char*>(tensor.data);
    const auto offset = static_cast<size_t>(i1) * tensor.nb[1] +
                        static_cast<size_t>(i2) * tensor.nb[2] +
                        static_cast<size_t>(i3) * tensor.nb[3];
    return reinterpret_cast<const float*>(data + offset);
  }

  static void AddSquares(const float* row, int64_t columns, float* squares) {
    for (int64_t i = 0; i < columns; ++i) squares[i] += row[i] * row[i];
  }

  void Add(const ggml_tensor& node) {
    const ggml_tensor& weight = *node.src[0];
    const ggml_tensor& input = *node.src[1];
    const int64_t matrices = weight.ne[2] * weight.ne[3];
    Sums& sums = SumsOf(weight, input.ne[0], matrices, 1);
    for (int64_t i3 = 0; i3 < input.ne[3]; ++i3)
      for (int64_t i2 = 0; i2 < input.ne[2]; ++i2) {
        const int64_t matrix =
            i3 % weight.ne[3] * weight.ne[2] + i2 % weight.ne[2];
        float* squares = sums.squares.data() + matrix * input.ne[0];
        for (int64_t i1 = 0; i1 < input.ne[1]; ++i1)
          AddSquares(Row(input, i1, i2, i3), input.ne[0], squares);
      }
    const int64_t rows = ggml_nrows(&input) / matrices;
    sums.counts[0] += static_cast<double>(rows);
  }

  // Each row goes to the experts that were chosen for it.
  void AddExperts(const ggml_tensor& node) {
    const ggml_tensor& weight = *node.src[0];
    const ggml_tensor& input = *node.src[1];
    const ggml_tensor& chosen = *node.src[2];
    const int64_t experts = weight.ne[2];
    Sums& sums = SumsOf(weight, input.ne[0], experts, experts);
    for (int64_t k = 0; k < chosen.ne[0]; ++k)
      for (int64_t row = 0; row < input.ne[2]; ++row) {
        int32_t expert = 0;
        std::memcpy(&expert,
                    static_cast<const char*>(chosen.data) +
                        static_cast<size_t>(row) * chosen.nb[1] +
                        static_cast<size_t>(k) * chosen.nb[0],
                    sizeof expert);
        AddSquares(Row(input, k % input.ne[1], row, 0), input.ne[0],
                   sums.squares.data() + expert * input.ne[0]);
        ++sums.counts[static_cast<size_t>(expert)];
      }
  }

  std::map<std::string, Sums> sums_;
};

}  // namespace

Result<std::vector<Importance>> LlamaModel::MeasureImportance(
    std::span<const TokenId> text, const CallOptions& call, PhaseSink& sink) {
  MODICUM_RETURN_IF_ERROR(TextCompute().map([](Compute*) {}));
  const size_t chunk = std::min(size_t{512}, size_t{info_.context});
  if (text.size() < chunk)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the text has {} tokens, importance needs {}",
                            text.size(), chunk),
                "give it more text");
  Observer observer;
  ComputeShape shape;
  shape.cells = shape.batch = shape.micro_batch = static_cast<uint32_t>(chunk);
  shape.observe = Observer::OnNode;
  shape.observer = &observer;
  MODICUM_TRY(const auto compute,
              Compute::Open(*model_, shape, settings_, pools_));
  sink.Begin(Phase::kPrefill);
  Batch batch(shape.batch);
  for (size_t at = 0; at + chunk <= text.size(); at += chunk) {
    batch.Clear();
    compute->Forget();
    for (size_t i = 0; i < chunk; ++i) {
      const bool begins = i == 0 && info_.beginning;
      // All are wanted, so that the last layer sees every row.
      batch.Add(begins ? *info_.beginning : text[at + i], i, 0, true);
    }
    MODICUM_RETURN_IF_ERROR(compute->Run(batch, call));
    const SeqWork work = WorkOf(0, chunk, 0, chunk);
    sink.Step(Phase::kPrefill, {&work, 1});
  }
  return observer.Take();
}

}  // namespace modicum
