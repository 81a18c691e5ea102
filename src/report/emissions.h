// SPDX-License-Identifier: Apache-2.0
// CodeCarbon's emissions.csv: its columns in its order, ours appended after,
// so that tools written for CodeCarbon read our runs. Units are CodeCarbon's:
// kg, kg/s, W, kWh, L, GB.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/types.h"

namespace modicum {

enum class EmissionsColumns { kCodeCarbon, kWithOurs };

// What a caller knows and a run does not say, by column: "experiment_id",
// "country_iso_code", "python_version". Never a figure that is measured here.
using EmissionsLabels = std::map<std::string, std::string>;

// Without the line end.
std::string EmissionsHeader(EmissionsColumns columns);
std::string EmissionsRow(const Run& run, EmissionsColumns columns,
                         const EmissionsLabels& labels = {});

// Whether AppendEmissionsRow() could: the file's columns, or, where there is no
// file yet, its folder.
Status CheckEmissionsFile(const std::string& path);

// Appends `run` to the file: the header first when the file is new or empty.
// Safe against other writers (flock, O_APPEND, one write). A file that has
// CodeCarbon's columns alone, or the fewer that we had before, gets those
// alone; one with other columns is refused with the first difference named, and
// so is a label that is none.
Status AppendEmissionsRow(const std::string& path, const Run& run,
                          const EmissionsLabels& labels = {});

}  // namespace modicum
