// SPDX-License-Identifier: Apache-2.0
// GPUs by PCI class, whether or not a driver or a probe knows them.
#include <algorithm>
#include <map>

#include "hardware/detect.h"
#include "hardware/machine.h"

namespace modicum {
namespace {

constexpr std::string_view kPci = "/sys/bus/pci/devices";
constexpr std::string_view kNvidia = "/proc/driver/nvidia/gpus";

// Graphics that sits in the CPU's package is part of the package's energy.
constexpr std::string_view kIntegratedIntel = "0000:00:02.0";
constexpr std::string_view kIntegratedMark = " (in the CPU package)";
// AMD's driver has another table of metrics for such a GPU: after the table's
// size, its format (Linux, kgd_pp_interface.h: gpu_metrics_v2 and v3).
constexpr size_t kMetricsFormat = 2;
// MI300A is one package too, with the table of a card.
constexpr std::string_view kMi300a = "0x74a0";

std::string_view VendorName(std::string_view id) {
  if (id == "0x10de") return "NVIDIA";
  if (id == "0x1002") return "AMD";
  if (id == "0x8086") return "Intel";
  return "";  // a board controller's or a virtual display
}

// 0x03: display controllers; 0x12: processing accelerators.
bool IsGpuClass(std::string_view pci_class) {
  return pci_class.starts_with("0x03") || pci_class.starts_with("0x12");
}

// "Model: \t\t NVIDIA H100 80GB HBM3" from the driver; "" without it.
std::string NvidiaModel(const RootFs& fs, const std::string& address) {
  const auto text =
      fs.Read(std::string(kNvidia) + "/" + address + "/information");
  if (!text) return "";
  const size_t key = text->find("Model:");
  if (key == std::string::npos) return "";
  const size_t first = text->find_first_not_of(" \t", key + 6);
  if (first == std::string::npos) return "";
  return text->substr(first, text->find('\n', first) - first);
}

std::string GpuName(const RootFs& fs, const std::string& address) {
  const std::string device = std::string(kPci) + "/" + address;
  const auto pci_class = ReadTrimmed(fs, device + "/class");
  const auto vendor_id = ReadTrimmed(fs, device + "/vendor");
  if (!pci_class || !vendor_id || !IsGpuClass(*pci_class)) return "";
  const std::string vendor(VendorName(*vendor_id));
  if (vendor.empty()) return "";
  if (vendor == "NVIDIA")
    if (std::string model = NvidiaModel(fs, address); !model.empty())
      return model;
  std::string name =
      vendor + " GPU " + ReadTrimmed(fs, device + "/device").value_or("");
  if (name.back() == ' ') name.pop_back();
  if ((vendor == "Intel" && address == kIntegratedIntel) ||
      (vendor == "AMD" && IsAmdApu(fs, device)))
    name += kIntegratedMark;
  return name;
}

bool Has(const std::vector<std::string>& metered, std::string_view component) {
  for (const std::string& name : metered)
    if (name == component) return true;
  return false;
}

// "7 NVIDIA A, 1 NVIDIA B"; just the name when all are alike.
std::string Kinds(const std::vector<std::string>& gpus) {
  std::map<std::string, int> kinds;
  for (const std::string& gpu : gpus) ++kinds[gpu];
  if (kinds.size() == 1) return gpus.front();
  std::string text;
  for (const auto& [name, count] : kinds)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  return text;
}

}  // namespace

bool IsAmdApu(const RootFs& fs, const std::string& device) {
  if (ReadTrimmed(fs, device + "/device").value_or("") == kMi300a) return true;
  const auto metrics = fs.Read(device + "/gpu_metrics");
  return metrics && metrics->size() > kMetricsFormat &&
         (*metrics)[kMetricsFormat] >= 2;
}

std::vector<std::string> DetectGpus(const RootFs& fs) {
  std::vector<std::string> gpus;
  for (const std::string& address :
       fs.List(kPci).value_or(std::vector<std::string>{}))
    if (std::string name = GpuName(fs, address); !name.empty())
      gpus.push_back(std::move(name));
  if (!gpus.empty()) return gpus;
  // In a container /sys may hide the devices that the driver still lists.
  for (const std::string& address :
       fs.List(kNvidia).value_or(std::vector<std::string>{})) {
    std::string model = NvidiaModel(fs, address);
    gpus.push_back(model.empty() ? "NVIDIA GPU" : std::move(model));
  }
  return gpus;
}

bool HasCards(const HostFacts& host) {
  return std::ranges::any_of(host.gpus, [](const std::string& gpu) {
    return !gpu.ends_with(kIntegratedMark);
  });
}

std::vector<std::string> NotCounted(const HostFacts& host,
                                    const std::vector<std::string>& metered) {
  const bool wall = Has(metered, "wall");
  const bool platform = wall || Has(metered, "platform");
  const bool module = Has(metered, "module");  // a CPU with its GPU and memory
  const bool cpu = platform || module || Has(metered, "cpu");
  std::vector<std::string> gpus;
  for (const std::string& gpu : host.gpus)
    if (!wall && !(cpu && gpu.ends_with(kIntegratedMark))) gpus.push_back(gpu);

  std::vector<std::string> out;
  const auto counted =
      static_cast<size_t>(std::count(metered.begin(), metered.end(), "gpu") +
                          std::count(metered.begin(), metered.end(), "module"));
  if (counted == 0 && !gpus.empty())
    out.push_back(std::to_string(gpus.size()) +
                  (gpus.size() == 1 ? " GPU present (" : " GPUs present (") +
                  Kinds(gpus) + "), NOT COUNTED");
  else if (counted < gpus.size())
    out.push_back(std::to_string(gpus.size() - counted) + " of " +
                  std::to_string(gpus.size()) + " GPUs present (" +
                  Kinds(gpus) + "), NOT COUNTED");
  if (!cpu) out.emplace_back("CPU, NOT COUNTED");
  if (!platform && !module && !Has(metered, "dram"))
    out.emplace_back("DRAM, NOT COUNTED (--modelled ram adds a model of it)");
  if (!wall)
    out.emplace_back(Has(metered, "disk")
                         ? "power supply, fans and network, NOT COUNTED"
                         : "power supply, fans, disks and network, NOT "
                           "COUNTED");
  return out;
}

}  // namespace modicum
