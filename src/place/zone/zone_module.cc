// SPDX-License-Identifier: Apache-2.0
// Named time zones by Abseil: the C library has local time only for the whole
// process at once. Takes nothing from the program.
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "place/time_zone.h"

namespace modicum {
namespace {

class NamedZone final : public ZoneRules {
 public:
  explicit NamedZone(absl::TimeZone zone) : zone_(zone) {}

  LocalMinute At(WallTime time) const override {
    const absl::CivilSecond local =
        absl::ToCivilSecond(absl::FromUnixMicros(time.micros), zone_);
    return {static_cast<int>(local.year()), local.month(), local.day(),
            static_cast<int>(absl::GetWeekday(local)),
            local.hour() * 60 + local.minute()};
  }

 private:
  const absl::TimeZone zone_;
};

}  // namespace

#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default"))) std::unique_ptr<ZoneRules>
modicum_zone(const std::string& name) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(name, &zone)) return nullptr;
  return std::make_unique<NamedZone>(zone);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_zone_abi() {
  return modicum::kZoneAbi;
}
