// SPDX-License-Identifier: Apache-2.0
// What tuning found, as text and as JSON.
#pragma once

#include <string>

#include "record/tune_result.h"

namespace modicum {

std::string FormatTune(const TuneResult& result);
std::string FormatTuneJson(const TuneResult& result);

}  // namespace modicum
