// SPDX-License-Identifier: Apache-2.0
// What training a head came to.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/train_result.h"

namespace modicum {

std::string FormatTrain(const TrainResult& result);
nlohmann::json TrainJson(const TrainResult& result);

}  // namespace modicum
