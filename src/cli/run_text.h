// SPDX-License-Identifier: Apache-2.0
// What `modicum run` adds to a bill: work, phases, repeats, a comparison.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/run_phases.h"
#include "evaluate/repeats.h"
#include "record/types.h"

namespace modicum {

struct RunWork {
  std::string unit;  // "token"
  double count = 0;
};

// One run of a command, ended.
struct EndedRun {
  Run run;  // with its bill
  std::optional<RunWork> work;
  std::vector<RunPhase> phases;
  bool asked = false;  // a signal to end came
  bool kept = true;    // in the ledger and the CSV file, where they are asked
};

// "per token 2.1 J [1.0, 4.4] modelled, 63 tokens" and a line per phase; ""
// when there are none.
std::string FormatExtras(const EndedRun& ended);
// The run as JSON with members "work" and "phases".
nlohmann::json ExtendedJson(const EndedRun& ended);

// One line: "2/5 A  12 s, 10 s CPU, 3.4 J [1.3, 8.9] modelled".
std::string FormatRepeat(const EndedRun& ended, int number, int of,
                         std::string_view label);

// The repeats of one command, or of two that were run in turn: `second` is
// empty or as long as `first`.
struct RepeatReport {
  std::span<const EndedRun> first;
  std::span<const EndedRun> second;
  bool same_workload = false;
};
std::string FormatRepeats(const RepeatReport& report);
nlohmann::json RepeatsJson(const RepeatReport& report);

}  // namespace modicum
