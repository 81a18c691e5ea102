// SPDX-License-Identifier: Apache-2.0
// Dynamic programming over the groups. What is kept of the choices so far are
// those that no other beats in both cost and damage.
#include "shrink/bit_allocation.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace modicum {
namespace {

// A choice for the groups so far: the last group's option, and the choice
// before it in the previous front.
struct Step {
  double cost = 0;
  double damage = 0;
  size_t before = 0;
  size_t option = 0;
};
using Front = std::vector<Step>;

// By rising cost and falling damage.
Front Undominated(Front steps) {
  std::ranges::sort(steps, [](const Step& a, const Step& b) {
    return std::tie(a.cost, a.damage) < std::tie(b.cost, b.damage);
  });
  Front front;
  double least = std::numeric_limits<double>::infinity();
  for (const Step& step : steps) {
    if (step.damage >= least) continue;
    least = step.damage;
    front.push_back(step);
  }
  return front;
}

// Of each of kBitFront equal ranges of cost the one of least damage, which is
// the last. The cheapest and the least damaging stay.
Front Thinned(const Front& front) {
  if (front.size() <= kBitFront) return front;
  const double low = front.front().cost;
  const double width =
      (front.back().cost - low) / static_cast<double>(kBitFront - 1);
  const auto range = [&](const Step& step) {
    return static_cast<size_t>((step.cost - low) / width);
  };
  Front thin = {front.front()};
  for (size_t i = 1; i < front.size(); ++i) {
    const bool last =
        i + 1 == front.size() || range(front[i]) != range(front[i + 1]);
    if (last) thin.push_back(front[i]);
  }
  return thin;
}

Front Extended(const Front& front, const BitOptions& options, double bound) {
  Front steps;
  for (size_t before = 0; before < front.size(); ++before)
    for (size_t option = 0; option < options.size(); ++option) {
      const Step& from = front[before];
      const double damage = from.damage + options[option].damage;
      if (damage <= bound)
        steps.push_back(
            {from.cost + options[option].cost, damage, before, option});
    }
  return Thinned(Undominated(std::move(steps)));
}

}  // namespace

std::optional<std::vector<size_t>> AllocateBits(
    std::span<const BitOptions> groups, double bound) {
  std::vector<Front> fronts = {{Step{}}};
  for (const BitOptions& options : groups) {
    fronts.push_back(Extended(fronts.back(), options, bound));
    if (fronts.back().empty()) return std::nullopt;
  }
  std::vector<size_t> chosen(groups.size());
  size_t at = 0;  // the cheapest
  for (size_t group = groups.size(); group-- > 0;) {
    const Step& step = fronts[group + 1][at];
    chosen[group] = step.option;
    at = step.before;
  }
  return chosen;
}

}  // namespace modicum
