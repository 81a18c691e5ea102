// SPDX-License-Identifier: Apache-2.0
// What `modicum run` was asked for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "cli/run_hold.h"

namespace modicum {

// A command that did all it had to, but past its --budget.
inline constexpr int kExitOverBudget = 4;

struct RunOptions {
  std::vector<std::string> tag_words;
  std::map<std::string, std::string> tags;
  std::string csv;
  std::string json;
  std::string per;           // "token", "image", a regular expression or ""
  std::string phase_marker;  // "": the output is not read
  std::string budget_text;
  std::optional<Joules> budget;
  bool budget_kill = false;
  HoldOptions hold;
  int repeat = 0;                    // 0: not asked for
  double cooldown = 0;               // seconds between repeats
  std::vector<std::string> compare;  // two shell commands or none
  bool quiet = false;
  bool verbose = false;
  bool live = false;
  bool no_ledger = false;
  std::vector<std::string> command;

  bool repeats() const { return repeat > 1 || !compare.empty(); }
  bool reads_output() const { return !per.empty() || !phase_marker.empty(); }
};

// nullopt to go on, else the exit code.
std::optional<int> ParseRunOptions(const std::vector<std::string>& args,
                                   RunOptions& options);

// "2Wh", "1.5 kWh", "500 J", "3kJ", "1 MJ". kInvalidInput.
Result<Joules> ParseEnergy(const std::string& text);

}  // namespace modicum
