// SPDX-License-Identifier: Apache-2.0
// `modicum run --hold-until-greenest`: waits for the hours with the least
// carbon before the command starts.
#pragma once

#include <cstdio>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace modicum {

struct HoldOptions {
  bool asked = false;
  std::string deadline;       // "8h": by when the command should have ended
  std::string series;         // file, or a service: see ParseGridQuery()
  std::string folder;         // where a service's forecasts are kept
  std::string expect = "1h";  // how long it will run
};

void DeclareHold(CLI::App& app, HoldOptions& options);
// kInvalidInput: a part of it is missing, or is there without being asked for.
Status CheckHold(const HoldOptions& options);

// Reads the series, waits until its greenest window within the deadline
// begins and says on `out` for how long and what the two windows' averages
// are. kInvalidInput: the series does not cover the time; kInterrupted.
Status HoldUntilGreenest(const HoldOptions& options, Clock& clock,
                         const std::stop_token& stop, std::FILE* out);

}  // namespace modicum
