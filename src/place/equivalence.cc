// SPDX-License-Identifier: Apache-2.0
// Everyday things to compare a run with: data/equivalences.csv.
#include "base/csv.h"
#include "data/equivalences.h"
#include "place/place.h"

namespace modicum {
namespace {

// How many of `each` make `total`; the error of `each` is shared by its name.
template <class Q>
Estimate<Scalar> Count(const Estimate<Q>& total, Q each, double rel_sd,
                       const std::string& what) {
  const auto unit = Exactly(each, Origin::kModelled, Scope::kWall)
                        .WithShared(InternSource("one of: " + what), rel_sd);
  return Ratio(total, unit);
}

}  // namespace

std::vector<Equivalence> Equivalences(const Estimate<Joules>& facility_energy,
                                      const Estimate<GramsCo2e>& carbon) {
  static const auto* table = new EmbeddedTable(kEquivalencesCsv);
  std::vector<Equivalence> out;
  for (size_t i = 0; i < table->size(); ++i) {
    const std::string& what = table->at(i, "what");
    const std::string& basis = table->at(i, "basis");
    const double each = table->number(i, "per_unit").value();
    const double sd = table->number(i, "rel_sd").value();
    const auto count =
        basis == "kWh" ? Count(facility_energy, KilowattHours(each), sd, what)
                       : Count(carbon, GramsCo2e(each), sd, what);
    out.push_back({what, count,
                   Factor{"one of: " + what, each, basis,
                          table->at(i, "source"), table->at(i, "date")}});
  }
  return out;
}

}  // namespace modicum
