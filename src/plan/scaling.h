// SPDX-License-Identifier: Apache-2.0
// How well a language model predicts text, by its parameters N and tokens D of
// training: L = E + A / N^alpha + B / D^beta nats per token (Hoffmann et al.
// 2022, approach 3), and the sizes that follow. Training takes 6ND FLOP, a
// token served 2N.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

struct ScalingLaw {
  std::string_view id;  // "epoch"
  double e = 0, a = 0, alpha = 0, b = 0, beta = 0;
  std::string_view source;
};
// The first is the default.
std::span<const ScalingLaw> ScalingLaws();
// kInvalidInput with "did you mean".
Result<const ScalingLaw*> FindScalingLaw(std::string_view id);

struct Sizing {
  double parameters = 0;
  double tokens = 0;

  Flops training() const { return Flops(6 * parameters * tokens); }
  Flops serving(double served) const { return Flops(2 * parameters * served); }
};

double LossOf(const ScalingLaw& law, const Sizing& sizing);

// The least loss that `budget` trains.
Sizing ComputeOptimal(const ScalingLaw& law, Flops budget);
// The least training that reaches `loss`, which is above law.e.
Sizing CheapestWithLoss(const ScalingLaw& law, double loss);
// The least training and serving of `served` tokens together that reaches
// `loss` (Sardana et al. 2023, Beyond Chinchilla-Optimal).
Sizing CheapestOverLife(const ScalingLaw& law, double loss, double served);

// One standard deviation of the logarithm of the optimal parameters (and, the
// other way, tokens) at a known budget; of the loss, in nats.
double SizeSd(Flops budget);
double LossSd(const ScalingLaw& law, const Sizing& sizing);
// The law with its optimum one SizeSd() larger at that budget.
ScalingLaw ShiftedLaw(ScalingLaw law, Flops budget);

// The budget of the largest run that the law was fitted to.
inline constexpr Flops kLargestFitted{1.2956e22};

}  // namespace modicum
