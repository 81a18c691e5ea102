// SPDX-License-Identifier: Apache-2.0
#include "hardware/calibration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/csv.h"
#include "base/file.h"

namespace modicum {
namespace {

constexpr std::string_view kHeader =
    "host,idle_w,per_cpu_w,ln_sd,meter_sd,points,source,date";
constexpr size_t kColumns = 8;
// Between the least and the most load, in CPUs.
constexpr double kLeastSpread = 0.5;
// Two points fit any line: what it may be off in between is not seen.
constexpr double kUnseenSd = 0.2;

struct Line {
  double intercept = 0;
  double slope = 0;
};

// All but the point at `left_out`; -1: all.
Line LeastSquares(std::span<const CalibrationPoint> points, int left_out) {
  double n = 0, x = 0, y = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<int>(i) == left_out) continue;
    ++n;
    x += points[i].busy_cpus;
    y += points[i].power.value();
  }
  double xx = 0, xy = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (static_cast<int>(i) == left_out) continue;
    const double dx = points[i].busy_cpus - x / n;
    xx += dx * dx;
    xy += dx * (points[i].power.value() - y / n);
  }
  const double slope = xx > 0 ? xy / xx : 0;
  return {y / n - slope * x / n, slope};
}

double FitSd(std::span<const CalibrationPoint> points) {
  if (points.size() < 3) return kUnseenSd;
  const bool each_left_out = points.size() > 3;
  const Line all = LeastSquares(points, -1);
  double sum = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const Line line =
        each_left_out ? LeastSquares(points, static_cast<int>(i)) : all;
    const double predicted =
        std::max(line.intercept + line.slope * points[i].busy_cpus, 1e-3);
    const double off = std::log(predicted / points[i].power.value());
    sum += off * off;
  }
  // A line has two parameters of its own.
  const double freedom = each_left_out ? static_cast<double>(points.size())
                                       : static_cast<double>(points.size() - 2);
  return std::sqrt(sum / freedom);
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
  if (cells.size() != kColumns) return bad("not the columns of a calibration");
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
  return fmt::format("{},{},{},{},{},{},{},{}\n", CsvField(row.host),
                     row.idle.value(), row.per_cpu.value(), row.ln_sd,
                     row.meter_sd, row.points, CsvField(row.source), row.date);
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
  const Line line = LeastSquares(points, -1);
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
  calibration.ln_sd = std::hypot(FitSd(points), meter_sd);
  calibration.points = static_cast<int>(points.size());
  return calibration;
}

Result<std::optional<Calibration>> FindCalibration(std::string_view csv,
                                                   const std::string& file,
                                                   std::string_view key) {
  MODICUM_TRY(const auto rows, Rows(csv, file));
  for (const Calibration& row : rows)
    if (row.host == key) return std::optional(row);
  return std::optional<Calibration>();
}

Result<std::optional<Calibration>> ReadCalibration(const std::string& file,
                                                   std::string_view key) {
  if (file.empty() || access(file.c_str(), F_OK) != 0)
    return std::optional<Calibration>();
  MODICUM_TRY(const std::string text, ReadFile(file));
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
