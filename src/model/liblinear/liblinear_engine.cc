// SPDX-License-Identifier: Apache-2.0
// The liblinear module: trains linear models of texts and of tables. Prediction
// is the program's own code (linear_model.h, table_linear.h).
//
// Only liblinear's primal solvers are used (L2R_LR, L2R_L2LOSS_SVC): trust
// region Newton methods that draw no random numbers, unlike the dual solvers,
// which call the C library's rand(). Equal data gives equal weights.
#include <linear.h>

#include <string>

#include "base/file.h"
#include "model/linear_model.h"
#include "model/linear_train.h"
#include "model/module.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/table_linear.h"

namespace modicum {

namespace {

// Stopping tolerance, relative to the first gradient; liblinear's own default
// for these solvers.
constexpr double kTolerance = 0.01;

// A copy of the matrix in liblinear's form, made at the first call.
class Solver {
 public:
  Solver(double c, bool logistic) : c_(c), logistic_(logistic) {}

  Result<std::vector<double>> operator()(const TrainingMatrix& matrix,
                                         std::span<const uint32_t> rows,
                                         const std::vector<bool>& positive) {
    if (begins_.empty()) Copy(matrix);
    std::vector<feature_node*> x;
    std::vector<double> y;
    for (const uint32_t row : rows) {
      x.push_back(nodes_.data() + begins_[row]);
      y.push_back(positive[row] ? 1 : -1);
    }
    return Solve(static_cast<int>(matrix.features) + 1, x, y);
  }

 private:
  // Each row: its features, the bias feature, the end mark.
  void Copy(const TrainingMatrix& matrix) {
    const int bias = static_cast<int>(matrix.features) + 1;
    size_t size = 0;
    for (const SparseRow& row : matrix.rows) size += row.size() + 2;
    nodes_.reserve(size);
    for (const SparseRow& row : matrix.rows) {
      begins_.push_back(nodes_.size());
      for (const SparseEntry& entry : row)
        nodes_.push_back({static_cast<int>(entry.feature) + 1, entry.value});
      nodes_.push_back({bias, 1});
      nodes_.push_back({-1, 0});
    }
  }

  Result<std::vector<double>> Solve(int features, std::vector<feature_node*>& x,
                                    std::vector<double>& y) const {
    problem data{};
    data.l = static_cast<int>(x.size());
    data.n = features;
    data.x = x.data();
    data.y = y.data();
    data.bias = 1;
    parameter wish{};
    wish.solver_type = logistic_ ? L2R_LR : L2R_L2LOSS_SVC;
    wish.eps = kTolerance;
    wish.C = c_;
    if (const char* fault = check_parameter(&data, &wish))
      return Fail(ErrorCode::kInternal, std::string("liblinear: ") + fault);
    model* trained = train(&data, &wish);
    if (trained == nullptr || trained->nr_class != 2)
      return Fail(ErrorCode::kInternal, "liblinear: training gave no model");
    std::vector<double> weights(trained->w, trained->w + features);
    if (trained->label[0] != 1)
      for (double& weight : weights) weight = -weight;
    free_and_destroy_model(&trained);
    return weights;
  }

  const double c_;
  const bool logistic_;
  std::vector<feature_node> nodes_;
  std::vector<size_t> begins_;
};

class LinearTrainer final : public Trainer {
 public:
  std::string_view family() const override { return "linear"; }

  Status Accepts(const Dataset& data) const override {
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint*, const std::string& directory,
                             PhaseSink& sink) override {
    return IsTable(data)
               ? TrainTable(data, rows, params, budget, directory, sink)
               : TrainText(data, rows, params, budget, directory, sink);
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    return LoadLinear(directory, labels, sink);
  }

 private:
  static Result<TrainedModel> TrainText(
      const Dataset& data, std::span<const uint32_t> rows, const Params& params,
      const Budget& budget, const std::string& directory, PhaseSink& sink) {
    MODICUM_TRY(const LinearParams wish, ParseLinearParams(params));
    Solver solver(wish.c, wish.logistic);
    MODICUM_TRY(LinearWeights weights,
                TrainLinear(data, rows, wish, budget, std::ref(solver), sink));
    weights.solver_version = static_cast<uint32_t>(liblinear_version);
    MODICUM_RETURN_IF_ERROR(WriteFileAtomically(directory + "/" + kLinearFile,
                                                EncodeLinear(weights)));
    return TrainedModel{{kLinearFile}};
  }

  static Result<TrainedModel> TrainTable(
      const Dataset& data, std::span<const uint32_t> rows, const Params& params,
      const Budget& budget, const std::string& directory, PhaseSink& sink) {
    MODICUM_TRY(const double c, ParseTableParams(params));
    Solver solver(c, true);
    MODICUM_TRY(TableWeights weights,
                TrainTableLinear(data, rows, budget, std::ref(solver), sink));
    weights.solver_version = static_cast<uint32_t>(liblinear_version);
    MODICUM_RETURN_IF_ERROR(WriteFileAtomically(
        directory + "/" + kTableLinearFile, EncodeTableLinear(weights)));
    return TrainedModel{{kTableLinearFile}};
  }
};

class LiblinearEngine final : public Engine {
 public:
  LiblinearEngine() {
    set_print_string_function([](const char*) {});
    version_ = LiblinearVersion(static_cast<uint32_t>(liblinear_version));
  }
  std::string_view name() const override { return "liblinear"; }
  std::string_view version() const override { return version_; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }

 private:
  LinearTrainer trainer_;
  std::string version_;
};

}  // namespace

}  // namespace modicum

MODICUM_ENGINE_MODULE(modicum::LiblinearEngine)
