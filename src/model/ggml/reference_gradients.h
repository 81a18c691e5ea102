// SPDX-License-Identifier: Apache-2.0
// For tests: a graph's gradients against central differences of the reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "model/ggml/encoder_graph.h"
#include "model/ggml/reference_encoder.h"

namespace modicum {

// Every number of every parameter that learns. `batch` has the tokens; `asked`
// is it, or what a body made of it.
inline void ExpectGradientsOfTheReference(EncoderWeights& weights,
                                          const EncoderBatch& asked,
                                          const EncoderBatch& batch) {
  EncoderGraph graph(weights, 1, {});
  Rng rng(1);
  weights.ClearGradients();
  const auto loss = graph.Gradients(asked, {}, 1, rng);
  ASSERT_TRUE(loss);
  ReferenceEncoder reference(weights);
  EXPECT_NEAR(*loss, reference.Loss(batch), 1e-6);
  constexpr double kStep = 1e-4;
  size_t checked = 0;
  for (const Parameter& parameter : weights.learnt()) {
    std::vector<double>& values = reference.values(parameter.value->name);
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      values[i] = value + kStep;
      const double above = reference.Loss(batch);
      values[i] = value - kStep;
      const double below = reference.Loss(batch);
      values[i] = value;
      const double slope = (above - below) / (2 * kStep);
      ASSERT_NEAR(parameter.gradients()[i], slope, 1e-5 * (1 + std::abs(slope)))
          << parameter.value->name << " " << i;
      ++checked;
    }
  }
  EXPECT_EQ(checked, ParametersOf(weights.shape(), weights.learns()));
}

}  // namespace modicum
