// SPDX-License-Identifier: Apache-2.0
#include "place/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/module_library.h"

namespace modicum {
namespace {

constexpr size_t kLongestZoneName = 64;

class FixedZone final : public ZoneRules {
 public:
  explicit FixedZone(std::chrono::minutes offset) : offset_(offset) {}

  LocalMinute At(WallTime time) const override {
    const auto local = std::chrono::floor<std::chrono::minutes>(
                           std::chrono::microseconds(time.micros)) +
                       offset_;
    const std::chrono::sys_days day(
        std::chrono::floor<std::chrono::days>(local));
    const std::chrono::year_month_day date(day);
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(std::chrono::weekday(day).iso_encoding()) - 1,
            static_cast<int>((local - day.time_since_epoch()).count())};
  }

 private:
  const std::chrono::minutes offset_;
};

bool IsZoneDigit(char c) { return c >= '0' && c <= '9'; }

// Of "UTC" and "+01:00"; nullopt when it is no offset, or over 14 hours.
std::optional<std::chrono::minutes> FixedOffset(std::string_view text) {
  if (text == "UTC") return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
    return std::nullopt;
  for (const size_t at : {1U, 2U, 4U, 5U})
    if (!IsZoneDigit(text[at])) return std::nullopt;
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return std::nullopt;
  return std::chrono::minutes((text[0] == '-' ? -1 : 1) *
                              (hours * 60 + minutes));
}

// A name of the database begins with a capital letter: no path, and no
// "localtime", which is another zone on another machine.
bool MayBeZone(std::string_view name) {
  return !name.empty() && name.size() <= kLongestZoneName && name[0] >= 'A' &&
         name[0] <= 'Z' && std::all_of(name.begin(), name.end(), [](char c) {
           return IsZoneDigit(c) || (c >= 'A' && c <= 'Z') ||
                  (c >= 'a' && c <= 'z') || c == '/' || c == '_' || c == '-' ||
                  c == '+';
         });
}

Result<std::unique_ptr<ZoneRules>> FindNamed(const std::string& name) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open("zone", ModuleFolders(),
                                  "it reads named time zones; a fixed offset, "
                                  "+01:00, needs none",
                                  "libabsl20220623"));
  MODICUM_RETURN_IF_ERROR(library.CheckBuild("modicum_zone_abi", kZoneAbi,
                                             "a modicum reader of time zones"));
  const auto find = library.Symbol<FindZoneFunction>("modicum_zone");
  if (find == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum reader of time zones",
                kModuleCure);
  return find(name);
}

}  // namespace

Result<TimeZone> TimeZone::Find(const std::string& name) {
  if (const auto offset = FixedOffset(name))
    return TimeZone(name, std::make_shared<const FixedZone>(*offset));
  std::unique_ptr<ZoneRules> rules;
  if (MayBeZone(name)) {
    MODICUM_TRY(rules, FindNamed(name));
  }
  if (rules == nullptr)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("there is no time zone '{}'", name),
                "a name of the tz database (Debian: tzdata), Europe/Warsaw, or "
                "a fixed offset, +01:00");
  return TimeZone(name, std::move(rules));
}

}  // namespace modicum
