// SPDX-License-Identifier: Apache-2.0
// A year of a tariff: months, weekdays and minutes, and the band of each.
#pragma once

#include <cstddef>

namespace modicum {

inline constexpr int kMonths = 12;
inline constexpr int kWeekdays = 7;
inline constexpr int kSunday = 6;
inline constexpr int kDayMinutes = 1440;
inline constexpr size_t kCalendarCells =
    size_t{kMonths} * kWeekdays * kDayMinutes;

// Months and weekdays (from Monday) count from 0.
constexpr size_t CalendarCell(int month, int weekday, int minute) {
  return (static_cast<size_t>(month) * kWeekdays +
          static_cast<size_t>(weekday)) *
             kDayMinutes +
         static_cast<size_t>(minute);
}

// 20261225 of 25 December 2026.
constexpr int DayNumber(int year, int month, int day) {
  return (year * 100 + month) * 100 + day;
}

}  // namespace modicum
