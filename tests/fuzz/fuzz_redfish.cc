// SPDX-License-Identifier: Apache-2.0
// A BMC's answers, as every form that is asked for. Powers are positive and
// finite, paths lead to the same service, and of what is chosen nothing lies
// inside another that is.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/bmc/redfish_answer.h"

namespace {

using namespace modicum;  // NOLINT(google-build-using-namespace)

void CheckPath(const std::string& path) {
  MODICUM_CHECK(path.empty() || path.starts_with("/redfish/"));
  for (const char c : path) MODICUM_CHECK(c > ' ' && c < 0x7F);
}

void CheckPower(const Result<RedfishPower>& told) {
  if (!told) return;
  CheckPath(told->sensor);
  if (!told->power) return;
  MODICUM_CHECK(std::isfinite(told->power->value()) && *told->power > Watts(0));
}

// A chassis that the answer describes, inside itself, beside others.
void CheckChoice(const RedfishChassis& chassis) {
  for (const std::string& path : {chassis.path, chassis.inside, chassis.power,
                                  chassis.metrics, chassis.sensors})
    CheckPath(path);
  RedfishChassis outer = chassis;
  outer.path = chassis.inside;
  outer.inside.clear();
  const auto chosen = ChooseRedfishChassis({chassis, outer, chassis});
  if (!chosen) return;
  for (const size_t i : *chosen) MODICUM_CHECK(i < 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckPower(ParseRedfishPower(text));
  CheckPower(ParseRedfishMetrics(text));
  CheckPower(ParseRedfishSensor(text));
  CheckPower(ParseRedfishWholeSensor(text));
  if (const auto members = ParseRedfishMembers(text))
    for (const std::string& path : *members) CheckPath(path);
  if (const auto chassis = ParseRedfishChassis(text)) CheckChoice(*chassis);
  return 0;
}
