// SPDX-License-Identifier: Apache-2.0
// The few functions of NVIDIA's management library that are used here, opened
// at run time: nothing of NVIDIA's is needed to build, and a machine without
// the library only lacks this source.
//
// Functions, structures and constants as the NVML API Reference Guide gives
// them (docs.nvidia.com/deploy/nvml-api).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace modicum {

// Opaque to us; valid until the library is closed.
using NvmlDevice = struct NvmlDeviceTag*;

// One process's use of a device since an earlier moment.
struct NvmlSample {
  unsigned pid = 0;      // as the host counts, also inside a container
  uint64_t micros = 0;   // when, on the driver's clock
  unsigned percent = 0;  // of the streaming multiprocessors' time
};

// What `code`, returned by `call`, means for who asked: kUnavailable,
// kPermission, kRetry or kEnded, with a cure.
Error NvmlError(int code, std::string_view call);

// Every call fails with kUnavailable where the driver is too old to have it.
// Not thread-safe: the sampler thread owns it.
class NvmlLibrary {
 public:
  // `path`: a file, or a name that the dynamic linker finds.
  static Result<std::unique_ptr<NvmlLibrary>> Open(const std::string& path);
  ~NvmlLibrary();
  NvmlLibrary(const NvmlLibrary&) = delete;
  NvmlLibrary& operator=(const NvmlLibrary&) = delete;

  Result<std::string> DriverVersion() const;
  Result<unsigned> Count() const;
  Result<NvmlDevice> Device(unsigned index) const;  // in PCI order
  Result<std::string> Name(NvmlDevice device) const;
  Result<std::string> Uuid(NvmlDevice device) const;  // "GPU-8f6e..."
  // Whether the device is split into instances.
  Result<bool> IsMig(NvmlDevice device) const;

  // Since the driver was loaded; Volta and newer. The whole device.
  Result<uint64_t> EnergyMillijoules(NvmlDevice device) const;
  // A mean over the last second on Ampere (but GA100) and newer, else of now.
  Result<unsigned> PowerMilliwatts(NvmlDevice device) const;
  // Of now, without the CPU that shares the module.
  Result<unsigned> InstantMilliwatts(NvmlDevice device) const;

  // Share of the last sampling period in which a kernel ran.
  Result<unsigned> BusyPercent(NvmlDevice device) const;
  // Those with a compute context.
  Result<std::vector<unsigned>> Processes(NvmlDevice device) const;
  // Newer than `since` (NvmlSample::micros); empty when there is none yet.
  Result<std::vector<NvmlSample>> Samples(NvmlDevice device,
                                          uint64_t since) const;

 private:
  struct Functions;
  explicit NvmlLibrary(void* handle);

  void* const handle_;
  std::unique_ptr<Functions> nvml_;
  bool initialised_ = false;
};

}  // namespace modicum
