// SPDX-License-Identifier: Apache-2.0
#include "model/linear_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "model/documents.h"
#include "model/feature_selection.h"
#include "model/params.h"
#include "model/payload.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// Folds of the cross-validation that calibrates the squared hinge loss.
constexpr uint32_t kFolds = 3;
// Bias of a class without one training row: p below 1e-8.
constexpr double kNeverBias = -20;

// Chooses the features and their IDF: ln((1 + n) / (1 + df)) + 1.
void LearnVocabulary(const std::vector<Document>& documents,
                     std::span<const uint32_t> classes,
                     const LinearParams& params, LinearWeights& weights) {
  std::vector<HashCount> kept =
      CountDocuments(documents, static_cast<uint32_t>(params.min_documents));
  if (kept.size() > static_cast<size_t>(params.max_features))
    kept.resize(static_cast<size_t>(params.max_features));
  if (params.features > 0) {
    kept = SelectByChiSquared(documents, classes, weights.classes, kept,
                              static_cast<size_t>(params.features));
  }
  const auto n = static_cast<double>(documents.size());
  for (const HashCount& feature : kept) {
    weights.hashes.push_back(feature.hash);
    weights.idf.push_back(
        static_cast<float>(std::log((1 + n) / (1.0 + feature.count)) + 1));
  }
}

SparseRow MakeRow(const Document& document, const HashIndex& index,
                  const std::vector<float>& idf) {
  SparseRow row;
  float norm = 0;
  for (const HashCount& term : document) {
    const uint32_t feature = index.Find(term.hash);
    if (feature == HashIndex::kAbsent) continue;
    const float value = TermFrequency(term.count) * idf[feature];
    norm += value * value;
    row.push_back({feature, value});
  }
  for (SparseEntry& entry : row) entry.value /= std::sqrt(norm);
  std::sort(row.begin(), row.end(),
            [](const SparseEntry& a, const SparseEntry& b) {
              return a.feature < b.feature;
            });
  return row;
}

TrainingMatrix MakeMatrix(std::vector<uint32_t> classes,
                          std::vector<Document> documents,
                          const LinearWeights& weights) {
  const HashIndex index(weights.hashes);
  TrainingMatrix matrix;
  matrix.classes = std::move(classes);
  matrix.features = static_cast<uint32_t>(weights.hashes.size());
  for (Document& document : documents) {
    matrix.rows.push_back(MakeRow(document, index, weights.idf));
    Document().swap(document);
  }
  return matrix;
}

double Score(const SparseRow& row, const std::vector<double>& weights) {
  double score = weights.back();
  for (const SparseEntry& entry : row)
    score += double{entry.value} * weights[entry.feature];
  return score;
}

std::vector<uint32_t> AllRows(size_t count) {
  std::vector<uint32_t> rows(count);
  for (size_t i = 0; i < count; ++i) rows[i] = static_cast<uint32_t>(i);
  return rows;
}

// A fold per row, both classes spread evenly.
std::vector<uint32_t> AssignFolds(const std::vector<bool>& positive,
                                  uint64_t seed) {
  std::vector<uint32_t> order = AllRows(positive.size());
  Rng rng(seed);
  rng.Shuffle(order);
  std::vector<uint32_t> folds(order.size());
  uint32_t next[2] = {0, 0};
  for (const uint32_t row : order)
    folds[row] = next[positive[row] ? 1 : 0]++ % kFolds;
  return folds;
}

std::vector<bool> IsClass(const TrainingMatrix& matrix, uint32_t target) {
  std::vector<bool> positive(matrix.rows.size());
  for (size_t i = 0; i < positive.size(); ++i)
    positive[i] = matrix.classes[i] == target;
  return positive;
}

// Calibrates on scores of rows the weights have not seen.
Result<Sigmoid> Calibrate(const TrainingMatrix& matrix,
                          const std::vector<bool>& positive, uint64_t seed,
                          const BinarySolver& solver) {
  const auto positives = std::count(positive.begin(), positive.end(), true);
  const auto total = static_cast<std::ptrdiff_t>(positive.size());
  if (std::min(positives, total - positives) < std::ptrdiff_t{kFolds})
    return Sigmoid{};
  const std::vector<uint32_t> folds = AssignFolds(positive, seed);
  std::vector<double> scores(positive.size());
  for (uint32_t fold = 0; fold < kFolds; ++fold) {
    std::vector<uint32_t> rest;
    for (uint32_t row = 0; row < folds.size(); ++row)
      if (folds[row] != fold) rest.push_back(row);
    MODICUM_TRY(const std::vector<double> weights,
                solver(matrix, rest, positive));
    for (uint32_t row = 0; row < folds.size(); ++row)
      if (folds[row] == fold) scores[row] = Score(matrix.rows[row], weights);
  }
  return FitSigmoid(scores, positive);
}

// Solves one row of the weights: class `target` against the rest.
Status SolveRow(const TrainingMatrix& matrix, uint32_t target, uint32_t row,
                const LinearParams& params, uint64_t seed,
                const BinarySolver& solver, LinearWeights& weights) {
  MODICUM_TRY(const std::vector<double> solved,
              SolveOneAgainstRest(matrix, target, solver));
  for (size_t i = 0; i < weights.hashes.size(); ++i)
    weights.weights[i * weights.rows + row] = static_cast<float>(solved[i]);
  weights.bias[row] = solved.back();
  if (params.logistic) return {};
  MODICUM_TRY(const Sigmoid sigmoid,
              Calibrate(matrix, IsClass(matrix, target), seed, solver));
  weights.slope[row] = sigmoid.slope;
  weights.offset[row] = sigmoid.offset;
  return {};
}

}  // namespace

Result<std::vector<double>> SolveOneAgainstRest(const TrainingMatrix& matrix,
                                                uint32_t target,
                                                const BinarySolver& solver) {
  const std::vector<bool> positive = IsClass(matrix, target);
  if (std::find(positive.begin(), positive.end(), true) == positive.end()) {
    std::vector<double> never(matrix.features + 1);
    never.back() = kNeverBias;
    return never;
  }
  return solver(matrix, AllRows(positive.size()), positive);
}

Result<LinearParams> ParseLinearParams(const Params& params) {
  static constexpr std::string_view kKnown[] = {
      "word_ngrams", "char_ngrams",   "hash_bits",    "C",
      "solver",      "min_documents", "max_features", "features",
  };
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, "linear", kKnown));
  LinearParams out;
  MODICUM_TRY(out.config, FeatureParams(params, "1-2"));
  MODICUM_TRY(out.c, NumberParam(params, "C", out.c, 1e-6, 1e6));
  MODICUM_TRY(const std::string solver, TextParam(params, "solver", "lr"));
  if (solver != "lr" && solver != "svc") {
    return Fail(ErrorCode::kInvalidInput,
                "parameter solver = " + solver + ": 'lr' or 'svc' expected");
  }
  out.logistic = solver == "lr";
  MODICUM_TRY(out.min_documents, IntegerParam(params, "min_documents",
                                              out.min_documents, 1, 1000000));
  MODICUM_TRY(out.max_features, IntegerParam(params, "max_features",
                                             out.max_features, 1, 100000000));
  MODICUM_TRY(out.features,
              IntegerParam(params, "features", out.features, 0, 100000000));
  return out;
}

Result<LinearWeights> TrainLinear(const Dataset& data,
                                  std::span<const uint32_t> rows,
                                  const LinearParams& params,
                                  const Budget& budget,
                                  const BinarySolver& solver, PhaseSink& sink) {
  sink.Begin(Phase::kPrepare);
  MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
  MODICUM_TRY(std::vector<Document> documents,
              ReadDocuments(data, rows, params.config, budget));
  LinearWeights weights;
  weights.config = params.config;
  weights.classes = static_cast<uint32_t>(data.labels.size());
  std::vector<uint32_t> classes = ClassesOf(data, rows);
  LearnVocabulary(documents, classes, params, weights);
  const TrainingMatrix matrix =
      MakeMatrix(std::move(classes), std::move(documents), weights);

  sink.Begin(Phase::kTrain);
  weights.rows = weights.classes == 2 ? 1 : weights.classes;
  weights.bias.assign(weights.rows, 0);
  weights.slope.assign(weights.rows, 1);
  weights.offset.assign(weights.rows, 0);
  weights.weights.assign(weights.hashes.size() * weights.rows, 0);
  for (uint32_t row = 0; row < weights.rows; ++row) {
    MODICUM_RETURN_IF_ERROR(CheckNotStopped(budget.stop));
    const uint32_t target = weights.rows == 1 ? 1 : row;
    MODICUM_RETURN_IF_ERROR(
        SolveRow(matrix, target, row, params, budget.seed, solver, weights));
  }
  return weights;
}

Sigmoid FitSigmoid(std::span<const double> scores,
                   const std::vector<bool>& positive) {
  const auto n =
      static_cast<double>(std::count(positive.begin(), positive.end(), true));
  const double high = (n + 1) / (n + 2);
  const double low = 1 / (static_cast<double>(positive.size()) - n + 2);
  // Newton's method with a line search on the negative log-likelihood, which
  // is convex; z = slope * score + offset.
  const auto loss = [&](Sigmoid s) {
    double sum = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      const double z = s.slope * scores[i] + s.offset;
      const double target = positive[i] ? high : low;
      // ln(1 + e^z) - target * z, without overflow.
      sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - target * z;
    }
    return sum;
  };
  Sigmoid now{0, std::log((n + 1) / (1 / low - 1))};
  double value = loss(now);
  for (int step = 0; step < 100; ++step) {
    double ga = 0, gb = 0, haa = 1e-12, hab = 0, hbb = 1e-12;
    for (size_t i = 0; i < scores.size(); ++i) {
      const double z = now.slope * scores[i] + now.offset;
      const double p = 1 / (1 + std::exp(-z));
      const double d = p - (positive[i] ? high : low);
      const double h = p * (1 - p);
      ga += d * scores[i];
      gb += d;
      haa += h * scores[i] * scores[i];
      hab += h * scores[i];
      hbb += h;
    }
    if (std::abs(ga) < 1e-5 && std::abs(gb) < 1e-5) break;
    const double det = haa * hbb - hab * hab;
    const double da = -(hbb * ga - hab * gb) / det;
    const double db = -(haa * gb - hab * ga) / det;
    double length = 1;
    Sigmoid next = now;
    double next_value = value;
    for (; length > 1e-10; length /= 2) {
      next = {now.slope + length * da, now.offset + length * db};
      next_value = loss(next);
      if (next_value < value + 1e-4 * length * (ga * da + gb * db)) break;
    }
    if (length <= 1e-10) break;
    now = next;
    value = next_value;
  }
  return now;
}

}  // namespace modicum
