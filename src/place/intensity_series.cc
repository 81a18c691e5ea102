// SPDX-License-Identifier: Apache-2.0
#include "place/intensity_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "base/csv.h"
#include "base/format.h"
#include "base/trim.h"

namespace modicum {
namespace {

constexpr int64_t kSecond = 1'000'000;  // microseconds
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kLongestStep = 180 * kMinute;
constexpr double kMostGrams = 3000;

constexpr std::string_view kColumnsHint =
    "the header needs `time` (ISO 8601 with an offset) and `gco2e_per_kwh`, "
    "or is that of an Electricity Maps download";

// Reads digits and marks off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool Take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` of them.
  std::optional<int> Number(size_t digits) {
    if (text_.size() < digits) return std::nullopt;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }
  void SkipFraction() {
    if (!Take('.')) return;
    while (Number(1)) {
    }
  }
  bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

// Seconds after midnight; nullopt when it is no time of day.
std::optional<int> TimeOfDay(Scanner& scan) {
  const auto hour = scan.Number(2);
  if (!hour || *hour > 23 || !scan.Take(':')) return std::nullopt;
  const auto minute = scan.Number(2);
  if (!minute || *minute > 59) return std::nullopt;
  int second = 0;
  if (scan.Take(':')) {
    const auto read = scan.Number(2);
    if (!read || *read > 59) return std::nullopt;
    second = *read;
    scan.SkipFraction();
  }
  return *hour * 3600 + *minute * 60 + second;
}

// Seconds east of Greenwich: "Z", "+01:00", "+0100", "-08".
std::optional<int> Offset(Scanner& scan) {
  if (scan.Take('Z')) return 0;
  const int sign = scan.Take('+') ? 1 : scan.Take('-') ? -1 : 0;
  const auto hours = sign == 0 ? std::nullopt : scan.Number(2);
  if (!hours || *hours > 14) return std::nullopt;
  int minutes = 0;
  if (!scan.done()) {
    scan.Take(':');
    const auto read = scan.Number(2);
    if (!read || *read > 59) return std::nullopt;
    minutes = *read;
  }
  return sign * (*hours * 3600 + minutes * 60);
}

// Which cells of a row are what.
struct Columns {
  size_t time = 0, intensity = 0;
  std::optional<size_t> zone, estimated;
  bool utc = false;
  std::string name;  // of the intensity's
  IntensityKind kind = IntensityKind::kAverage;
};

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsMarginal(std::string_view header) {
  return Has(header, "marginal") || Has(header, "moer");
}
bool IsIntensity(std::string_view header) {
  return Has(header, "intensity") || Has(header, "gco2");
}
bool IsLifeCycle(std::string_view header) {
  return Has(header, "life") || Has(header, "lca");
}
bool IsOtherUnit(std::string_view header) {
  return Has(header, "mwh") || Has(header, "lb") || Has(header, "kg") ||
         Has(header, "tco2");
}

Result<Columns> ColumnsOf(const std::vector<std::string>& header,
                          std::string_view name) {
  std::optional<size_t> time, average, life_cycle, marginal;
  Columns columns;
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string lower = LowerAscii(Trim(header[i]));
    if (IsMarginal(lower)) {
      marginal = i;
    } else if (IsIntensity(lower)) {
      if (!average) average = i;
      if (IsLifeCycle(lower)) life_cycle = i;
    } else if (!time &&
               (lower.starts_with("time") || lower.starts_with("date"))) {
      time = i;
      columns.utc = Has(lower, "utc");
    } else if (lower == "zone id" || lower == "zone") {
      columns.zone = i;
    } else if (lower == "data estimated") {
      columns.estimated = i;
    }
  }
  if (!average && marginal) {
    average = marginal;
    columns.kind = IntensityKind::kMarginal;
  }
  if (!time || !average)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: no column of {}", name,
                            time ? "intensities" : "times"),
                std::string(kColumnsHint));
  columns.time = *time;
  columns.intensity = life_cycle.value_or(*average);
  columns.name = header[columns.intensity];
  const std::string chosen = LowerAscii(columns.name);
  if (IsOtherUnit(chosen) || !IsIntensity(chosen))  // "MOER": pounds per MWh
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: '{}' is not in grams per kWh", name, columns.name),
        "convert it, and name the column gco2e_per_kwh");
  return columns;
}

// nullopt of an empty cell: a gap.
Result<std::optional<double>> GramsOf(const std::string& cell) {
  const std::string_view text = Trim(cell);
  if (text.empty()) return std::optional<double>();
  double grams = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, grams);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(grams))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("'{}' is not a number", text),
                "grams of CO2e per kilowatt-hour");
  if (grams == 0)
    return Fail(ErrorCode::kInvalidInput,
                "an intensity of 0 g/kWh is missing data, not clean power",
                "leave the cell empty where nothing is known");
  if (!(grams > 0 && grams <= kMostGrams))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{:g} g/kWh is outside 0 to 3000", grams),
                "grams of CO2e per kilowatt-hour");
  return std::optional<double>(grams);
}

struct Row {
  WallTime time;
  std::optional<double> grams;  // nullopt: a gap
};
struct Rows {
  std::vector<Row> rows;
  size_t estimated = 0;
  std::string column;
  IntensityKind kind = IntensityKind::kAverage;
};

// The rows of a file, in order, each checked against the one before.
// Lifetime: the texts must outlive the reader.
class RowReader {
 public:
  RowReader(std::string_view csv, std::string_view name)
      : name_(name), reader_(WithoutMark(csv)) {}

  Result<Rows> Read() {
    while (true) {
      auto record = reader_.Next();
      if (!record) return Fail(Named(std::move(record).error(), ""));
      if (!*record) break;
      const std::vector<std::string>& cells = **record;
      if (cells[0].starts_with("#")) continue;
      if (!columns_) {
        MODICUM_TRY(columns_, ColumnsOf(cells, name_));
      } else if (Status read = Add(cells); !read) {
        return Fail(Named(std::move(read).error(),
                          fmt::format(" line {}", reader_.line())));
      }
    }
    if (columns_) {
      rows_.column = columns_->name;
      rows_.kind = columns_->kind;
    }
    return std::move(rows_);
  }

 private:
  // The byte order mark that spreadsheets write first.
  static std::string_view WithoutMark(std::string_view csv) {
    return csv.substr(csv.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  }

  Error Named(Error error, const std::string& where) const {
    error.message = fmt::format("{}{}: {}", name_, where, error.message);
    return error;
  }

  Status Add(const std::vector<std::string>& cells) {
    if (cells.size() <= std::max(columns_->time, columns_->intensity))
      return Fail(ErrorCode::kInvalidInput, "too few cells",
                  std::string(kColumnsHint));
    MODICUM_TRY(const WallTime time,
                ParseTime(Trim(cells[columns_->time]), columns_->utc));
    MODICUM_TRY(const std::optional<double> grams,
                GramsOf(cells[columns_->intensity]));
    MODICUM_RETURN_IF_ERROR(CheckOrder(time));
    MODICUM_RETURN_IF_ERROR(CheckZone(cells));
    if (grams && columns_->estimated && *columns_->estimated < cells.size() &&
        EqualIgnoringCase(Trim(cells[*columns_->estimated]), "true"))
      ++rows_.estimated;
    rows_.rows.push_back({time, grams});
    return {};
  }

  Status CheckOrder(WallTime time) const {
    if (rows_.rows.empty() || time > rows_.rows.back().time) return {};
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{} {}", FormatUtc(time),
                    time == rows_.rows.back().time ? "comes twice"
                                                   : "is before the last line"),
        "one line for each step, oldest first");
  }

  Status CheckZone(const std::vector<std::string>& cells) {
    if (!columns_->zone || *columns_->zone >= cells.size()) return {};
    const std::string& here = cells[*columns_->zone];
    if (zone_.empty()) zone_ = here;
    if (here == zone_) return {};
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("zone {} after {}", here, zone_),
                "one file for each zone");
  }

  const std::string_view name_;
  CsvReader reader_;
  std::optional<Columns> columns_;
  std::string zone_;
  Rows rows_;
};

// Microseconds; all steps are a multiple of the shortest.
Result<int64_t> StepOf(const Rows& rows, std::string_view name) {
  const std::vector<Row>& all = rows.rows;
  if (all.size() < 2)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: fewer than two steps", name),
                std::string(kColumnsHint));
  int64_t step = all[1].time.micros - all[0].time.micros;
  for (size_t i = 2; i < all.size(); ++i)
    step = std::min(step, all[i].time.micros - all[i - 1].time.micros);
  if (step < kMinute || step > kLongestStep)
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: steps of {}", name,
                    FormatDuration(Seconds(static_cast<double>(step) / 1e6))),
        "from a minute to three hours: a job is moved by hours");
  for (const Row& row : all)
    if ((row.time.micros - all[0].time.micros) % step != 0)
      return Fail(
          ErrorCode::kInvalidInput,
          fmt::format("{}: {} is between two steps", name, FormatUtc(row.time)),
          "even steps, each at the time that it begins");
  return step;
}

}  // namespace

Result<WallTime> ParseTime(std::string_view text, bool assume_utc) {
  const auto bad = [text](std::string_view what, std::string hint) {
    return Fail(ErrorCode::kInvalidInput, fmt::format("'{}' {}", text, what),
                std::move(hint));
  };
  const std::string kForm = "ISO 8601 with an offset: 2026-03-29T02:00+01:00";
  Scanner scan(text);
  const auto year = scan.Number(4);
  const bool dashes = scan.Take('-');
  const auto month = scan.Number(2);
  const bool more = scan.Take('-');
  const auto day = scan.Number(2);
  if (!year || !month || !day || !dashes || !more || *year < 1970 ||
      *year > 2200 || !(scan.Take('T') || scan.Take(' ')))
    return bad("is not a time", kForm);
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(*month)),
      std::chrono::day(static_cast<unsigned>(*day))};
  const auto seconds = TimeOfDay(scan);
  if (!date.ok() || !seconds) return bad("is not a time", kForm);
  int offset = 0;
  if (!scan.done()) {
    const auto read = Offset(scan);
    if (!read || !scan.done()) return bad("is not a time", kForm);
    offset = *read;
  } else if (!assume_utc) {
    return bad("has no offset from UTC",
               "Z or +01:00 behind it: where clocks change a local hour comes "
               "twice or never");
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return WallTime{(days * 86400 + *seconds - offset) * kSecond};
}

WallTime IntensitySeries::end() const {
  return {steps_.back().begin.micros + step_micros_};
}

Seconds IntensitySeries::step() const {
  return Seconds(static_cast<double>(step_micros_) / 1e6);
}

Result<IntensitySeries> IntensitySeries::Parse(std::string_view csv,
                                               std::string_view name) {
  if (csv.size() > kLargestSeriesFile)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: larger than 32 MiB", name),
                "a year of hours is about one");
  MODICUM_TRY(Rows rows, RowReader(csv, name).Read());
  MODICUM_TRY(const int64_t step, StepOf(rows, name));
  IntensitySeries series;
  series.step_micros_ = step;
  series.column_ = std::move(rows.column);
  series.kind_ = rows.kind;
  series.estimated_ = rows.estimated;
  int64_t covered = 0;
  double integral = 0;
  for (const Row& row : rows.rows) {
    if (!row.grams) continue;
    series.steps_.push_back({row.time, *row.grams, covered, integral});
    covered += step;
    integral += *row.grams * static_cast<double>(step);
  }
  if (series.steps_.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: every intensity is empty", name),
                std::string(kColumnsHint));
  const int64_t span =
      rows.rows.back().time.micros - rows.rows.front().time.micros;
  series.missing_ = static_cast<size_t>(span / step) + 1 - series.steps_.size();
  return series;
}

IntensitySeries::Integral IntensitySeries::UpTo(WallTime time) const {
  const auto after = std::ranges::upper_bound(steps_, time, {}, &Step::begin);
  if (after == steps_.begin()) return {};
  const Step& last = *std::prev(after);
  const int64_t into = std::min(time.micros - last.begin.micros, step_micros_);
  return {last.covered_before + into,
          last.integral_before + last.grams * static_cast<double>(into)};
}

std::string_view IntensitySeries::basis() const {
  const std::string lower = LowerAscii(column_);
  return IsLifeCycle(lower)     ? "life-cycle"
         : Has(lower, "direct") ? "direct"
                                : "life-cycle or direct not stated";
}

std::optional<SeriesIntensity> IntensitySeries::At(WallTime time) const {
  const auto after = std::ranges::upper_bound(steps_, time, {}, &Step::begin);
  if (after == steps_.begin()) return std::nullopt;
  const Step& step = *std::prev(after);
  if (time.micros - step.begin.micros >= step_micros_) return std::nullopt;
  return SeriesIntensity(step.grams);
}

WallTime IntensitySeries::NextEdge(WallTime time) const {
  if (time < begin()) return begin();
  if (time >= end()) return {std::numeric_limits<int64_t>::max()};
  const int64_t into = time.micros - begin().micros;
  return {begin().micros + (into / step_micros_ + 1) * step_micros_};
}

std::optional<SeriesIntensity> IntensitySeries::MeanOver(
    WallTime from, Seconds duration) const {
  const auto micros = static_cast<int64_t>(duration.value() * 1e6);
  const Integral before = UpTo(from);
  const Integral after = UpTo({from.micros + micros});
  if (micros <= 0 || after.covered - before.covered != micros)
    return std::nullopt;
  return SeriesIntensity((after.grams - before.grams) /
                         static_cast<double>(micros));
}

Result<std::vector<StartWindow>> StartWindows(const IntensitySeries& series,
                                              WallTime now, Seconds duration,
                                              Seconds deadline) {
  if (duration > deadline)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} do not fit before a deadline of {}",
                            FormatDuration(duration), FormatDuration(deadline)),
                "a later deadline or a shorter job");
  if (now < series.begin() || now >= series.end())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the series covers {} to {}, not {}",
                            FormatUtc(series.begin()), FormatUtc(series.end()),
                            FormatUtc(now)),
                "get a newer one, a forecast where there is one");
  const auto step = static_cast<int64_t>(series.step().value() * 1e6);
  const int64_t last =
      now.micros + static_cast<int64_t>((deadline - duration).value() * 1e6);
  std::vector<StartWindow> windows;
  const auto add = [&](WallTime start) {
    if (const auto mean = series.MeanOver(start, duration))
      windows.push_back({start, *mean});
  };
  add(now);
  const int64_t into = (now.micros - series.begin().micros) % step;
  for (int64_t start = now.micros - into + step;
       start <= std::min(last, series.end().micros); start += step)
    add({start});
  if (windows.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("no {} in a row are in the series before the "
                            "deadline; it ends {}",
                            FormatDuration(duration), FormatUtc(series.end())),
                "get a longer series, or one without gaps");
  std::ranges::stable_sort(windows, {}, &StartWindow::mean);
  return windows;
}

}  // namespace modicum
