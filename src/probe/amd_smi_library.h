// SPDX-License-Identifier: Apache-2.0
// The few functions of AMD's management libraries that are used here, opened
// at run time: nothing of AMD's is needed to build, and a machine without them
// only lacks this source.
//
// AMD SMI (libamd_smi.so) as its API reference of ROCm 7.1.1 has it, and 6.2.1
// for the older form of a power reading; ROCm SMI (librocm_smi64.so), which
// AMD SMI replaces, as rocm_smi.h of ROCm 6.4 has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace modicum {

// `count` of `unit` since the driver was loaded.
struct AmdEnergy {
  uint64_t count = 0;
  Joules unit;
};

// Not thread-safe: the sampler thread owns it. GPUs are numbered from 0. A
// call fails with kUnavailable where the GPU or the library lacks it,
// kPermission where it may not be asked, else with kRetry.
class AmdSmiLibrary {
 public:
  // `path`: a file, or a name that the dynamic linker finds; which of the two
  // libraries it is, its symbols tell. "": AMD SMI where it is installed, else
  // ROCm SMI.
  static Result<std::unique_ptr<AmdSmiLibrary>> Open(const std::string& path);
  virtual ~AmdSmiLibrary() = default;

  virtual std::string_view name() const = 0;  // "AMD SMI"
  virtual unsigned count() const = 0;
  // "0000:29:00.0"; partitions of one GPU have the same.
  virtual Result<std::string> Pci(unsigned gpu) const = 0;
  virtual Result<uint16_t> DeviceId(unsigned gpu) const = 0;
  virtual Result<AmdEnergy> Energy(unsigned gpu) const = 0;
  virtual Result<uint64_t> PowerMicrowatts(unsigned gpu) const = 0;
};

}  // namespace modicum
