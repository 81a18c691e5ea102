// SPDX-License-Identifier: Apache-2.0
#include "fit/payback.h"

#include "base/format.h"
#include "base/statistics.h"

namespace modicum {
namespace {

// Covariance of two estimates: the product of their shared effects.
double Covariance(const std::vector<Share>& a, const std::vector<Share>& b) {
  double sum = 0;
  for (const Share& x : a)
    for (const Share& y : b)
      if (x.source == y.source) sum += x.delta * y.delta;
  return sum;
}

}  // namespace

PaybackAnswer PaybackOf(const Estimate<Joules>& make_and_search,
                        const Estimate<Joules>& before_per_1000,
                        const Estimate<Joules>& after_per_1000) {
  const Estimate<Joules> saving = (before_per_1000 - after_per_1000) / 1000;
  const double cost = make_and_search.mid.value();
  if (saving.mid <= Joules(0))
    return {std::nullopt, "never, it saves nothing per prediction"};
  const FiellerResult fieller =
      FiellerInterval(cost, make_and_search.sd() * make_and_search.sd(),
                      saving.mid.value(), saving.sd() * saving.sd(),
                      Covariance(make_and_search.shared, saving.shared), kZ90);
  if (fieller.bounded)
    return {Payback{fieller.mid, fieller.interval.low, fieller.interval.high},
            {}};
  // The piece that holds the estimate starts at the earliest point; where it is
  // all there is, any number is possible.
  const double low = fieller.interval.low;
  return {std::nullopt,
          "not established, " +
              (low > 0 ? "from " + FormatNumber(low) + " predictions, " : "") +
              "possibly never"};
}

}  // namespace modicum
