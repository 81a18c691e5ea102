// SPDX-License-Identifier: Apache-2.0
// An interval of `modicum watch` as text for people and JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/watcher.h"
#include "record/types.h"

namespace modicum {

struct WatchView {
  WatchBy by{WatchBy::kProcess};
  bool by_energy = false;  // rows by what they used so far, not by power
  size_t rows = 20;        // at most; 0: none
  size_t columns = 0;      // names are cut to fit; 0: they are not
};

// Head (the machine's power, idle, unattributed, carbon per hour), then a row
// for each consumer. What is left out is summed in a last row.
std::string FormatWatch(const WatchFrame& frame, const WatchView& view,
                        const Place& place,
                        const std::vector<std::string>& not_counted);

// Every row; energies whole, with interval, origin and scope.
nlohmann::json WatchJson(const WatchFrame& frame, const WatchBy& by,
                         const Place& place, IdlePolicy policy,
                         const std::vector<std::string>& not_counted);

}  // namespace modicum
