// SPDX-License-Identifier: Apache-2.0
// What memory, disks and networks draw by published figures, with their spread:
// data/component_power.csv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/types.h"

namespace modicum {

// The figures that are published for one thing, as one with an error.
struct PublishedFigure {
  double low = 0;
  double high = 0;
  double mid = 0;    // their geometric mean
  double ln_sd = 0;  // 1 sd of its logarithm: low to high is 90 %
  std::vector<Factor> sources;
};

// `component`: "ram", "disk", "network"; `kind`: of a disk, "hdd", "ssd",
// "nvme" or "virtual", else ""; `unit`: "W", "W/GB", "J/GB" and so on. All 0
// where there is no such row.
PublishedFigure FindFigure(std::string_view component, std::string_view kind,
                           std::string_view unit);

}  // namespace modicum
