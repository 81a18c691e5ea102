// SPDX-License-Identifier: Apache-2.0
// What runs cost by whom they are charged to: a tag's value, a project, a host.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/types.h"
#include "report/totals.h"

namespace modicum {

enum class ChargePeriod { kAll, kMonths, kDays };  // of the run's end, UTC

struct Charge {
  std::string period;  // "2026-11", "2026-11-26"; "" for all
  std::string who;     // "search"; "" for runs without that tag
  RunSum sum;
  size_t failed = 0;  // of them; they cost all the same
};

// `by`: "project", "kind", "host", or the key of a tag. By period, then by
// name, those of nobody last.
std::vector<Charge> ChargesOf(std::span<const Run> runs, std::string_view by,
                              ChargePeriod period);

// Most energy that one may use in a period; `who` empty: everyone.
struct ChargeCap {
  std::string who;
  Joules energy;
};
// The cap of its own, else the common one.
std::optional<Joules> CapOf(const Charge& charge,
                            std::span<const ChargeCap> caps);

struct ChargeView {
  std::string by;
  std::vector<ChargeCap> caps;
};
// "table", "md", "csv" (exact, base units) and "json" (estimates whole).
std::string FormatCharges(std::span<const Charge> charges,
                          const ChargeView& view, std::string_view format);

}  // namespace modicum
