// SPDX-License-Identifier: Apache-2.0
#include "plan/scaling.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/suggest.h"

namespace modicum {
namespace {

// Hoffmann et al. print 0.34 and 0.28 for 0.3392 and 0.2849, which their TeX
// source has: small in the exponents, a factor in the optimum.
constexpr std::array<ScalingLaw, 3> kLaws{{
    {"epoch", 1.8172, 482.01, 0.3478, 2085.43, 0.3658,
     "Besiroglu et al. 2024 (Epoch AI), refit of Chinchilla"},
    {"hoffmann", 1.69, 406.4, 0.34, 410.7, 0.28,
     "Hoffmann et al. 2022, as printed"},
    {"hoffmann-unrounded", 1.6934, 406.4, 0.3392, 410.7, 0.2849,
     "Hoffmann et al. 2022, TeX source"},
}};

// Standard errors of Besiroglu et al. 2024, of 4,000 bootstraps: the exponent
// of the optimal size, the exponents of the law, its irreducible loss.
constexpr double kSizeExponentSd = 0.02;
constexpr double kExponentSd = 0.02;
constexpr double kLeastLossSd = 0.03;
// An error of an exponent turns the line about the middle of the data: 245
// runs, 57.3 M to 16.2 B parameters, 0.245 to 318 B tokens (same source).
const double kMiddleFlop = std::sqrt(1.3972e18 * kLargestFitted.value());
const double kMiddleParameters = std::sqrt(57.3e6 * 16.18e9);
const double kMiddleTokens = std::sqrt(0.245e9 * 318e9);
// Of the size there. Assumed: the published errors are of each constant alone.
constexpr double kMiddleSd = 0.1;

// Tokens with which `parameters` reach `loss`.
double TokensFor(const ScalingLaw& law, double loss, double parameters) {
  const double left = loss - law.e - law.a / std::pow(parameters, law.alpha);
  return std::pow(law.b / left, 1 / law.beta);
}

// A third of the derivative of 6ND + 2NT along the curve of one loss, over N:
// it grows with N.
double Slope(const ScalingLaw& law, double loss, double parameters,
             double served) {
  const double tokens = TokensFor(law, loss, parameters);
  const double ratio = law.alpha * law.a * std::pow(parameters, -law.alpha) /
                       (law.beta * law.b * std::pow(tokens, -law.beta));
  return 3 * tokens * (1 - ratio) + served;
}

}  // namespace

std::span<const ScalingLaw> ScalingLaws() { return kLaws; }

Result<const ScalingLaw*> FindScalingLaw(std::string_view id) {
  std::vector<std::string_view> names;
  for (const ScalingLaw& law : kLaws) {
    if (law.id == id) return &law;
    names.push_back(law.id);
  }
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("unknown constants '{}'{}", id, DidYouMean(id, names)),
      "epoch, hoffmann (as printed) or hoffmann-unrounded");
}

double LossOf(const ScalingLaw& law, const Sizing& sizing) {
  return law.e + law.a / std::pow(sizing.parameters, law.alpha) +
         law.b / std::pow(sizing.tokens, law.beta);
}

Sizing ComputeOptimal(const ScalingLaw& law, Flops budget) {
  const double sum = law.alpha + law.beta;
  const double g = std::pow(law.alpha * law.a / (law.beta * law.b), 1 / sum);
  const double product = budget.value() / 6;
  const double parameters = g * std::pow(product, law.beta / sum);
  return {parameters, product / parameters};
}

// Where both terms fall alike: alpha A / N^alpha = beta B / D^beta.
Sizing CheapestWithLoss(const ScalingLaw& law, double loss) {
  const double left = loss - law.e;
  return {std::pow(law.a * (1 + law.alpha / law.beta) / left, 1 / law.alpha),
          std::pow(law.b * (1 + law.beta / law.alpha) / left, 1 / law.beta)};
}

Sizing CheapestOverLife(const ScalingLaw& law, double loss, double served) {
  // From the size that no amount of text brings to this loss up to the one
  // that trains cheapest; by halves of the logarithm.
  double low = std::pow(law.a / (loss - law.e), 1 / law.alpha);
  double high = CheapestWithLoss(law, loss).parameters;
  for (int i = 0; i < 200; ++i) {
    const double middle = std::sqrt(low * high);
    (Slope(law, loss, middle, served) > 0 ? high : low) = middle;
  }
  return {high, TokensFor(law, loss, high)};
}

double SizeSd(Flops budget) {
  return std::hypot(kMiddleSd,
                    kSizeExponentSd * std::log(budget.value() / kMiddleFlop));
}

// The optimal size is a power of A.
ScalingLaw ShiftedLaw(ScalingLaw law, Flops budget) {
  law.a *= std::exp(SizeSd(budget) * (law.alpha + law.beta));
  return law;
}

double LossSd(const ScalingLaw& law, const Sizing& sizing) {
  const double of_size = law.a / std::pow(sizing.parameters, law.alpha) *
                         std::log(sizing.parameters / kMiddleParameters);
  const double of_tokens = law.b / std::pow(sizing.tokens, law.beta) *
                           std::log(sizing.tokens / kMiddleTokens);
  return std::hypot(kLeastLossSd, kExponentSd * of_size,
                    kExponentSd * of_tokens);
}

}  // namespace modicum
