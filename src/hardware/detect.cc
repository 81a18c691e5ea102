// SPDX-License-Identifier: Apache-2.0
// What machine this is, from /proc and /sys alone.
#include "hardware/detect.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "hardware/machine.h"

namespace modicum {
namespace {

constexpr std::string_view kDmi = "/sys/class/dmi/id/";
constexpr std::string_view kCpus = "/sys/devices/system/cpu";

std::string TextOr(const RootFs& fs, const std::string& path,
                   std::string otherwise = "") {
  return ReadTrimmed(fs, path).value_or(std::move(otherwise));
}

std::string Dmi(const RootFs& fs, std::string_view field) {
  return TextOr(fs, std::string(kDmi) + std::string(field));
}

// A product of a cloud that is the whole machine: "m7i.metal-24xl".
bool IsMetalInstance(const std::string& product) {
  return product.find(".metal") != std::string::npos ||
         product.ends_with("-metal");
}

// DMI strings that only a virtual machine has.
std::string HypervisorFromDmi(const RootFs& fs) {
  const std::string vendor = Dmi(fs, "sys_vendor");
  const std::string product = Dmi(fs, "product_name");
  if (IsMetalInstance(product)) return "";
  if (vendor == "Amazon EC2" || vendor == "Google" || vendor == "QEMU" ||
      vendor == "OpenStack Foundation" || vendor == "DigitalOcean" ||
      vendor == "Alibaba Cloud" || vendor == "Hetzner" ||
      product.starts_with("KVM"))
    return "KVM";
  if (product == "Virtual Machine" && vendor == "Microsoft Corporation")
    return "Hyper-V";
  if (vendor.starts_with("VMware")) return "VMware";
  if (product == "VirtualBox") return "VirtualBox";
  if (vendor == "Xen" || product.starts_with("HVM domU")) return "Xen";
  return "";
}

// The kernel offers the clock of the hypervisor it runs under.
std::string HypervisorFromClock(const RootFs& fs) {
  const std::string clocks = TextOr(
      fs, "/sys/devices/system/clocksource/clocksource0/available_clocksource");
  if (clocks.find("kvm-clock") != std::string::npos) return "KVM";
  if (clocks.find("hyperv") != std::string::npos) return "Hyper-V";
  if (clocks.find("xen") != std::string::npos) return "Xen";
  return "";
}

// Distinct values of a topology file over all CPUs, for kernels whose
// /proc/cpuinfo has none (ARM).
int CountTopology(const RootFs& fs, std::initializer_list<const char*> files) {
  std::set<std::string> seen;
  for (const std::string& name :
       fs.List(kCpus).value_or(std::vector<std::string>{})) {
    if (!name.starts_with("cpu") || name.size() < 4 || name[3] < '0' ||
        name[3] > '9')
      continue;
    std::string id;
    for (const char* file : files)
      id += TextOr(fs, std::string(kCpus) + "/" + name + "/topology/" + file) +
            "/";
    if (id.size() > files.size()) seen.insert(id);
  }
  return static_cast<int>(seen.size());
}

int Sockets(const RootFs& fs, const CpuInfo& cpu) {
  if (cpu.sockets > 0) return cpu.sockets;
  return std::max(1, CountTopology(fs, {"physical_package_id"}));
}

int Cores(const RootFs& fs, const CpuInfo& cpu, int online) {
  if (cpu.cores > 0) return cpu.cores;
  const int cores = CountTopology(fs, {"physical_package_id", "core_id"});
  return cores > 0 ? cores : online;
}

int OnlineCpus(const RootFs& fs, const CpuInfo& cpu) {
  const std::string list = TextOr(fs, std::string(kCpus) + "/online");
  return std::max(1, CountCpuList(list).value_or(cpu.logical));
}

Bytes MemTotal(const RootFs& fs) {
  const std::string text = TextOr(fs, "/proc/meminfo");
  constexpr std::string_view kKey = "MemTotal:";
  const size_t key = text.find(kKey);
  if (key == std::string::npos) return Bytes(0);
  const size_t first = text.find_first_not_of(" \t", key + kKey.size());
  if (first == std::string::npos) return Bytes(0);
  uint64_t kib = 0;
  std::from_chars(text.data() + first, text.data() + text.size(), kib);
  return Bytes(static_cast<double>(kib) * 1024);
}

// "Linux-6.1.0-x86_64", as the kernel names itself.
std::string OsName(const RootFs& fs, const CpuInfo& cpu) {
  const std::string type = TextOr(fs, "/proc/sys/kernel/ostype", "Linux");
  const std::string release = TextOr(fs, "/proc/sys/kernel/osrelease");
  // The kernel has had "arch" since 6.1; before, cpuinfo's form tells.
  const std::string arch =
      TextOr(fs, "/proc/sys/kernel/arch", cpu.arm ? "aarch64" : "x86_64");
  return type + (release.empty() ? "" : "-" + release) + "-" + arch;
}

std::string CpuModel(const RootFs& fs, const CpuInfo& cpu) {
  std::string model = cpu.model.empty() ? "unknown CPU" : cpu.model;
  if (cpu.arm) {
    // ARM cores have many makers; the board's vendor tells which.
    const std::string vendor = Dmi(fs, "sys_vendor");
    return vendor.empty() ? model : model + ", " + vendor;
  }
  if (cpu.id.empty() || FindChip(model)) return model;
  return model + " (" + cpu.id + ")";
}

}  // namespace

std::string DetectHypervisor(const RootFs& fs, const CpuInfo& cpu) {
  if (std::string name = HypervisorFromDmi(fs); !name.empty()) return name;
  if (TextOr(fs, "/sys/hypervisor/type") == "xen" && cpu.hypervisor)
    return "Xen";
  if (!cpu.hypervisor) return "";
  const std::string clock = HypervisorFromClock(fs);
  return clock.empty() ? "unknown" : clock;
}

HostFacts DetectHost(const RootFs& fs) {
  const CpuInfo cpu = ParseCpuInfo(TextOr(fs, "/proc/cpuinfo"));
  const int online = OnlineCpus(fs, cpu);
  HostFacts host;
  host.hostname = TextOr(fs, "/proc/sys/kernel/hostname");
  host.boot = TextOr(fs, "/proc/sys/kernel/random/boot_id");
  host.os = OsName(fs, cpu);
  host.cpu_model = CpuModel(fs, cpu);
  host.sockets = Sockets(fs, cpu);
  host.cores = Cores(fs, cpu, online);
  host.logical_cpus = UsableCpus(fs, online);
  host.ram = MemTotal(fs);
  host.hypervisor = DetectHypervisor(fs, cpu);
  host.virtual_machine = !host.hypervisor.empty();
  host.gpus = DetectGpus(fs);
  host.governor =
      TextOr(fs, std::string(kCpus) + "/cpu0/cpufreq/scaling_governor");
  return host;
}

}  // namespace modicum
