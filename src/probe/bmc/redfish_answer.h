// SPDX-License-Identifier: Apache-2.0
// What a Redfish service answers about power (DMTF DSP0266 and the schemas
// Chassis, Power, EnvironmentMetrics and Sensor of DSP8010).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

// "@odata.id" of each member of a collection: paths of the same service. What
// leads elsewhere is left out.
Result<std::vector<std::string>> ParseRedfishMembers(std::string_view answer);

struct RedfishChassis {
  std::string path;    // "/redfish/v1/Chassis/1"
  std::string id;      // "1"
  std::string type;    // ChassisType: "RackMount"
  std::string inside;  // path of the chassis that holds it; may be empty
  std::string power;   // paths of what tells its power; may be empty
  std::string metrics;
  std::string sensors;
};
Result<RedfishChassis> ParseRedfishChassis(std::string_view answer);

// A power, or where else it is told.
struct RedfishPower {
  std::optional<Watts> power;
  std::string sensor;             // path; may be empty
  std::optional<Seconds> over{};  // which its means are over
};
// Of Power: what the first PowerControl that is of no part of the chassis
// consumes.
Result<RedfishPower> ParseRedfishPower(std::string_view answer);
// Of EnvironmentMetrics: PowerWatts, or the sensor it is an excerpt of.
Result<RedfishPower> ParseRedfishMetrics(std::string_view answer);
// Of Sensor: its reading where it is of power, in watts.
Result<RedfishPower> ParseRedfishSensor(std::string_view answer);
// The same, of a sensor that says to be of a whole chassis.
Result<RedfishPower> ParseRedfishWholeSensor(std::string_view answer);

// Which of chassis that tell their power are counted, as indices. Of one
// inside another only the outer; racks, which hold other machines, never; parts
// (modules, cards) not beside a whole; several wholes together. kInvalidInput
// where there are only several parts, or none that is outside of all others:
// what holds what is then not known.
Result<std::vector<size_t>> ChooseRedfishChassis(
    const std::vector<RedfishChassis>& chassis);

}  // namespace modicum
