// SPDX-License-Identifier: Apache-2.0
// NVIDIA GPUs: the energy counter of Volta and newer, else their power sensor
// integrated over time; and which process kept them busy.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/gauge.h"
#include "probe/nvml_library.h"
#include "probe/probe.h"

namespace modicum {

// Which library, and which of its GPUs are ours.
struct NvmlOptions {
  std::string library = "libnvidia-ml.so.1";
  // CUDA_VISIBLE_DEVICES; nullopt when not set.
  std::optional<std::string> cuda_visible{};
  // CUDA_DEVICE_ORDER is PCI_BUS_ID: CUDA counts the GPUs as NVML does.
  bool pci_order = false;
  // NVIDIA_VISIBLE_DEVICES. A container's runtime has hidden the others
  // already and numbers the rest anew: only UUIDs still have a meaning.
  std::optional<std::string> nvidia_visible{};
};
// MODICUM_NVML names another library.
NvmlOptions NvmlOptionsFromEnvironment();

// One GPU as far as the choice among them needs it.
struct NvmlGpu {
  std::string name;
  std::string uuid;
  bool mig = false;
};
// Whether each of `gpus` is visible to CUDA programs started here. Where CUDA
// numbers unlike GPUs in an order of its own, numbers choose nothing: all are.
std::vector<bool> VisibleGpus(const std::vector<NvmlGpu>& gpus,
                              const NvmlOptions& options);

// Lifetime: `fs` of Open must outlive the probe.
class NvmlProbe final : public Probe {
 public:
  // kUnavailable without the library, the driver or a visible GPU that tells
  // its energy or power; kPermission where it may not be asked.
  static Result<std::unique_ptr<Probe>> Open(const ProbeContext& context);
  static ProbeReport Report(const ProbeContext& context);

  std::string_view name() const override { return "nvml"; }
  std::span<const Domain> domains() const override { return domains_; }
  // A GPU that fails alone is a gap in its domain; one that is lost is not
  // asked again. The first one's error when none could be read.
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override;
  std::span<const DeviceUse> device_use() const override { return uses_; }
  std::vector<Share> relative_errors() const override;
  std::optional<Estimate<Watts>> idle_power() const override { return {}; }
  // Counter and sensors change every 20 to 100 ms (Zeus and SC24's "Part-time
  // power measurements" saw both); where only the mean over the last second
  // can be had, as often as that.
  Seconds update_period() const override;

 private:
  enum class Source { kCounter, kInstant, kAverage };
  struct Gpu {
    NvmlDevice device = nullptr;
    NvmlGpu facts;
    Source source = Source::kCounter;
    Gauge gauge;
    std::optional<Error> ended{};  // why it is not asked any more
    // Of its use.
    MonotonicTime used_at;
    MonotonicTime sampled_at;
    uint64_t sampled_micros = 0;
  };
  struct Found;

  NvmlProbe(std::unique_ptr<NvmlLibrary> library, Found found, bool host_pids,
            MonotonicTime now);
  static Result<Found> Find(const NvmlLibrary& library,
                            const NvmlOptions& options, MonotonicTime now);
  static Result<Gpu> OpenGpu(const NvmlLibrary& library, NvmlDevice device,
                             NvmlGpu facts, MonotonicTime now);
  // Millijoules of a counter, milliwatts of a sensor.
  static Result<uint64_t> ReadCount(const NvmlLibrary& library, const Gpu& gpu);
  static std::string Covers(const NvmlLibrary& library, const Found& found);

  Result<DomainDelta> ReadGpu(Gpu& gpu, MonotonicTime now);
  DeviceUse ReadUse(Gpu& gpu, MonotonicTime now);
  void ReadProcesses(Gpu& gpu, MonotonicTime now, DeviceUse& use);

  const std::unique_ptr<NvmlLibrary> library_;
  std::vector<Gpu> gpus_;
  std::vector<Domain> domains_;
  std::vector<DeviceUse> uses_;
  MonotonicTime read_at_;
  const bool host_pids_;  // the driver's process ids are those we see
};

}  // namespace modicum
