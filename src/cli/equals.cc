// SPDX-License-Identifier: Apache-2.0
#include "cli/equals.h"

#include <fmt/format.h>

#include "base/format.h"
#include "place/place.h"

namespace modicum {
namespace {

double PueOf(const Bill& bill) {
  for (const Factor& factor : bill.factors)
    if (factor.name.starts_with("PUE")) return factor.value;
  return 1;
}

}  // namespace

std::string EqualsText(const Bill& bill) {
  std::string text;
  for (const Equivalence& equal :
       Equivalences(bill.energy * PueOf(bill), bill.operational))
    text +=
        fmt::format("equals    {} {} {}, at {} {} each ({}, {})\n",
                    FormatNumber(equal.count.mid.value()), equal.what,
                    FormatInterval(equal.count.interval()), equal.factor.value,
                    equal.factor.unit, equal.factor.source, equal.factor.date);
  return text;
}

}  // namespace modicum
