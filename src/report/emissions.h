// SPDX-License-Identifier: Apache-2.0
// CodeCarbon's emissions.csv: its columns in its order, ours appended after,
// so that tools written for CodeCarbon read our runs. Units are CodeCarbon's:
// kg, kg/s, W, kWh, L, GB.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/types.h"

namespace modicum {

enum class EmissionsColumns { kCodeCarbon, kWithOurs };

// Without the line end.
std::string EmissionsHeader(EmissionsColumns columns);
std::string EmissionsRow(const Run& run, EmissionsColumns columns);

// Appends `run` to the file: the header first when the file is new or empty.
// Safe against other writers (flock, O_APPEND, one write). A file that has
// CodeCarbon's columns alone gets those alone; one with other columns is
// refused with the first difference named.
Status AppendEmissionsRow(const std::string& path, const Run& run);

}  // namespace modicum
