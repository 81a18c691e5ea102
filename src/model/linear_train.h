// SPDX-License-Identifier: Apache-2.0
// What training a linear text model does beside the solver: parameters,
// vocabulary, TF-IDF vectors, calibration. Pure; the solver is a parameter.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/engine.h"
#include "model/linear_weights.h"

namespace modicum {

struct LinearParams {
  FeatureConfig config;
  double c = 30;                  // the inverse of the regularisation
  bool logistic = true;           // else squared hinge loss, then calibrated
  int64_t min_documents = 2;      // features in fewer are dropped
  int64_t max_features = 500000;  // the most frequent are kept
  // Of these the best by chi-squared (model/feature_selection.h); 0: all.
  int64_t features = 0;
};
// Keys: word_ngrams, char_ngrams, hash_bits, C, solver ("lr", "svc"),
// min_documents, max_features, features. An unknown key or a value out of
// range is kInvalidInput.
Result<LinearParams> ParseLinearParams(const Params& params);

struct SparseEntry {
  uint32_t feature;
  float value;
};
using SparseRow = std::vector<SparseEntry>;  // by rising feature

struct TrainingMatrix {
  std::vector<SparseRow> rows;  // unit length
  std::vector<uint32_t> classes;
  uint32_t features = 0;
};

// The weights of one class against another: positive[i] says which row is on
// the positive side. The last weight is the bias.
using BinarySolver = std::function<Result<std::vector<double>>(
    const TrainingMatrix& matrix, std::span<const uint32_t> rows,
    const std::vector<bool>& positive)>;

// The weights of class `target` against all others, the bias last. A class
// without one row gets a bias that is never right.
Result<std::vector<double>> SolveOneAgainstRest(const TrainingMatrix& matrix,
                                                uint32_t target,
                                                const BinarySolver& solver);

// Learns vocabulary, IDF and weights. Deterministic when the solver is.
Result<LinearWeights> TrainLinear(const Dataset& data,
                                  std::span<const uint32_t> rows,
                                  const LinearParams& params,
                                  const Budget& budget,
                                  const BinarySolver& solver, PhaseSink& sink);

// The sigmoid that turns scores into probabilities (Platt 1999 with the
// improvements of Lin, Lin and Weng 2007): p = 1/(1+exp(-(slope*s+offset))).
struct Sigmoid {
  double slope = 1;
  double offset = 0;
};
Sigmoid FitSigmoid(std::span<const double> scores,
                   const std::vector<bool>& positive);

}  // namespace modicum
