// SPDX-License-Identifier: Apache-2.0
// The parts of DetectHost: each reads one corner of /proc and /sys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/root_fs.h"

namespace modicum {

// What /proc/cpuinfo says; zero counts where it says nothing.
struct CpuInfo {
  std::string model;  // x86: "model name"; ARM: "ARM Neoverse-N1"
  std::string id;     // "family 6 model 143"; empty on ARM
  int sockets = 0;
  int cores = 0;
  int logical = 0;
  bool arm = false;
  bool hypervisor = false;  // the CPUID flag
};
CpuInfo ParseCpuInfo(std::string_view text);

// CPUs in a kernel list, "0-3,8" -> 5; nullopt when it is malformed.
std::optional<int> CountCpuList(std::string_view list);

// CPUs this process may keep busy: its affinity and its cgroups' quotas, never
// more than `online` and at least 1.
int UsableCpus(const RootFs& fs, int online);

// "KVM", "VMware"; "" on metal, "unknown" when only the CPUID flag tells.
std::string DetectHypervisor(const RootFs& fs, const CpuInfo& cpu);

// Whether the AMD GPU of this folder of /sys shares its package with the CPU.
bool IsAmdApu(const RootFs& fs, const std::string& device);

// One name per GPU: "NVIDIA H100 80GB HBM3", "AMD GPU 0x740f".
std::vector<std::string> DetectGpus(const RootFs& fs);

}  // namespace modicum
