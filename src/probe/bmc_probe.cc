// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc_probe.h"

#include <fmt/format.h>

#include <cmath>
#include <mutex>
#include <thread>
#include <utility>

#include "base/environment.h"
#include "base/module_library.h"
#include "base/wait.h"
#include "probe/sensor_probe.h"

namespace modicum {
namespace {

// No machine that one BMC speaks for draws more.
constexpr Watts kBmcCap{50'000};
constexpr Watts kStep{1e-3};
// After this many askings the last answer says nothing of the present.
constexpr int kStale = 10;
// Meters of power supplies state 1 to 5 % of the reading, where they state
// anything. Assumed.
constexpr double kBmcSd = 0.05;
// What readings a second apart miss between them. Assumed.
constexpr double kBmcSamplingSd = 0.05;

// Asks on and on, in a thread of its own. It is started by the first reading
// after the one with which a source is opened: until then the process may still
// be about to give up its privileges, which it does before it has threads.
class AskedInTurn final : public CountReader {
 public:
  AskedInTurn(std::unique_ptr<BmcMeter> meter, Watts first, Seconds every)
      : meter_(std::move(meter)), every_(every), last_(first) {}

  Result<uint64_t> Read() override {
    const bool starts = ++readings_ == 2;
    if (starts)
      thread_ =
          std::jthread([this](const std::stop_token& stop) { Ask(stop); });
    const std::lock_guard lock(mutex_);
    if (starts) answered_ = SystemClock().Now();  // it can answer from now on
    if (!last_) return Fail(last_.error());
    const Seconds age = SystemClock().Now() - answered_;
    if (readings_ > 1 && age > every_ * kStale)
      return Fail(
          ErrorCode::kRetry,
          fmt::format("the BMC has not answered for {:.0f} s", age.value()));
    return static_cast<uint64_t>(std::llround(*last_ / kStep));
  }

 private:
  void Ask(const std::stop_token& stop) {
    while (WaitFor(every_, stop)) {
      auto answer = meter_->Read();
      const std::lock_guard lock(mutex_);
      last_ = std::move(answer);
      answered_ = SystemClock().Now();
    }
  }

  const std::unique_ptr<BmcMeter> meter_;
  const Seconds every_;
  std::mutex mutex_;
  Result<Watts> last_;
  MonotonicTime answered_;
  int readings_ = 0;
  std::jthread thread_;  // last: it uses the others
};

Result<SensorSource> SourceOf(std::string_view name,
                              std::unique_ptr<BmcMeter> meter,
                              MonotonicTime now, Seconds every) {
  MODICUM_TRY(const Watts first, meter->Read());
  SensorSource source;
  source.covers = meter->covers();
  source.note.message = meter->note();
  source.reading =
      fmt::format("watts, integrated; asked every {:.0f} s", every.value());
  source.errors = {{InternSource("BMC meter (assumed)"), kBmcSd},
                   {InternSource("BMC sampling (assumed)"), kBmcSamplingSd}};
  Domain domain;
  domain.name = name;
  domain.component = "wall";
  domain.scope = Scope::kHost;
  domain.origin = Origin::kSensor;
  PowerSensor sensor;
  sensor.unit = kStep;
  sensor.cap = kBmcCap;
  sensor.period = every;
  sensor.stated = true;
  source.sensors.push_back(
      {std::move(domain),
       std::make_unique<AskedInTurn>(std::move(meter), first, every), sensor});
  MODICUM_RETURN_IF_ERROR(source.sensors[0].Start(now));
  return source;
}

Result<std::unique_ptr<BmcMeter>> OpenMeter(const std::string& name,
                                            std::string_view needs) {
  MODICUM_TRY(const ModuleLibrary library,
              ModuleLibrary::Open(name, ModuleFolders(),
                                  "it asks the machine's BMC", needs));
  MODICUM_RETURN_IF_ERROR(library.CheckBuild(
      ("modicum_" + name + "_abi").c_str(), kBmcAbi, "a modicum BMC reader"));
  const auto open =
      library.Symbol<OpenBmcFunction>(("modicum_" + name).c_str());
  if (open == nullptr)
    return Fail(ErrorCode::kUnavailable,
                library.path() + " is not a modicum BMC reader", kModuleCure);
  return open(EnvironmentText);
}

// What the machine as a whole draws is not asked for beside its parts.
Status CheckAlone(const ProbeContext& context, const std::string& name) {
  if (context.counted.empty()) return {};
  return Fail(ErrorCode::kUnavailable,
              "what it covers is counted by other sources",
              "--probe " + name + " takes it alone");
}

Result<SensorSource> FindRedfish(const ProbeContext& context) {
  MODICUM_RETURN_IF_ERROR(CheckAlone(context, "redfish"));
  if (!EnvironmentText("MODICUM_REDFISH_URL"))
    return Fail(ErrorCode::kUnavailable, "no BMC is named",
                "MODICUM_REDFISH_URL names one: docs/sources.md");
  MODICUM_TRY(auto meter, OpenMeter("redfish", ""));
  return SourceOf("redfish", std::move(meter), context.now, kAskBmcEvery);
}

bool HasIpmiDevice(const RootFs& fs) {
  for (const char* device : {"/dev/ipmi0", "/dev/ipmi/0", "/dev/ipmidev/0"})
    if (fs.Exists(device)) return true;
  return false;
}

Result<SensorSource> FindIpmi(const ProbeContext& context) {
  MODICUM_RETURN_IF_ERROR(CheckAlone(context, "ipmi"));
  if (!EnvironmentText("MODICUM_IPMI_HOST")) {
    if (!HasIpmiDevice(context.fs))
      return Fail(ErrorCode::kUnavailable,
                  "there is no /dev/ipmi0, and no BMC is named",
                  context.host.virtual_machine
                      ? "MODICUM_IPMI_HOST names one: docs/sources.md"
                      : "try: modprobe ipmi_si ipmi_devintf (MODICUM_IPMI_HOST "
                        "names one on the network)");
    if (!context.fs.root().empty())
      return Fail(ErrorCode::kUnavailable,
                  "no BMC can be asked on a recorded machine");
  }
  MODICUM_TRY(auto meter, OpenMeter("ipmi", "libopenipmi0"));
  return SourceOf("ipmi", std::move(meter), context.now, kAskBmcEvery);
}

}  // namespace

Result<std::unique_ptr<Probe>> MakeBmcProbe(std::string_view name,
                                            std::unique_ptr<BmcMeter> meter,
                                            MonotonicTime now, Seconds every) {
  return OpenSource(name, SourceOf(name, std::move(meter), now, every));
}

Result<std::unique_ptr<Probe>> OpenRedfish(const ProbeContext& context) {
  return OpenSource("redfish", FindRedfish(context));
}

ProbeReport ReportRedfish(const ProbeContext& context) {
  return ReportSource("redfish", FindRedfish(context));
}

Result<std::unique_ptr<Probe>> OpenIpmi(const ProbeContext& context) {
  return OpenSource("ipmi", FindIpmi(context));
}

ProbeReport ReportIpmi(const ProbeContext& context) {
  return ReportSource("ipmi", FindIpmi(context));
}

}  // namespace modicum
