// SPDX-License-Identifier: Apache-2.0
#include "model/table_linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dataset/utf8.h"
#include "model/blocks.h"
#include "model/bytes.h"
#include "model/linear_model.h"
#include "model/linear_weights.h"
#include "model/logistic.h"
#include "model/payload.h"

namespace modicum {

namespace {

constexpr std::string_view kTableMagic = "MODTAB1\n";
// Far above what data gives, and no product or sum of these overflows.
constexpr double kMaxTableValue = 1e100;
constexpr uint64_t kMaxTableFile = uint64_t{1} << 30;

auto RefuseTableModel(const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              "not a linear model this program wrote: " + what,
              "train it again with 'modicum fit'");
}

template <class T>
bool AllUsable(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T value) {
    return std::abs(double{value}) <= kMaxTableValue;
  });
}

Status GetColumns(ByteReader& in, uint64_t count, TableWeights& w) {
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::vector<char> name = in.GetAll<char>(in.Get<uint32_t>());
    w.columns.emplace_back(name.begin(), name.end());
    if (FirstUnusableByte(w.columns.back()) != std::string::npos)
      return RefuseTableModel("a column's name is not text");
  }
  return {};
}

class TableLinearModel final : public Model {
 public:
  TableLinearModel(TableWeights weights, ModelInfo info)
      : w_(std::move(weights)), info_(std::move(info)), scores_(w_.rows) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    const auto prepare = [this](std::span<const Item> block) {
      return Prepare(block);
    };
    const auto answer = [&](std::span<const Item> block,
                            std::vector<Output>& outputs) -> Status {
      for (size_t i = 0; i < block.size(); ++i) {
        const double* row = &standard_[i * w_.columns.size()];
        Label label = Answer(row);
        if (options.explain > 0) Explain(block[i], row, options.explain, label);
        outputs.emplace_back(std::move(label));
      }
      return {};
    };
    return PredictInBlocks(items, options, sink, prepare, answer);
  }

 private:
  // Standardises the block's rows.
  Status Prepare(std::span<const Item> block) {
    standard_.clear();
    for (const Item& item : block) {
      MODICUM_TRY(const auto values, NumbersOf(item, w_.columns.size()));
      for (size_t c = 0; c < values.size(); ++c)
        standard_.push_back(std::isfinite(values[c])
                                ? (values[c] - w_.mean[c]) * w_.scale[c]
                                : 0);
    }
    return {};
  }

  Label Answer(const double* row) {
    std::copy(w_.bias.begin(), w_.bias.end(), scores_.begin());
    const float* weight = w_.weights.data();
    for (size_t c = 0; c < w_.columns.size(); ++c)
      for (double& score : scores_) score += row[c] * *weight++;
    Label label;
    std::vector<float>& p = label.probabilities;
    for (const double score : scores_)
      p.push_back(static_cast<float>(Logistic(score)));
    Normalise(p);
    label.index = static_cast<LabelIndex>(std::max_element(p.begin(), p.end()) -
                                          p.begin());
    return label;
  }

  void Normalise(std::vector<float>& p) const {
    if (w_.rows == 1) {
      p = {1 - p[0], p[0]};
      return;
    }
    float sum = 0;
    for (const float one : p) sum += one;
    for (float& one : p)
      one = sum > 0 ? one / sum : 1 / static_cast<float>(p.size());
  }

  void Explain(const Item& item, const double* row, int count,
               Label& label) const {
    const auto& values = std::get<Numbers>(item.payload).values;
    const size_t r = w_.rows == 1 ? 0 : static_cast<size_t>(label.index);
    const double sign = w_.rows == 1 && label.index == 0 ? -1 : 1;
    for (size_t c = 0; c < values.size(); ++c) {
      const double effect = sign * row[c] * w_.weights[c * w_.rows + r];
      if (effect != 0)
        label.reasons.push_back({ColumnText(w_.columns[c], values[c]), effect});
    }
    KeepStrongest(label.reasons, count);
  }

  const TableWeights w_;
  const ModelInfo info_;
  std::vector<double> standard_;  // of the block, item by item
  std::vector<double> scores_;
};

}  // namespace

std::string EncodeTableLinear(const TableWeights& weights) {
  ByteWriter out;
  out.PutText(kTableMagic);
  out.Put(weights.classes);
  out.Put(weights.rows);
  out.Put(static_cast<uint32_t>(weights.columns.size()));
  out.Put(weights.solver_version);
  for (const std::string& column : weights.columns) {
    out.Put(static_cast<uint32_t>(column.size()));
    out.PutText(column);
  }
  out.PutAll(weights.bias);
  out.PutAll(weights.mean);
  out.PutAll(weights.scale);
  out.PutAll(weights.weights);
  return out.Take();
}

Result<TableWeights> DecodeTableLinear(std::string_view bytes) {
  if (!bytes.starts_with(kTableMagic))
    return RefuseTableModel("it does not begin MODTAB1");
  ByteReader in(bytes.substr(kTableMagic.size()));
  TableWeights w;
  w.classes = in.Get<uint32_t>();
  w.rows = in.Get<uint32_t>();
  const uint64_t columns = in.Get<uint32_t>();
  w.solver_version = in.Get<uint32_t>();
  if (!in.ok()) return RefuseTableModel("it ends in its header");
  if (w.classes < 2 || w.classes > kMaxClasses || columns == 0 ||
      w.rows != (w.classes == 2 ? 1 : w.classes))
    return RefuseTableModel("its header has values out of range");
  MODICUM_RETURN_IF_ERROR(GetColumns(in, columns, w));
  w.bias = in.GetAll<double>(w.rows);
  w.mean = in.GetAll<double>(columns);
  w.scale = in.GetAll<double>(columns);
  w.weights = in.GetAll<float>(columns * w.rows);
  if (!in.ok()) return RefuseTableModel("it is shorter than its header says");
  if (in.left() != 0)
    return RefuseTableModel("it is longer than its header says");
  if (!AllUsable(w.bias) || !AllUsable(w.mean) || !AllUsable(w.scale) ||
      !AllUsable(w.weights))
    return RefuseTableModel("it holds a number out of range");
  return w;
}

Result<std::unique_ptr<Model>> MakeTableLinear(
    std::string_view bytes, const std::vector<std::string>& labels) {
  MODICUM_TRY(TableWeights weights, DecodeTableLinear(bytes));
  if (weights.classes != labels.size()) {
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the linear model has {} classes, its card {}",
                            weights.classes, labels.size()));
  }
  ModelInfo info;
  info.family = "linear";
  info.engine = "liblinear";
  info.engine_version = LiblinearVersion(weights.solver_version);
  info.parameters = weights.weights.size() + weights.bias.size() +
                    weights.mean.size() + weights.scale.size();
  info.bytes = Bytes(static_cast<double>(bytes.size()));
  info.labels = labels;
  return std::make_unique<TableLinearModel>(std::move(weights),
                                            std::move(info));
}

Result<std::unique_ptr<Model>> LoadLinear(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  const auto table =
      ReadWholeFile(directory + "/" + kTableLinearFile, kMaxTableFile);
  if (table) return MakeTableLinear(*table, labels);
  if (table.error().code != ErrorCode::kNotFound) return Fail(table.error());
  return LoadLinearModel(directory, labels, sink);
}

}  // namespace modicum
