// SPDX-License-Identifier: Apache-2.0
// The tariff's TOML, and that it says one price for every minute of the year.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/ascii.h"
#include "base/file.h"
#include "base/suggest.h"
#include "base/toml_section.h"
#include "base/trim.h"
#include "place/tariff.h"
#include "place/tariff_calendar.h"

namespace modicum {
namespace {

constexpr size_t kLargestTariff = 1 << 20;
constexpr size_t kMostBands = 100;
constexpr uint8_t kNoBand = 255;
constexpr double kHighestPrice = 1e6;  // as of --tariff

constexpr std::array<std::string_view, kMonths> kMonthWords = {
    "jan", "feb", "mar", "apr", "may", "jun",
    "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, kMonths> kMonthNames = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, kWeekdays> kDayWords = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::array<std::string_view, kWeekdays> kDayNames = {
    "Monday", "Tuesday",  "Wednesday", "Thursday",
    "Friday", "Saturday", "Sunday"};
// Of a year that is no leap year.
constexpr std::array<int, kMonths> kMonthDays = {31, 28, 31, 30, 31, 30,
                                                 31, 31, 30, 31, 30, 31};

// What a band says of one column of the calendar, all of it by default.
struct BandTimes {
  std::vector<bool> months = std::vector<bool>(kMonths, true);
  std::vector<bool> days = std::vector<bool>(kWeekdays, true);
  std::vector<bool> minutes = std::vector<bool>(kDayMinutes, true);
};

Result<size_t> WordIndex(std::string_view word,
                         std::span<const std::string_view> words) {
  const std::string lower = LowerAscii(Trim(word));
  const auto found = std::find(words.begin(), words.end(), lower);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("has '{}'{}", Trim(word), DidYouMean(lower, words)),
              fmt::format("from {} to {}, alone or as a range: {}-{}",
                          words.front(), words.back(), words[0], words[4]));
}

// "mon-fri", "sat"; a range may go over the end: "oct-mar".
Status MarkWords(const std::vector<std::string>& ranges,
                 std::span<const std::string_view> words,
                 std::vector<bool>& marks) {
  if (ranges.empty()) return {};
  marks.assign(words.size(), false);
  for (const std::string& range : ranges) {
    const size_t dash = range.find('-');
    MODICUM_TRY(const size_t first, WordIndex(range.substr(0, dash), words));
    size_t last = first;
    if (dash != std::string::npos) {
      MODICUM_TRY(last, WordIndex(range.substr(dash + 1), words));
    }
    for (size_t i = first;; i = (i + 1) % words.size()) {
      marks[i] = true;
      if (i == last) break;
    }
  }
  return {};
}

// Minutes of "06:00"; "24:00" is the day's end.
std::optional<size_t> MinuteOf(std::string_view text) {
  text = Trim(text);
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const size_t at : {0U, 1U, 3U, 4U})
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > kDayMinutes) return std::nullopt;
  return static_cast<size_t>(hour * 60 + minute);
}

// "06:00-22:00"; "22:00-06:00" is the end and the beginning of each day.
Status MarkHours(const std::vector<std::string>& ranges,
                 std::vector<bool>& marks) {
  if (ranges.empty()) return {};
  marks.assign(kDayMinutes, false);
  for (const std::string& range : ranges) {
    const size_t dash = std::min(range.find('-'), range.size());
    const auto first = MinuteOf(range.substr(0, dash));
    const auto end = MinuteOf(range.substr(std::min(dash + 1, range.size())));
    if (!first || !end || *first == *end || *first == kDayMinutes)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("has '{}', which is no range of hours", range),
                  "two times of day from 00:00 to 24:00: 06:00-22:00");
    const size_t last = *end == 0 ? kDayMinutes : *end;
    for (size_t i = *first; i != last; i = (i + 1) % kDayMinutes) {
      marks[i] = true;
      if (i + 1 == last) break;
    }
  }
  return {};
}

std::string ClockText(int minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

// 20261225 of "2026-12-25"; nullopt of what is no date.
std::optional<int> DateOf(const std::string& text) {
  int year = 0, month = 0, day = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto number = [&text](size_t from, size_t count, int& value) {
    for (size_t i = from; i < from + count; ++i) {
      if (text[i] < '0' || text[i] > '9') return false;
      value = value * 10 + (text[i] - '0');
    }
    return true;
  };
  if (!number(0, 4, year) || !number(5, 2, month) || !number(8, 2, day))
    return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
      std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  return DayNumber(year, month, day);
}

Result<Currency> CurrencyOf(const std::string& text) {
  Currency currency;
  if (text.size() != 3 || !std::all_of(text.begin(), text.end(), [](char c) {
        return c >= 'A' && c <= 'Z';
      }))
    return Fail(ErrorCode::kInvalidInput, "",
                "three capital letters (ISO 4217): EUR");
  std::copy(text.begin(), text.end(), currency.code);
  return currency;
}

}  // namespace

// Reads one file. Not thread-safe.
class TariffReader {
 public:
  TariffReader(const toml::table& root, const std::string& file)
      : root_(root), file_(file) {}

  Result<Tariff> Read() {
    TomlSection section(root_, "", file_);
    MODICUM_TRY(Tariff tariff, ReadHead(section));
    tariff.calendar_.assign(kCalendarCells, kNoBand);
    MODICUM_RETURN_IF_ERROR(ReadBands(tariff));
    MODICUM_RETURN_IF_ERROR(CheckGaps(tariff));
    SetMoments(tariff);
    return tariff;
  }

 private:
  Result<Tariff> ReadHead(TomlSection& section) {
    std::string zone, currency, source = file_, date;
    std::vector<std::string> holidays;
    section.Read("zone", zone);
    section.Read("currency", currency);
    section.Read("source", source);
    section.Read("date", date);
    section.ReadStrings("holidays", holidays);
    section.Allow("band");
    for (const char* key : {"zone", "currency", "band"}) section.Require(key);
    MODICUM_RETURN_IF_ERROR(section.Finish());
    const auto found = TimeZone::Find(zone);
    if (!found && found.error().code == ErrorCode::kUnavailable)
      return Fail(found.error());
    if (!found)
      section.Fault("zone", "'" + zone + "' is none", found.error().hint);
    const auto code = CurrencyOf(currency);
    if (!code)
      section.Fault("currency", "'" + currency + "' is none",
                    code.error().hint);
    std::set<int> dates;
    for (const std::string& day : holidays) {
      const auto number = DateOf(day);
      if (!number)
        section.Fault("holidays", "has '" + day + "', which is no date",
                      "as 2026-12-25");
      dates.insert(number.value_or(0));
    }
    MODICUM_RETURN_IF_ERROR(section.Finish());
    Tariff tariff(*found);
    tariff.currency_ = *code;
    tariff.source_ = std::move(source);
    tariff.date_ = std::move(date);
    tariff.holidays_ = std::move(dates);
    return tariff;
  }

  Status ReadBands(Tariff& tariff) {
    const toml::node& node = *root_.get("band");
    const size_t count =
        node.is_array_of_tables() ? node.as_array()->size() : 0;
    if (count == 0 || count > kMostBands)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}:{}: band must be a list of 1 to {} tables",
                              file_, node.source().begin.line, kMostBands),
                  "each begins with [[band]], in double brackets");
    for (const toml::node& band : *node.as_array())
      MODICUM_RETURN_IF_ERROR(ReadBand(*band.as_table(), tariff));
    return {};
  }

  Status ReadBand(const toml::table& table, Tariff& tariff) {
    TomlSection section(table, "band", file_);
    Tariff::Band band;
    std::vector<std::string> months, days, hours;
    section.Read("name", band.name);
    section.Read("price", band.price);
    section.ReadOneOrMore("months", months);
    section.ReadOneOrMore("days", days);
    section.ReadOneOrMore("hours", hours);
    section.Require("name");
    section.Require("price");
    MODICUM_RETURN_IF_ERROR(section.Finish());
    BandTimes times;
    const auto check = [&section](std::string_view key, const Status& read) {
      if (!read) section.Fault(key, read.error().message, read.error().hint);
    };
    check("months", MarkWords(months, kMonthWords, times.months));
    check("days", MarkWords(days, kDayWords, times.days));
    check("hours", MarkHours(hours, times.minutes));
    if (!(band.price >= 0 && band.price <= kHighestPrice))
      section.Fault("price",
                    fmt::format("{:g} is outside 0 to 1e6", band.price),
                    "the price of one kilowatt-hour: 0.25");
    if (band.name.empty()) section.Fault("name", "is empty");
    for (const Tariff::Band& other : tariff.bands_)
      if (other.name == band.name)
        section.Fault("name", "'" + band.name + "' is there twice",
                      "each band has a name of its own");
    MODICUM_RETURN_IF_ERROR(section.Finish());
    tariff.bands_.push_back(std::move(band));
    return Mark(times, table.source().begin.line, tariff);
  }

  // Puts the last band into the calendar.
  Status Mark(const BandTimes& times, size_t line, Tariff& tariff) {
    const auto index = static_cast<uint8_t>(tariff.bands_.size() - 1);
    for (int month = 0; month < kMonths; ++month)
      for (int day = 0; day < kWeekdays; ++day)
        for (int minute = 0; minute < kDayMinutes; ++minute) {
          if (!times.months[static_cast<size_t>(month)] ||
              !times.days[static_cast<size_t>(day)] ||
              !times.minutes[static_cast<size_t>(minute)])
            continue;
          uint8_t& cell = tariff.calendar_[CalendarCell(month, day, minute)];
          if (cell != kNoBand)
            return Overlap(times, line, tariff, {month, day, minute});
          cell = index;
        }
    return {};
  }

  struct Moment {
    int month, day, minute;
  };

  // "Monday 06:00 to 07:00 in January": as far as `same` holds of the minutes
  // from there on.
  template <class Same>
  static std::string Stretch(const Moment& from, Same same) {
    int end = from.minute + 1;
    while (end < kDayMinutes && same(end)) ++end;
    return fmt::format("{} {} to {} in {}",
                       kDayNames[static_cast<size_t>(from.day)],
                       ClockText(from.minute), ClockText(end),
                       kMonthNames[static_cast<size_t>(from.month)]);
  }

  tl::unexpected<Error> Overlap(const BandTimes& times, size_t line,
                                const Tariff& tariff, const Moment& at) const {
    const auto cell = [&](int minute) {
      return tariff.calendar_[CalendarCell(at.month, at.day, minute)];
    };
    const uint8_t other = cell(at.minute);
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}:{}: '{}' and '{}' both cover {}", file_, line,
                    tariff.bands_[other].name, tariff.bands_.back().name,
                    Stretch(at,
                            [&](int minute) {
                              return cell(minute) == other &&
                                     times.minutes[static_cast<size_t>(minute)];
                            })),
        "every minute has one price: change months, days or hours of one");
  }

  Status CheckGaps(const Tariff& tariff) const {
    for (int month = 0; month < kMonths; ++month)
      for (int day = 0; day < kWeekdays; ++day)
        for (int minute = 0; minute < kDayMinutes; ++minute) {
          const auto empty = [&](int at) {
            return tariff.calendar_[CalendarCell(month, day, at)] == kNoBand;
          };
          if (empty(minute))
            return Fail(ErrorCode::kInvalidInput,
                        fmt::format("{}: no band covers {}", file_,
                                    Stretch({month, day, minute}, empty)),
                        "every minute has one price: add a [[band]], or hours "
                        "to one");
        }
    return {};
  }

  static void SetMoments(Tariff& tariff) {
    double weights = 0, first = 0, second = 0;
    for (int month = 0; month < kMonths; ++month) {
      const double weight = kMonthDays[static_cast<size_t>(month)];
      for (int cell = 0; cell < kWeekdays * kDayMinutes; ++cell) {
        const uint8_t band = tariff.calendar_[CalendarCell(month, 0, 0) +
                                              static_cast<size_t>(cell)];
        const double price = tariff.bands_[band].price;
        weights += weight;
        first += weight * price;
        second += weight * price * price;
      }
    }
    tariff.mean_ = first / weights;
    tariff.sd_ = std::sqrt(
        std::max(0.0, second / weights - tariff.mean_ * tariff.mean_));
  }

  const toml::table& root_;
  const std::string& file_;
};

Result<Tariff> Tariff::Parse(std::string_view text, const std::string& file) {
  if (text.size() > kLargestTariff)
    return Fail(ErrorCode::kInvalidInput, file + ": larger than 1 MiB",
                "is it a tariff?");
  MODICUM_TRY(const toml::table root, ParseToml(text, file));
  return TariffReader(root, file).Read();
}

Result<Tariff> Tariff::Read(const std::string& file) {
  MODICUM_TRY(const std::string text, ReadFile(file));
  return Parse(text, file);
}

}  // namespace modicum
