// SPDX-License-Identifier: Apache-2.0
#include "hardware/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <vector>

#include "base/csv.h"
#include "base/file.h"
#include "base/statistics.h"

namespace modicum {
namespace {

constexpr std::string_view kHeader =
    "host,idle_w,per_cpu_w,ln_sd,meter_sd,points,source,date,per_watt,"
    "per_watt_sd,rest_w,rest_sd_w,supply_ln_sd,memory_w_per_gbps,memory_sd";
constexpr size_t kOldColumns = 8;  // before supply and memory were learned
constexpr size_t kColumns = 15;
// Between the least and the most load, in CPUs.
constexpr double kLeastSpread = 0.5;
// Between the least and the most that counters showed, of the most.
constexpr double kLeastSpreadInside = 0.1;
// Two points fit any line: what it may be off in between is not seen.
constexpr double kUnseenSd = 0.2;

struct Line {
  double intercept = 0;
  double slope = 0;

  double At(double x) const { return intercept + slope * x; }
};

struct Point {
  double x = 0;
  double y = 0;  // watts at the plug
};

// All but the point at `left_out`; -1: all.
Line LeastSquares(std::span<const Point> points, int left_out) {
  double n = 0, x = 0, y = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<int>(i) == left_out) continue;
    ++n;
    x += points[i].x;
    y += points[i].y;
  }
  double xx = 0, xy = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<int>(i) == left_out) continue;
    const double dx = points[i].x - x / n;
    xx += dx * dx;
    xy += dx * (points[i].y - y / n);
  }
  const double slope = xx > 0 ? xy / xx : 0;
  return {y / n - slope * x / n, slope};
}

double FitSd(std::span<const Point> points) {
  if (points.size() < 3) return kUnseenSd;
  const bool each_left_out = points.size() > 3;
  const Line all = LeastSquares(points, -1);
  double sum = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const Line line =
        each_left_out ? LeastSquares(points, static_cast<int>(i)) : all;
    const double predicted = std::max(line.At(points[i].x), 1e-3);
    const double off = std::log(predicted / points[i].y);
    sum += off * off;
  }
  // A line has two parameters of its own.
  const double freedom = each_left_out ? static_cast<double>(points.size())
                                       : static_cast<double>(points.size() - 2);
  return std::sqrt(sum / freedom);
}

// Of a line's slope and of its intercept, 1 sd, as wide as Student's t makes
// the 90 % interval of few points.
Line LineSd(std::span<const Point> points, const Line& line) {
  const auto n = static_cast<double>(points.size());
  double mean = 0, squares = 0, xx = 0;
  for (const Point& point : points) mean += point.x / n;
  for (const Point& point : points) {
    const double off = point.y - line.At(point.x);
    squares += off * off;
    xx += (point.x - mean) * (point.x - mean);
  }
  const double sd =
      std::sqrt(squares / (n - 2)) * StudentQuantile(0.95, n - 2) / kZ90;
  return {sd * std::sqrt(1 / n + mean * mean / xx), sd / std::sqrt(xx)};
}

// Every watt of the meter's is as far off as the meter.
Estimate<Watts> Learned(double watts, double sd, double meter_sd) {
  auto estimate = Exactly(Watts(watts), Origin::kModelled, Scope::kWall);
  estimate.own_sd = std::hypot(sd, meter_sd * watts);
  return estimate;
}

bool ParseDouble(const std::string& text, double& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end && std::isfinite(value);
}

Result<Calibration> RowOf(const std::vector<std::string>& cells) {
  const auto bad = [](std::string_view what) {
    return Fail(ErrorCode::kInvalidInput, std::string(what),
                "`modicum calibrate` writes it anew");
  };
  if (cells.size() != kColumns && cells.size() != kOldColumns)
    return bad("not the columns of a calibration");
  Calibration row;
  row.host = cells[0];
  double idle = 0, per_cpu = 0, points = 0;
  const bool numbers =
      ParseDouble(cells[1], idle) && ParseDouble(cells[2], per_cpu) &&
      ParseDouble(cells[3], row.ln_sd) && ParseDouble(cells[4], row.meter_sd) &&
      ParseDouble(cells[5], points);
  if (!numbers || idle < 0 || per_cpu <= 0 || row.ln_sd <= 0 ||
      row.ln_sd > 10 || row.meter_sd < 0 || points < 2 || points > 1e6)
    return bad("a number is missing or impossible");
  row.idle = Watts(idle);
  row.per_cpu = Watts(per_cpu);
  row.points = static_cast<int>(points);
  row.source = cells[6];
  row.date = cells[7];
  if (cells.size() == kOldColumns) return row;
  std::array<double, 7> more{};
  for (size_t i = 0; i < more.size(); ++i)
    if (const std::string& cell = cells[kOldColumns + i];
        !cell.empty() && !ParseDouble(cell, more[i]))
      return bad("a number is missing or impossible");
  if (more[1] < 0 || more[3] < 0 || more[4] < 0 || more[6] < 0)
    return bad("a number is missing or impossible");
  if (!cells[8].empty())
    row.supply = {Learned(more[0], more[1], 0), Learned(more[2], more[3], 0),
                  more[4]};
  if (!cells[13].empty()) row.memory = Learned(more[5], more[6], 0);
  return row;
}

Result<std::vector<Calibration>> Rows(std::string_view csv,
                                      const std::string& file) {
  std::vector<Calibration> rows;
  CsvReader reader(csv);
  while (true) {
    const auto record = reader.Next();
    if (!record) return Fail(reader.Located(file, record.error()));
    if (!*record) return rows;
    if ((**record)[0] == "host") continue;
    auto row = RowOf(**record);
    if (!row) return Fail(reader.Located(file, row.error()));
    rows.push_back(*std::move(row));
  }
}

std::string TextOf(const Calibration& row) {
  const auto pair = [](const Estimate<Watts>& learned) {
    return fmt::format("{},{}", learned.mid.value(), learned.own_sd);
  };
  const std::string supply =
      row.supply ? fmt::format("{},{},{}", pair(row.supply->per_watt),
                               pair(row.supply->rest), row.supply->ln_sd)
                 : ",,,,";
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", CsvField(row.host),
                     row.idle.value(), row.per_cpu.value(), row.ln_sd,
                     row.meter_sd, row.points, CsvField(row.source), row.date,
                     supply, row.memory ? pair(*row.memory) : ",");
}

}  // namespace

std::string CalibrationKey(const HostFacts& host) {
  return fmt::format("{}; {}; {} CPUs", host.hostname, host.cpu_model,
                     host.logical_cpus);
}

Result<Calibration> FitCalibration(std::span<const CalibrationPoint> points,
                                   double meter_sd) {
  const auto bad = [](std::string message, std::string hint) {
    return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
  };
  double least = 1e300;
  double most = -1e300;
  for (const CalibrationPoint& point : points) {
    if (!(point.power > Watts(0)) || !std::isfinite(point.power.value()))
      return bad("the meter showed no power",
                 "it must show watts, more than 0, of this machine");
    least = std::min(least, point.busy_cpus);
    most = std::max(most, point.busy_cpus);
  }
  if (points.size() < 2 || most - least < kLeastSpread)
    return bad(fmt::format("the load differed by {:.2f} CPUs only",
                           points.empty() ? 0 : most - least),
               "let nothing else run meanwhile, so that idle is idle");
  std::vector<Point> by_load;
  for (const CalibrationPoint& point : points)
    by_load.push_back({point.busy_cpus, point.power.value()});
  const Line line = LeastSquares(by_load, -1);
  if (line.slope <= 0 || line.intercept < 0)
    return bad(
        fmt::format(
            "the meter's power does not follow the load ({:.3g} W idle, "
            "{:.3g} W more for each busy CPU)",
            line.intercept, line.slope),
        "does it show this machine, and soon enough? --seconds holds each load "
        "for longer");
  Calibration calibration;
  calibration.idle = Watts(line.intercept);
  calibration.per_cpu = Watts(line.slope);
  calibration.meter_sd = meter_sd;
  calibration.ln_sd = std::hypot(FitSd(by_load), meter_sd);
  calibration.points = static_cast<int>(points.size());
  return calibration;
}

Result<SupplyLine> FitSupply(std::span<const CalibrationPoint> points,
                             double meter_sd) {
  std::vector<Point> inside;
  for (const CalibrationPoint& point : points)
    if (point.inside)
      inside.push_back({point.inside->value(), point.power.value()});
  const auto bad = [](std::string message, std::string hint) {
    return Fail(ErrorCode::kInvalidInput, std::move(message), std::move(hint));
  };
  if (inside.size() < 3)
    return bad("the counters were read at fewer than three loads",
               "a machine with more CPUs has more");
  const auto [least, most] = std::ranges::minmax(inside, {}, &Point::x);
  if (most.x - least.x < kLeastSpreadInside * most.x || most.x <= 0)
    return bad(fmt::format("the counters showed {:.3g} W to {:.3g} W only",
                           least.x, most.x),
               "let nothing else run meanwhile, so that idle is idle");
  const Line line = LeastSquares(inside, -1);
  const Line sd = LineSd(inside, line);
  SupplyLine supply{Learned(line.slope, sd.slope, meter_sd),
                    Learned(line.intercept, sd.intercept, meter_sd),
                    std::hypot(FitSd(inside), meter_sd)};
  if (line.slope + kZ90 * supply.per_watt.own_sd < 1)
    return bad(fmt::format("a watt inside is {:.3g} W at the plug, and no "
                           "supply gives more than it takes",
                           line.slope),
               "does the meter show this machine, and soon enough?");
  return supply;
}

Result<Estimate<Watts>> MemoryDraw(const Calibration& calibration,
                                   const MemoryPoint& point) {
  const Watts expected = calibration.PowerAt(point.load.busy_cpus);
  const Watts more = point.load.power - expected;
  const double sd = calibration.ln_sd * expected.value();
  if (more.value() <= kZ90 * sd || point.gigabytes_per_second <= 0)
    return Fail(
        ErrorCode::kUnavailable,
        fmt::format("reading {:.3g} GB/s drew {:+.2g} W beside integer "
                    "work, and the line is within {:.2g} W",
                    point.gigabytes_per_second, more.value(), kZ90 * sd),
        "");
  return Learned(more.value() / point.gigabytes_per_second,
                 sd / point.gigabytes_per_second, calibration.meter_sd);
}

Result<std::optional<Calibration>> FindCalibration(std::string_view csv,
                                                   const std::string& file,
                                                   std::string_view key) {
  MODICUM_TRY(const auto rows, Rows(csv, file));
  for (const Calibration& row : rows)
    if (row.host == key) return std::optional(row);
  return std::optional<Calibration>();
}

Result<std::string> ReadCalibrations(const std::string& file) {
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  if (!std::filesystem::exists(status) ||
      std::filesystem::is_character_file(status))
    return std::string();
  return ReadFile(file);
}

Result<std::optional<Calibration>> ReadCalibration(const std::string& file,
                                                   std::string_view key) {
  MODICUM_TRY(const std::string text, ReadCalibrations(file));
  return FindCalibration(text, file, key);
}

Result<std::string> WithCalibration(
    std::string_view csv, const std::string& file, std::string_view key,
    const std::optional<Calibration>& calibration) {
  MODICUM_TRY(const auto rows, Rows(csv, file));
  std::string text = std::string(kHeader) + "\n";
  for (const Calibration& row : rows)
    if (row.host != key) text += TextOf(row);
  if (calibration) text += TextOf(*calibration);
  return text;
}

}  // namespace modicum
