// SPDX-License-Identifier: Apache-2.0
#include "probe/cpu_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "hardware/machine.h"

namespace modicum {
namespace {

constexpr std::string_view kStat = "/proc/stat";
// Ticks are credited when they end: each CPU may show a few more than the
// span holds.
constexpr double kTickSlack = 3;

// The numbers of "cpu  7912 0 1538 ...", at most ten.
std::vector<uint64_t> Numbers(std::string_view line) {
  std::vector<uint64_t> out;
  const char* at = line.data();
  const char* end = at + line.size();
  while (at != end) {
    uint64_t value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error == std::errc()) out.push_back(value);
    at = error == std::errc() ? stop : at + 1;
  }
  return out;
}

int CountCpuLines(std::string_view text) {
  int cpus = 0;
  for (size_t at = text.find("\ncpu"); at != std::string_view::npos;
       at = text.find("\ncpu", at + 1))
    ++cpus;
  return cpus;
}

// CPUs of the package that the chip's power is spread over. A guest has its
// vCPUs' share of a package; metal has the whole of each.
double PowerShare(const HostFacts& host, const CpuPower& power, int cpus) {
  if (host.virtual_machine) return 1.0 / std::max(1, power.package_threads);
  return static_cast<double>(host.sockets) / cpus;
}

std::string Percent(double fraction) {
  return fmt::format("{:.0f} %", 100 * fraction);
}

double TotalSd(const std::vector<Share>& errors) {
  double sum = 0;
  for (const Share& share : errors) sum += share.delta * share.delta;
  return std::sqrt(sum);
}

}  // namespace

const LoadCurveQuality& CpuLoadModelQuality() {
  return TypicalLoadCurveQuality();
}

Result<CpuTimes> ParseCpuTimes(std::string_view proc_stat) {
  const std::string_view first = proc_stat.substr(0, proc_stat.find('\n'));
  // user nice system idle iowait irq softirq steal (guest is in user).
  const std::vector<uint64_t> ticks = Numbers(first);
  CpuTimes times;
  times.cpus = CountCpuLines(proc_stat);
  if (!first.starts_with("cpu ") || ticks.size() < 4 || times.cpus == 0)
    return Fail(ErrorCode::kRetry,
                std::string(kStat) + " does not begin with CPU times");
  const auto at = [&ticks](size_t i) {
    return i < ticks.size() ? ticks[i] : 0;
  };
  times.busy = at(0) + at(1) + at(2) + at(5) + at(6);
  times.steal = at(7);
  return times;
}

CpuLoadProbe::CpuLoadProbe(const RootFs& fs, Model model, const CpuTimes& times,
                           MonotonicTime now)
    : stat_(fs, std::string(kStat)),
      name_(model.name),
      domain_(std::move(model.domain)),
      per_cpu_(model.per_cpu),
      errors_(std::move(model.errors)),
      last_(times),
      last_at_(now) {}

CpuLoadProbe::Model CpuLoadProbe::Typical(const HostFacts& host, int cpus) {
  const CpuPower power = PowerOf(host);
  const double share = PowerShare(host, power, cpus);
  const LoadCurveQuality& q = CpuLoadModelQuality();
  Model model{
      "cpu-load",
      {.name = "cpu",
       .component = "cpu",
       .scope = Scope::kPackage,
       .origin = Origin::kModelled,
       .counted = true},
      {power.idle * share, (power.full - power.idle) * share},
      {{InternSource(std::string(kCpuLoadModelSource) + ": " + power.chip),
        q.machine_sd},
       {InternSource(kInstructionMixSource), q.workload_sd}}};
  if (power.relative_sd > 0)
    model.errors.push_back(
        {InternSource("chip power: " + power.chip), power.relative_sd});
  std::ranges::sort(model.errors, {}, &Share::source);  // as Estimate wants
  return model;
}

// What the meter is off by is the same for all work; what the line is off by
// differs with what runs, as that of the typical machine does.
CpuLoadProbe::Model CpuLoadProbe::Learned(const Calibration& calibration,
                                          int cpus) {
  const double meter = calibration.meter_sd;
  const double line = std::sqrt(
      std::max(0.0, calibration.ln_sd * calibration.ln_sd - meter * meter));
  Model model{"wall-load",
              {.name = "wall",
               .component = "wall",
               .scope = Scope::kWall,
               .origin = Origin::kModelled,
               .counted = true},
              {calibration.idle / cpus, calibration.per_cpu},
              {{InternSource("wall meter: " + calibration.host), meter},
               {InternSource("calibration: " + calibration.host), line},
               {InternSource(kInstructionMixSource),
                CpuLoadModelQuality().workload_sd}}};
  std::ranges::sort(model.errors, {}, &Share::source);
  return model;
}

Result<std::unique_ptr<Probe>> CpuLoadProbe::Open(const ProbeContext& context) {
  MODICUM_TRY(const std::string text, context.fs.Read(kStat));
  MODICUM_TRY(const CpuTimes times, ParseCpuTimes(text));
  return std::unique_ptr<Probe>(new CpuLoadProbe(
      context.fs, Typical(context.host, times.cpus), times, context.now));
}

Result<std::unique_ptr<Probe>> CpuLoadProbe::OpenCalibrated(
    const ProbeContext& context) {
  MODICUM_TRY(const std::optional<Calibration> calibration,
              context.calibration);
  if (!calibration)
    return Fail(ErrorCode::kUnavailable, "this machine is not calibrated",
                "`modicum calibrate --help` says how, with a wall meter");
  MODICUM_TRY(const std::string text, context.fs.Read(kStat));
  MODICUM_TRY(const CpuTimes times, ParseCpuTimes(text));
  return std::unique_ptr<Probe>(new CpuLoadProbe(
      context.fs, Learned(*calibration, times.cpus), times, context.now));
}

ProbeReport CpuLoadProbe::ReportCalibrated(const ProbeContext& context) {
  const auto probe = OpenCalibrated(context);
  ProbeReport report = ReportOf("wall-load", probe);
  if (!probe) return report;
  const Calibration& c = **context.calibration;
  report.covers = fmt::format(
      "the whole machine at its plug, MODELLED from CPU time: {} idle, {} "
      "more for each busy CPU",
      FormatWithUnit(c.idle.value(), "W"),
      FormatWithUnit(c.per_cpu.value(), "W"));
  report.reason = fmt::format("1 sd {:.0f} % from {} loads, {}, {}",
                              100 * c.ln_sd, c.points, c.source, c.date);
  return report;
}

ProbeReport CpuLoadProbe::Report(const ProbeContext& context) {
  const auto probe = Open(context);
  ProbeReport report = ReportOf("cpu-load", probe);
  if (!probe) {
    report.cure = "mount /proc";
    return report;
  }
  const LoadCurveQuality& q = CpuLoadModelQuality();
  report.covers =
      "CPU packages, MODELLED from CPU time: " + PowerOf(context.host).chip;
  report.reason = fmt::format(
      "90 % interval x/÷ {:.1f}: 1 sd {} (ln) from {} points on {} machines, "
      "each predicted from the others, coverage {}; mean error {}",
      std::exp(kZ90 * TotalSd((*probe)->relative_errors())), Percent(q.ln_sd),
      q.points, q.machines, Percent(q.coverage90), Percent(q.mape));
  return report;
}

DomainDelta CpuLoadProbe::Advance(const CpuTimes& times, MonotonicTime now) {
  const CpuTimes last = std::exchange(last_, times);
  const Seconds span = now - std::exchange(last_at_, now);
  const DomainDelta gap{Joules(0), true};
  if (!std::exchange(based_, true) || times.busy < last.busy) return gap;
  const Seconds busy = kTick * static_cast<double>(times.busy - last.busy);
  // The larger count: a CPU may have gone off or come on within the span.
  const double cpus = std::max(last.cpus, times.cpus);
  if (busy > (span + kTick * kTickSlack) * cpus) return gap;
  return {per_cpu_.idle * (span * cpus) + per_cpu_.active * busy, false};
}

Result<std::vector<DomainDelta>> CpuLoadProbe::Read(MonotonicTime now) {
  Status read = stat_.ReadInto(buffer_);
  if (!read) {
    based_ = false;
    return Fail(std::move(read).error());
  }
  auto times = ParseCpuTimes(buffer_);
  if (!times) {
    based_ = false;
    return Fail(std::move(times).error());
  }
  return std::vector<DomainDelta>{Advance(*times, now)};
}

std::optional<Estimate<Watts>> CpuLoadProbe::idle_power() const {
  Estimate<Watts> idle =
      Exactly(per_cpu_.idle * static_cast<double>(last_.cpus), domain_.origin,
              domain_.scope);
  for (const Share& share : errors_) idle.WithShared(share.source, share.delta);
  return idle;
}

}  // namespace modicum
