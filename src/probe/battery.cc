// SPDX-License-Identifier: Apache-2.0
// "power_now" is in microwatts; where a battery counts charge instead,
// "current_now" (microamperes) times "voltage_now" (microvolts). Some drivers
// sign what flows out (Linux, Documentation/ABI/testing/sysfs-class-power).
#include "probe/battery.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "probe/sensor_probe.h"

namespace modicum {
namespace {

constexpr std::string_view kSupplies = "/sys/class/power_supply";
// USB Power Delivery 3.1 charges laptops with up to 240 W; none drains faster.
constexpr Watts kBatteryCap{300};
// Fuel gauges are read by the embedded controller once in a while, seldom
// faster than each second.
constexpr Seconds kPeriod{1};
// Fuel gauges state about 1 % of current; what reaches the firmware is rounded
// and smoothed. Assumed.
constexpr double kGaugeSd = 0.05;

std::string PathOf(const std::string& supply, std::string_view file) {
  return std::string(kSupplies) + "/" + supply + "/" + std::string(file);
}

Result<double> ReadMicro(const RootFs& fs, const std::string& path) {
  MODICUM_TRY(const std::string text, ReadTrimmed(fs, path));
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end)
    return Fail(ErrorCode::kRetry, path + " holds no integer");
  return std::abs(static_cast<double>(value));
}

Result<double> ReadMicrowatts(const RootFs& fs, const std::string& supply) {
  auto power = ReadMicro(fs, PathOf(supply, "power_now"));
  if (power || power.error().code != ErrorCode::kNotFound) return power;
  MODICUM_TRY(const double microamperes,
              ReadMicro(fs, PathOf(supply, "current_now")));
  MODICUM_TRY(const double microvolts,
              ReadMicro(fs, PathOf(supply, "voltage_now")));
  return microamperes * microvolts * 1e-6;
}

// Those that feed the machine, not a mouse.
Result<std::vector<std::string>> FindBatteries(const RootFs& fs) {
  std::vector<std::string> batteries;
  for (const std::string& supply :
       fs.List(kSupplies).value_or(std::vector<std::string>{})) {
    const auto text = [&](std::string_view file) {
      return ReadTrimmed(fs, PathOf(supply, file)).value_or("");
    };
    if (text("type") == "Battery" && text("scope") != "Device" &&
        text("present") != "0")
      batteries.push_back(supply);
  }
  if (batteries.empty())
    return Fail(ErrorCode::kUnavailable, "no battery is here");
  return batteries;
}

// All batteries together, while one discharges and none charges.
class BatteryReader final : public CountReader {
 public:
  BatteryReader(const RootFs& fs, std::vector<std::string> batteries)
      : fs_(fs), batteries_(std::move(batteries)) {}

  Result<uint64_t> Read() override {
    double microwatts = 0;
    bool discharges = false;
    for (const std::string& battery : batteries_) {
      MODICUM_TRY(const std::string status,
                  ReadTrimmed(fs_, PathOf(battery, "status")));
      if (status == "Charging") return NotNow(battery, status);
      if (status != "Discharging") continue;
      MODICUM_TRY(const double more, ReadMicrowatts(fs_, battery));
      microwatts += more;
      discharges = true;
    }
    if (!discharges) return NotNow(batteries_.front(), "not discharging");
    // A gauge that was not read yet after the plug was pulled.
    if (!(microwatts > 0) || microwatts > kBatteryCap.value() * 1e6)
      return Fail(ErrorCode::kRetry, "the battery tells no power yet");
    return static_cast<uint64_t>(std::llround(microwatts));
  }

 private:
  static tl::unexpected<Error> NotNow(const std::string& battery,
                                      std::string_view status) {
    std::string text(status);
    text[0] = text[0] == 'C' ? 'c' : text[0];
    return Fail(ErrorCode::kRetry, battery + " is " + text, "pull the plug");
  }

  const RootFs& fs_;
  const std::vector<std::string> batteries_;
};

Result<SensorSource> FindBattery(const ProbeContext& context) {
  MODICUM_TRY(auto batteries, FindBatteries(context.fs));
  Domain domain;
  domain.name = "battery";
  domain.component = "wall";
  domain.scope = Scope::kHost;
  domain.origin = Origin::kSensor;
  PowerSensor sensor;
  sensor.cap = kBatteryCap;
  sensor.period = kPeriod;
  std::vector<Sensor> sensors;
  sensors.push_back(
      {std::move(domain),
       std::make_unique<BatteryReader>(context.fs, std::move(batteries)),
       sensor});
  Status started = sensors[0].Start(context.now);
  if (!started) {
    Error error = std::move(started).error();
    if (error.code == ErrorCode::kRetry) error.code = ErrorCode::kUnavailable;
    return Fail(std::move(error));
  }
  return SensorSource{
      std::move(sensors),
      {{InternSource("battery gauge (assumed)"), kGaugeSd}},
      "microwatts, integrated; a new value every 1 s or as it turns out",
      "the whole machine, screen included, while it discharges",
      {ErrorCode::kUnavailable, "never chosen by itself: --probe battery", ""}};
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenBattery(const ProbeContext& context) {
  return OpenSource("battery", FindBattery(context));
}

ProbeReport ReportBattery(const ProbeContext& context) {
  return ReportSource("battery", FindBattery(context));
}

}  // namespace modicum
