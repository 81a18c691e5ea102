// SPDX-License-Identifier: Apache-2.0
// Energy and power are of the socket: GPU, its memory, and of a package with
// two dies (MI250) both, told by the first of them, while the second's counter
// stays at 0 (ROCm's own tool knows second dies by that). Partitions of one
// GPU (MI300) are one device here, told by the first.
#include "probe/amd_smi.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/environment.h"
#include "hardware/detect.h"
#include "probe/amd_smi_library.h"
#include "probe/sensor_probe.h"

namespace modicum {
namespace {

// No socket draws more (MI355X: 1.4 kW), transients included.
constexpr Watts kAmdCap{3000};
constexpr Seconds kAmdJitter{0.1};
// AMD states no error bound; as NVML's and RAPL's.
constexpr double kAmdSd = 0.05;
// As of `hwmon`, which reads the same sensor.
constexpr double kAmdSamplingSd = 0.05;

// Device ids as the amdgpu driver lists them (Linux, amdgpu_drv.c).
// MI100's counter runs some thousand times too slow, as AMD's users found.
constexpr uint16_t kMi100[] = {0x7388, 0x738c, 0x738e, 0x7390};
constexpr uint16_t kTwoDies[] = {0x7408, 0x740c};  // MI250, MI250X

bool Among(std::span<const uint16_t> ids, uint16_t id) {
  return std::ranges::find(ids, id) != ids.end();
}

using Library = std::shared_ptr<const AmdSmiLibrary>;

class EnergyCount final : public CountReader {
 public:
  EnergyCount(Library library, unsigned gpu)
      : library_(std::move(library)), gpu_(gpu) {}
  Result<uint64_t> Read() override {
    MODICUM_TRY(const AmdEnergy energy, library_->Energy(gpu_));
    return energy.count;
  }

 private:
  const Library library_;
  const unsigned gpu_;
};

class PowerCount final : public CountReader {
 public:
  PowerCount(Library library, unsigned gpu)
      : library_(std::move(library)), gpu_(gpu) {}
  Result<uint64_t> Read() override { return library_->PowerMicrowatts(gpu_); }

 private:
  const Library library_;
  const unsigned gpu_;
};

std::string NameOf(std::string_view pci) {
  if (pci.starts_with("0000:")) pci.remove_prefix(5);
  return "gpu-" + std::string(pci);
}

Sensor MakeSensor(const std::string& pci, Origin origin,
                  std::unique_ptr<CountReader> reader, Gauge gauge) {
  Domain domain;
  domain.name = NameOf(pci);
  domain.component = "gpu";
  domain.scope = Scope::kDevice;
  domain.origin = origin;
  domain.device = pci;
  return {std::move(domain), std::move(reader), gauge};
}

// The counter where it can be trusted, else the sensor.
Result<Sensor> OpenGpu(const Library& library, unsigned gpu,
                       const std::string& pci, MonotonicTime now) {
  const uint16_t id = library->DeviceId(gpu).value_or(0);
  const auto energy = library->Energy(gpu);
  if (energy && !Among(kMi100, id) &&
      (energy->count > 0 || Among(kTwoDies, id))) {
    EnergyCounter counter;
    counter.unit = energy->unit;
    counter.cap = kAmdCap;
    counter.jitter = kAmdJitter;
    Sensor sensor =
        MakeSensor(pci, Origin::kCounter,
                   std::make_unique<EnergyCount>(library, gpu), counter);
    MODICUM_RETURN_IF_ERROR(sensor.Start(now));
    return sensor;
  }
  PowerSensor power;
  power.cap = kAmdCap;
  Sensor sensor = MakeSensor(pci, Origin::kSensor,
                             std::make_unique<PowerCount>(library, gpu), power);
  MODICUM_RETURN_IF_ERROR(sensor.Start(now));
  return sensor;
}

bool HasAmd(const HostFacts& host) {
  return std::ranges::any_of(
      host.gpus, [](const std::string& gpu) { return gpu.starts_with("AMD"); });
}

// A machine that was recorded has none of this one's GPUs.
Result<Library> OpenLibrary(const ProbeContext& context) {
  const auto named = EnvironmentText("MODICUM_AMD_SMI");
  if (!named) {
    if (!HasAmd(context.host))
      return Fail(ErrorCode::kUnavailable, "no AMD GPU is here", "");
    if (!context.fs.root().empty())
      return Fail(ErrorCode::kUnavailable,
                  "no AMD driver can be asked on a recorded machine", "");
  }
  MODICUM_TRY(auto library, AmdSmiLibrary::Open(named.value_or("")));
  return Library(std::move(library));
}

struct FoundGpu {
  std::vector<Sensor> sensors;
  std::string covers;
  std::optional<Error> note{};
};

void Add(FoundGpu& found, Sensor sensor) {
  const bool counter = sensor.domain.origin == Origin::kCounter;
  found.covers += fmt::format("{}{} ({})", found.covers.empty() ? "" : ", ",
                              sensor.domain.name,
                              counter ? "energy counter" : "power, integrated");
  if (counter && std::get<EnergyCounter>(sensor.gauge).last == 0)
    found.note = {ErrorCode::kUnavailable,
                  sensor.domain.name +
                      " is the second die of a package: its energy is in the "
                      "first one's",
                  ""};
  found.sensors.push_back(std::move(sensor));
}

FoundGpu FindGpus(const ProbeContext& context, const Library& library) {
  FoundGpu found;
  for (unsigned gpu = 0; gpu < library->count(); ++gpu) {
    const auto pci = library->Pci(gpu);
    if (!pci) {
      if (!found.note) found.note = pci.error();
      continue;
    }
    // "0000:29:00": of a partition only the function differs.
    const std::string socket = pci->substr(0, pci->rfind('.'));
    const bool again =
        std::ranges::any_of(found.sensors, [&socket](const Sensor& sensor) {
          return sensor.domain.device.starts_with(socket + ".");
        });
    if (again || IsAmdApu(context.fs, "/sys/bus/pci/devices/" + *pci)) continue;
    auto sensor = OpenGpu(library, gpu, *pci, context.now);
    if (sensor)
      Add(found, *std::move(sensor));
    else if (!found.note)
      found.note = Error{sensor.error().code,
                         NameOf(*pci) + ": " + sensor.error().message,
                         sensor.error().hint};
  }
  return found;
}

Result<SensorSource> FindAmdSmi(const ProbeContext& context) {
  MODICUM_TRY(const Library library, OpenLibrary(context));
  FoundGpu found = FindGpus(context, library);
  if (found.sensors.empty())
    return Fail(found.note ? *std::move(found.note)
                           : Error{ErrorCode::kUnavailable,
                                   "the driver sees no GPU outside of a CPU's "
                                   "package",
                                   ""});
  SensorSource source;
  source.errors = {{InternSource("AMD SMI accuracy (assumed)"), kAmdSd}};
  if (std::ranges::any_of(found.sensors, [](const Sensor& sensor) {
        return sensor.domain.origin == Origin::kSensor;
      }))
    source.errors.push_back(
        {InternSource("AMD SMI sampling (assumed)"), kAmdSamplingSd});
  source.sensors = std::move(found.sensors);
  source.covers = std::move(found.covers);
  source.reading = "by " + std::string(library->name());
  if (found.note) source.note = *std::move(found.note);
  return source;
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenAmdSmi(const ProbeContext& context) {
  return OpenSource("amd-smi", FindAmdSmi(context));
}

ProbeReport ReportAmdSmi(const ProbeContext& context) {
  return ReportSource("amd-smi", FindAmdSmi(context));
}

}  // namespace modicum
