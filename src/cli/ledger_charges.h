// SPDX-License-Identifier: Apache-2.0
// `modicum ledger export --by KEY`: sums for whom runs are charged to, and
// caps on them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "report/chargeback.h"

namespace CLI {
class App;
}

namespace modicum {

struct ChargeOptions {
  std::string by;
  bool month = false;
  bool day = false;
  std::vector<std::string> caps;
};

// --by, --month, --day and --cap.
void AddChargeOptions(CLI::App& app, ChargeOptions& options);

// kInvalidInput: periods or caps without --by, a cap that is no energy.
Result<ChargeView> ChargeViewOf(const ChargeOptions& options);
ChargePeriod PeriodOf(const ChargeOptions& options);

// Says on stderr whose name no run of `runs` has: of the sums' tag, or in a
// cap, who may only not have spent yet.
void NoteUnknownNames(std::span<const Run> runs,
                      std::span<const Charge> charges, const ChargeView& view);

// Says on stderr who is past a cap, or past 80 % of it. True: somebody is past.
bool WarnOfCaps(std::span<const Charge> charges, const ChargeView& view);

}  // namespace modicum
