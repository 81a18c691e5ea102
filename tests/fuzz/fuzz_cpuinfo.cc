// SPDX-License-Identifier: Apache-2.0
// /proc/cpuinfo and /proc/stat of any bytes: parsing ends, counts are not
// negative, and whatever CPU was named has a positive, finite power.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "hardware/chips.h"
#include "hardware/detect.h"
#include "hardware/machine.h"
#include "probe/cpu_load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const modicum::CpuInfo cpu = modicum::ParseCpuInfo(text);
  MODICUM_CHECK(cpu.sockets >= 0 && cpu.cores >= 0 && cpu.logical >= 0);

  modicum::HostFacts host;
  host.cpu_model = cpu.model;
  host.virtual_machine = cpu.hypervisor;
  const modicum::CpuPower power = modicum::PowerOf(host);
  MODICUM_CHECK(std::isfinite(power.full.value()));
  MODICUM_CHECK(power.idle >= modicum::Watts(0) && power.idle < power.full);
  MODICUM_CHECK(power.package_threads > 0);

  const std::string normal = modicum::NormalCpuName(text);
  MODICUM_CHECK(modicum::NormalCpuName(normal).size() <= normal.size());
  const auto cpus = modicum::CountCpuList(text);
  MODICUM_CHECK(!cpus || *cpus > 0);
  const auto times = modicum::ParseCpuTimes(text);
  MODICUM_CHECK(!times || times->cpus > 0);
  return 0;
}
