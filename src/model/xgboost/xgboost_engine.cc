// SPDX-License-Identifier: Apache-2.0
// The xgboost module: trains forests and boosted trees on tables and on the
// chosen n-grams of texts. Prediction is the program's own code
// (tree_model.h) and needs no module.
#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "model/feature_selection.h"
#include "model/linear_weights.h"
#include "model/module.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/training_stop.h"
#include "model/tree_model.h"
#include "model/xgboost/booster.h"

namespace modicum {

namespace {

// N-grams in fewer texts are no candidates for selection.
constexpr uint32_t kMinDocuments = 2;
// Trees of a forest that are trained in one call of the library; between two
// calls the training can be stopped.
constexpr int64_t kForestStep = 8;
// The histogram's bins per column, the library's own default.
constexpr size_t kBins = 256;
// Of the rows, for each tree of a forest: as many different ones as a
// bootstrap sample is expected to have, 1 - 1/e.
constexpr double kForestRows = 0.632;

struct TreeParams {
  int64_t trees = 100;  // rounds: each adds one tree per group
  int64_t depth = 6;
  double eta = 0.3;  // the learning rate; boosted only
  int64_t features = 1000;
  FeatureConfig config{{1, 1}, {0, 0}};
};

// trees, depth; eta for boosted; features, word_ngrams, char_ngrams and
// hash_bits for text.
Result<TreeParams> ParseTreeParams(const Params& params, bool forest,
                                   bool table) {
  std::vector<std::string_view> known{"trees", "depth"};
  if (!forest) known.push_back("eta");
  if (!table)
    known.insert(known.end(),
                 {"features", "word_ngrams", "char_ngrams", "hash_bits"});
  std::string name = forest ? "forest" : "boosted";
  if (table) name += " on a table";
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, name, known));
  TreeParams out;
  if (forest) out.depth = 12;
  MODICUM_TRY(out.trees, IntegerParam(params, "trees", out.trees, 1, 10000));
  MODICUM_TRY(out.depth, IntegerParam(params, "depth", out.depth, 1, 24));
  MODICUM_TRY(out.eta, NumberParam(params, "eta", out.eta, 0.001, 1));
  if (table) return out;
  MODICUM_TRY(out.features, IntegerParam(params, "features", out.features, 1,
                                         kMaxTreeNgrams));
  MODICUM_TRY(out.config, FeatureParams(params, "1"));
  return out;
}

// One row per training row, one column per feature; sets the features.
Result<CsrMatrix> PrepareTable(const Dataset& data,
                               std::span<const uint32_t> rows,
                               TreeWeights& weights) {
  MODICUM_RETURN_IF_ERROR(CheckTableRows(data, rows));
  weights.columns = data.columns;
  weights.config = {{0, 0}, {0, 0}};
  CsrMatrix matrix;
  matrix.width = data.columns.size();
  for (const uint32_t row : rows) {
    const auto& values = std::get<Numbers>(data.items[row].payload).values;
    for (uint32_t c = 0; c < values.size(); ++c)
      if (!std::isnan(values[c])) matrix.Add(c, values[c]);
    matrix.EndRow();
  }
  return matrix;
}

Result<CsrMatrix> PrepareText(const Dataset& data,
                              std::span<const uint32_t> rows,
                              const TreeParams& wish, const Budget& budget,
                              TreeWeights& weights) {
  MODICUM_TRY(const std::vector<Document> documents,
              ReadDocuments(data, rows, wish.config, budget));
  const std::vector<HashCount> kept =
      SelectByChiSquared(documents, ClassesOf(data, rows), weights.classes,
                         CountDocuments(documents, kMinDocuments),
                         static_cast<size_t>(wish.features));
  if (kept.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "no n-gram is in two of the training texts of " + data.name,
                "give more texts, or char_ngrams = \"2-4\"");
  }
  weights.config = wish.config;
  for (const HashCount& feature : kept) weights.hashes.push_back(feature.hash);
  const HashIndex index(weights.hashes);
  CsrMatrix matrix;
  matrix.width = kept.size();
  std::vector<std::pair<uint32_t, float>> terms;
  for (const Document& document : documents) {
    terms.clear();
    for (const HashCount& term : document) {
      const uint32_t feature = index.Find(term.hash);
      if (feature != HashIndex::kAbsent)
        terms.emplace_back(feature, static_cast<float>(term.count));
    }
    std::sort(terms.begin(), terms.end());
    for (const auto& [feature, count] : terms) matrix.Add(feature, count);
    matrix.EndRow();
  }
  return matrix;
}

// The bins of all columns: their different values, at most kBins each.
size_t CountBins(const CsrMatrix& matrix) {
  std::vector<std::vector<float>> seen(matrix.width);
  size_t bins = 0;
  for (size_t i = 0; i < matrix.values.size(); ++i) {
    std::vector<float>& values = seen[matrix.columns[i]];
    if (values.size() == kBins) continue;
    const auto at =
        std::lower_bound(values.begin(), values.end(), matrix.values[i]);
    if (at != values.end() && *at == matrix.values[i]) continue;
    values.insert(at, matrix.values[i]);
    ++bins;
  }
  return bins;
}

// An entry takes 8 bytes here, 8 in the library's copy and 4 as a bin; every
// node of a tree keeps a histogram of two doubles per bin.
Status CheckMemory(const CsrMatrix& matrix, const TreeParams& wish,
                   const Budget& budget) {
  const double nodes = std::min(std::exp2(wish.depth + 1),
                                2 * static_cast<double>(matrix.rows()));
  const double bytes = 20.0 * static_cast<double>(matrix.values.size()) +
                       16.0 * static_cast<double>(CountBins(matrix)) * nodes;
  if (bytes <= budget.memory.value()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("training needs some {:.1f} GB, the budget is {:.1f}",
                          bytes / 1e9, budget.memory.value() / 1e9),
              "lower depth or features, or use fewer rows");
}

XgboostParams CommonParams(const TreeParams& wish, uint32_t classes,
                           const Budget& budget) {
  XgboostParams params{
      {"booster", "gbtree"},
      {"tree_method", "hist"},
      {"max_bin", std::to_string(kBins)},
      {"max_depth", std::to_string(wish.depth)},
      {"nthread", std::to_string(std::max(1, budget.threads))},
      {"base_score", "0.5"},
      {"disable_default_eval_metric", "1"},
      {"verbosity", "0"},
  };
  if (classes == 2) {
    params.emplace_back("objective", "binary:logistic");
  } else {
    params.emplace_back("objective", "multi:softprob");
    params.emplace_back("num_class", std::to_string(classes));
  }
  return params;
}

std::string SeedText(uint64_t seed, int64_t part) {
  // The library's seed has 31 bits.
  const uint64_t mixed =
      (seed + static_cast<uint64_t>(part)) * 0x9E3779B97F4A7C15ULL;
  return std::to_string(mixed >> 33);
}

Status Boost(const XgboostData& data, const TreeParams& wish,
             const Budget& budget, TreeWeights& weights) {
  XgboostParams params = CommonParams(wish, weights.classes, budget);
  params.emplace_back("eta", fmt::format("{}", wish.eta));
  params.emplace_back("seed", SeedText(budget.seed, 0));
  MODICUM_TRY(Booster booster, Booster::Make(data, params));
  for (int round = 0; round < wish.trees; ++round) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    MODICUM_RETURN_IF_ERROR(booster.Update(round, data));
  }
  MODICUM_TRY(const std::string saved, booster.Save());
  return AppendTrees(saved, 1, weights);
}

// A random forest (Breiman 2001) in XGBoost's way: trees on a share of the
// rows and, at every node, the square root of the number of columns; each leaf
// is one Newton step of the log-likelihood, and trees are averaged.
Status GrowForest(const XgboostData& data, const TreeParams& wish,
                  const Budget& budget, TreeWeights& weights) {
  XgboostParams params = CommonParams(wish, weights.classes, budget);
  const auto width = static_cast<double>(weights.features());
  params.emplace_back("eta", "1");
  params.emplace_back("lambda", "1e-5");
  params.emplace_back("min_child_weight", "0");
  params.emplace_back("subsample", fmt::format("{}", kForestRows));
  params.emplace_back("colsample_bynode",
                      fmt::format("{}", std::sqrt(width) / width));
  for (int64_t done = 0; done < wish.trees; done += kForestStep) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    const int64_t now = std::min(kForestStep, wish.trees - done);
    XgboostParams step = params;
    step.emplace_back("num_parallel_tree", std::to_string(now));
    step.emplace_back("seed", SeedText(budget.seed, done));
    MODICUM_TRY(Booster booster, Booster::Make(data, step));
    MODICUM_RETURN_IF_ERROR(booster.Update(0, data));
    MODICUM_TRY(const std::string saved, booster.Save());
    MODICUM_RETURN_IF_ERROR(AppendTrees(
        saved, static_cast<float>(now) / static_cast<float>(wish.trees),
        weights));
  }
  return {};
}

uint32_t LibraryVersion() {
  int major = 0, minor = 0, patch = 0;
  XGBoostVersion(&major, &minor, &patch);
  return static_cast<uint32_t>(major * 10000 + minor * 100 + patch);
}

class TreeTrainer final : public Trainer {
 public:
  explicit TreeTrainer(bool forest) : forest_(forest) {}

  std::string_view family() const override {
    return forest_ ? "forest" : "boosted";
  }

  Status Accepts(const Dataset& data) const override {
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint*, const std::string& directory,
                             PhaseSink& sink) override {
    SilenceXgboost();
    sink.Begin(Phase::kPrepare);
    const bool table = IsTable(data);
    MODICUM_TRY(const TreeParams wish, ParseTreeParams(params, forest_, table));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    TreeWeights weights;
    weights.forest = forest_;
    weights.classes = static_cast<uint32_t>(data.labels.size());
    weights.library_version = LibraryVersion();
    MODICUM_TRY(const CsrMatrix matrix,
                table ? PrepareTable(data, rows, weights)
                      : PrepareText(data, rows, wish, budget, weights));
    MODICUM_RETURN_IF_ERROR(CheckMemory(matrix, wish, budget));
    sink.Begin(Phase::kTrain);
    const std::vector<uint32_t> classes = ClassesOf(data, rows);
    MODICUM_TRY(const XgboostData copy,
                XgboostData::Make(matrix, {classes.begin(), classes.end()}));
    MODICUM_RETURN_IF_ERROR(forest_ ? GrowForest(copy, wish, budget, weights)
                                    : Boost(copy, wish, budget, weights));
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/" + kTreeFile, EncodeTrees(weights)));
    return TrainedModel{{kTreeFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    return LoadTreeModel(directory, labels, sink);
  }

 private:
  const bool forest_;
};

class XgboostEngine final : public Engine {
 public:
  XgboostEngine() : version_(XgboostVersion(LibraryVersion())) {}
  std::string_view name() const override { return "xgboost"; }
  std::string_view version() const override { return version_; }
  std::vector<Trainer*> trainers() override { return {&forest_, &boosted_}; }

 private:
  TreeTrainer forest_{true};
  TreeTrainer boosted_{false};
  const std::string version_;
};

}  // namespace

}  // namespace modicum

MODICUM_ENGINE_MODULE(modicum::XgboostEngine)
