// SPDX-License-Identifier: Apache-2.0
// What the services answer, as a series of average intensity in CSV.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// The forecast of National Energy System Operator's Carbon Intensity API, Great
// Britain: {"data": [{"from", "intensity": {"forecast", "actual"}}]}, gCO2/kWh.
Result<std::string> UkCsv(std::string_view answer);

// Electricity Maps: {"zone", "forecast": [{"datetime", "carbonIntensity"}]},
// gCO2eq/kWh, life cycle, by consumption.
Result<std::string> ElectricityMapsCsv(std::string_view answer);

// WattTime: {"meta": {"signal_type", "units"}, "data": [{"point_time",
// "value"}]}, pounds of CO2 per MWh. The average signal (co2_aoer) only: the
// marginal one (co2_moer) is refused, since a job is not charged with it.
Result<std::string> WattTimeCsv(std::string_view answer);
// "token" of its /login.
Result<std::string> WattTimeToken(std::string_view answer);

}  // namespace modicum
