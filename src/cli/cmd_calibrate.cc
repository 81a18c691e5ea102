// SPDX-License-Identifier: Apache-2.0
// `modicum calibrate`: learns what this machine draws from a wall meter.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/wall_meter.h"
#include "hardware/machine.h"
#include "probe/probe.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

struct CalibrateOptions {
  std::string wall_cmd;
  std::string wall_probe;
  std::vector<std::string> wall_watts;
  std::optional<double> accuracy;  // percent, of the meter
  double seconds = 20;
  bool forget = false;
  bool show = false;
};

void Declare(CLI::App& app, CalibrateOptions& options) {
  app.name("modicum calibrate");
  app.add_option("--wall-cmd", options.wall_cmd,
                 "shell command that prints the meter's watts")
      ->type_name("CMD");
  app.add_option("--wall-probe", options.wall_probe,
                 "source of this machine that meters all of it: redfish, ipmi, "
                 "battery, hwmon")
      ->type_name("NAME");
  app.add_option("--wall-watts", options.wall_watts,
                 "what the meter showed with nothing running, and with all "
                 "CPUs busy")
      ->type_name("IDLE FULL")
      ->expected(2);
  app.add_option("--accuracy", options.accuracy,
                 "of the meter, in percent (1 sd): 2, or what is assumed of "
                 "--wall-probe's source")
      ->check(CLI::Range(0.1, 30.0));
  app.add_option("--seconds", options.seconds, "to hold each load")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  app.add_flag("--show", options.show, "what is known of this machine");
  app.add_flag("--forget", options.forget, "go back to the typical machine's");
}

// Which it is; exactly one.
Status CheckTogether(const CalibrateOptions& options) {
  const int ways = (options.wall_cmd.empty() ? 0 : 1) +
                   (options.wall_probe.empty() ? 0 : 1) +
                   (options.wall_watts.empty() ? 0 : 1) +
                   (options.show ? 1 : 0) + (options.forget ? 1 : 0);
  if (ways == 1) return {};
  return Fail(ErrorCode::kInvalidInput,
              ways == 0 ? "there is no meter to learn from"
                        : "one of --wall-cmd, --wall-probe, --wall-watts, "
                          "--show and --forget at a time",
              "--wall-cmd CMD reads one, --wall-probe redfish asks the BMC, "
              "--wall-watts 45 120 takes what you read");
}

// What is known apart from the line.
std::string PartsText(const Calibration& c) {
  std::string text;
  if (c.supply)
    text += fmt::format(
        "supply: {} at the plug for each watt of processors and memory, and {} "
        "for the rest;\n  1 sd {:.1f} % by their counters, {:.1f} % by busy "
        "CPUs\n",
        FormatEstimate(c.supply->per_watt), FormatEstimate(c.supply->rest),
        100 * c.supply->ln_sd, 100 * c.ln_sd);
  if (c.memory)
    text += fmt::format(
        "memory: {} more for each GB/s read than integer work, at the plug\n",
        FormatEstimate(*c.memory));
  return text;
}

std::string TextOf(const Calibration& c) {
  return fmt::format(
      "{} idle, {} more for each busy CPU, at the plug; 1 sd {:.1f} %\n  ({} "
      "loads, {}, {})\n{}",
      FormatWithUnit(c.idle.value(), "W", 3),
      FormatWithUnit(c.per_cpu.value(), "W", 3), 100 * c.ln_sd, c.points,
      PlainText(c.source), c.date, PartsText(c));
}

// What the model of a typical machine makes of the same loads.
std::string BeforeAndAfter(std::span<const CalibrationPoint> points,
                           const Calibration& calibration,
                           const HostFacts& host, const Context& context) {
  const auto typical =
      OpenProbes({context.fs, host, context.clock.Now()}, "cpu-load");
  const auto percent = [](Watts predicted, Watts shown) {
    return fmt::format("{:+.1f} %", 100 * (predicted / shown - 1));
  };
  Table table({{"busy CPUs", Align::kRight},
               {"meter", Align::kRight},
               {"typical machine, package", Align::kRight},
               {"off", Align::kRight},
               {"calibrated", Align::kRight},
               {"off", Align::kRight}});
  for (const CalibrationPoint& point : points) {
    Watts before;
    if (typical && typical->front()->idle_power())
      before = typical->front()->idle_power()->mid +
               *typical->front()->active_power_per_cpu() * point.busy_cpus;
    const Watts after = calibration.PowerAt(point.busy_cpus);
    table.AddRow(
        {fmt::format("{:.2f}", point.busy_cpus),
         FormatWithUnit(point.power.value(), "W", 3),
         FormatWithUnit(before.value(), "W", 3), percent(before, point.power),
         FormatWithUnit(after.value(), "W", 3), percent(after, point.power)});
  }
  return table.Text();
}

// What is to be learned from, and how far it may be off.
struct Lesson {
  std::vector<CalibrationPoint> points;
  std::optional<MemoryPoint> memory;  // where no counter shows its part
  double meter_sd = 0.02;
  std::string source;
};

Status HoldLoads(const Context& context, const WallMeter& meter, Seconds length,
                 const HostFacts& host, Lesson& lesson) {
  // A meter that cannot be read is found before anything is loaded.
  MODICUM_RETURN_IF_ERROR(meter());
  const int cpus = std::max(1, host.logical_cpus);
  const auto inside = OpenInside({context.fs, host, context.clock.Now()});
  const Bench bench{meter,      inside.get(),  length,
                    context.fs, context.clock, context.stop};
  const std::vector<int> loads = LoadsOf(cpus);
  Progress progress(stderr, "calibrate", loads.size() + (inside ? 0 : 1),
                    context.clock);
  for (const int load : loads) {
    progress.Update(lesson.points.size(), fmt::format("{} busy CPUs", load));
    MODICUM_TRY(lesson.points.emplace_back(), HoldLoad(bench, load));
  }
  if (inside) return {};
  progress.Update(loads.size(), "memory");
  MODICUM_TRY(lesson.memory, HoldMemoryLoad(bench, cpus, host.ram));
  return {};
}

Result<Lesson> Read(const Context& context, const CalibrateOptions& options,
                    const HostFacts& host) {
  const Seconds length(options.seconds);
  Lesson lesson;
  if (!options.wall_watts.empty()) {
    MODICUM_TRY(const Watts idle, ParseWatts(options.wall_watts[0]));
    MODICUM_TRY(const Watts full, ParseWatts(options.wall_watts[1]));
    lesson.points = {
        {0, idle},
        {std::max(1.0, static_cast<double>(host.logical_cpus)), full}};
    lesson.source = "wall meter, read by hand";
  } else if (!options.wall_probe.empty()) {
    MODICUM_TRY(const ProbedMeter meter,
                OpenProbedMeter({context.fs, host, context.clock.Now()},
                                options.wall_probe, context.clock));
    MODICUM_RETURN_IF_ERROR(
        HoldLoads(context, meter.read, length, host, lesson));
    lesson.meter_sd = meter.sd;
    lesson.source = "wall meter: the source " + options.wall_probe;
  } else {
    const WallMeter meter = [&] {
      return ReadWallMeter(options.wall_cmd, context.stop);
    };
    MODICUM_RETURN_IF_ERROR(HoldLoads(context, meter, length, host, lesson));
    lesson.source = "wall meter: " + PlainText(options.wall_cmd);
  }
  if (options.accuracy) lesson.meter_sd = *options.accuracy / 100;
  return lesson;
}

Status Write(const Context& context, const std::string& key,
             const std::optional<Calibration>& calibration) {
  const std::string& file = context.settings.calibration;
  MODICUM_TRY(std::string text, ReadCalibrations(file));
  MODICUM_TRY(text, WithCalibration(text, file, key, calibration));
  return WriteFileAtomically(file, text);
}

// Returns why a part could not be told; "" where it was, or none was asked for.
std::string LearnParts(const Lesson& lesson, Calibration& calibration) {
  const bool inside = std::ranges::any_of(lesson.points, [](const auto& point) {
    return point.inside.has_value();
  });
  const auto why = [](std::string_view part, const Error& error) {
    return fmt::format("{}: cannot be told apart: {}\n{}", part, error.message,
                       error.hint.empty() ? "" : "  " + error.hint + "\n");
  };
  if (inside) {
    const auto supply = FitSupply(lesson.points, lesson.meter_sd);
    if (!supply) return why("supply", supply.error());
    calibration.supply = *supply;
  } else if (lesson.memory) {
    const auto memory = MemoryDraw(calibration, *lesson.memory);
    if (!memory) return why("memory", memory.error());
    calibration.memory = *memory;
  }
  return "";
}

Result<int> Learn(const Context& context, const CalibrateOptions& options,
                  const HostFacts& host) {
  if (HasCards(host))
    return Fail(ErrorCode::kUnavailable,
                "a GPU is here, and the meter shows it too: its draw would "
                "count as the CPUs'",
                "GPUs are metered by themselves; calibrate needs a machine "
                "without");
  MODICUM_TRY(const Lesson lesson, Read(context, options, host));
  const std::vector<CalibrationPoint>& points = lesson.points;
  MODICUM_TRY(Calibration calibration, FitCalibration(points, lesson.meter_sd));
  const std::string not_apart = LearnParts(lesson, calibration);
  calibration.host = CalibrationKey(host);
  calibration.source = lesson.source;
  calibration.date = FormatUtc(context.clock.WallNow()).substr(0, 10);
  MODICUM_RETURN_IF_ERROR(Write(context, calibration.host, calibration));
  const std::string text = BeforeAndAfter(points, calibration, host, context) +
                           "\n" + TextOf(calibration) + not_apart + "kept in " +
                           context.settings.calibration +
                           ", used from now on\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  const auto probes =
      OpenProbes({context.fs, host, context.clock.Now(), calibration}, "");
  if (probes && probes->front()->name() != "wall-load")
    fmt::print(stderr,
               "modicum: {} measures here and goes before it: --probe "
               "wall-load takes it all the same\n",
               probes->front()->name());
  return kExitOk;
}

}  // namespace

Result<int> CmdCalibrate(Context& context,
                         const std::vector<std::string>& args) {
  CalibrateOptions options;
  CLI::App app{
      "Learns what this machine draws at its plug, idle and for each busy "
      "CPU, from a wall\nmeter; what has no sensor is metered by that from "
      "then on. Where it can be told, the\npower supply's loss or the memory's "
      "draw is learned apart.\n\n"
      "  modicum calibrate --wall-cmd 'plug-read --watts'\n"
      "  modicum calibrate --wall-probe redfish\n"
      "  modicum calibrate --wall-watts 45 120\n"};
  Declare(app, options);
  if (const auto code = ParseArgs(app, args)) return *code;
  if (const Status fine = CheckTogether(options); !fine)
    return UsageError(fine.error());
  const HostFacts host = DetectHost(context.fs);
  const std::string key = CalibrationKey(host);
  if (!options.show && !options.forget) return Learn(context, options, host);
  MODICUM_TRY(const auto known,
              ReadCalibration(context.settings.calibration, key));
  if (!known)
    return Fail(ErrorCode::kNotFound, "this machine is not calibrated",
                "`modicum calibrate --help` says how, with a wall meter");
  if (options.forget) MODICUM_RETURN_IF_ERROR(Write(context, key, {}));
  std::fputs(((options.forget ? "forgotten: " : "") + TextOf(*known)).c_str(),
             stdout);
  return kExitOk;
}

}  // namespace modicum
