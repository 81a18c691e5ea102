// SPDX-License-Identifier: Apache-2.0
// Local time: a fixed offset, or a named zone of the system's tz database. The
// latter is read by a module, libmodicum-zone.so.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace modicum {

// As clocks and calendars on the wall show it.
struct LocalMinute {
  int year = 1970;
  int month = 1;    // 1 to 12
  int day = 1;      // of the month
  int weekday = 0;  // 0 is Monday
  int minute = 0;   // of the day
};

// Thread-safe.
struct ZoneRules {
  virtual ~ZoneRules() = default;
  virtual LocalMinute At(WallTime time) const = 0;
};

class TimeZone {
 public:
  // "UTC", "+01:00", "Europe/Warsaw". kInvalidInput for what is none of these,
  // also where the system has no tz database; kUnavailable without the module.
  static Result<TimeZone> Find(const std::string& name);

  const std::string& name() const { return name_; }
  LocalMinute At(WallTime time) const { return rules_->At(time); }

 private:
  TimeZone(std::string name, std::shared_ptr<const ZoneRules> rules)
      : name_(std::move(name)), rules_(std::move(rules)) {}

  std::string name_;
  std::shared_ptr<const ZoneRules> rules_;
};

// What the module exports, as "modicum_zone", with kZoneAbi as
// "modicum_zone_abi": null for a name that is not in the database.
using FindZoneFunction = std::unique_ptr<ZoneRules> (*)(const std::string&);
inline constexpr char kZoneAbi[] = "modicum-zone 1, " __VERSION__;

}  // namespace modicum
