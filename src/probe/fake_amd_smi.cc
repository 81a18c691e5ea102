// SPDX-License-Identifier: Apache-2.0
// Management libraries for tests: the same C symbols as AMD SMI's or, with
// FAKE_ROCM_SMI defined, ROCm SMI's, answering from the text file that
// FAKE_AMD_SMI names, read anew at every call.
//
//   version 26 1 0            words of the library's version
//   fail amdsmi_init 34       this call returns 34
//   gpu 0000:29:00.0 740f     begins a GPU: PCI address and device id
//   energy 1500               counts; absent: not supported
//   unit 15.3                 microjoules a count
//   power 120                 watts now; absent: not told
//   mean 100                  watts, a mean; absent: not told
//   fail amdsmi_get_gpu_id 2  for this GPU alone
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kInvalid = 1;
constexpr int kNotSupported = 2;

struct Gpu {
  uint64_t domain = 0;
  unsigned bus = 0, device = 0, function = 0;
  unsigned id = 0;
  long long energy = -1;
  float unit = 15.3F;
  long power = -1, mean = -1;
  std::map<std::string, int> failures;
};
struct Script {
  std::vector<uint32_t> version = {26, 1, 0};
  std::map<std::string, int> failures;
  std::vector<Gpu> gpus;
};

Gpu ReadGpu(std::istringstream& words) {
  Gpu gpu;
  char colon = ':';
  words >> std::hex >> gpu.domain >> colon >> gpu.bus >> colon >> gpu.device >>
      colon >> gpu.function >> gpu.id;
  return gpu;
}

void ReadGpuWord(const std::string& word, std::istringstream& words, Gpu& gpu) {
  if (word == "energy") words >> gpu.energy;
  if (word == "unit") words >> gpu.unit;
  if (word == "power") words >> gpu.power;
  if (word == "mean") words >> gpu.mean;
}

Script Read() {
  Script script;
  const char* path = std::getenv("FAKE_AMD_SMI");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "version") {
      script.version.clear();
      for (uint32_t part = 0; words >> part;) script.version.push_back(part);
    } else if (word == "gpu") {
      script.gpus.push_back(ReadGpu(words));
    } else if (word == "fail") {
      std::string call;
      int code = 0;
      words >> call >> code;
      (script.gpus.empty() ? script.failures : script.gpus.back().failures)
          .emplace(call, code);
    } else if (!script.gpus.empty()) {
      ReadGpuWord(word, words, script.gpus.back());
    }
  }
  return script;
}

int FailureOf(const std::map<std::string, int>& failures,
              const std::string& call) {
  const auto found = failures.find(call);
  return found == failures.end() ? 0 : found->second;
}

int System(const std::string& call) { return FailureOf(Read().failures, call); }

struct Found {
  int code = 0;
  Gpu gpu;
};
Found Find(size_t index, const std::string& call) {
  const Script script = Read();
  if (index >= script.gpus.size()) return {kInvalid, {}};
  const Gpu& gpu = script.gpus[index];
  const int code = FailureOf(script.failures, call);
  return {code != 0 ? code : FailureOf(gpu.failures, call), gpu};
}

int Energy(const Found& found, uint64_t* count, float* unit, uint64_t* time) {
  if (found.code != 0) return found.code;
  if (found.gpu.energy < 0) return kNotSupported;
  *count = static_cast<uint64_t>(found.gpu.energy);
  *unit = found.gpu.unit;
  *time = 1;
  return 0;
}

}  // namespace

#ifdef FAKE_ROCM_SMI

extern "C" {

int rsmi_init(uint64_t) { return System("rsmi_init"); }
int rsmi_shut_down() { return System("rsmi_shut_down"); }

int rsmi_num_monitor_devices(uint32_t* count) {
  *count = static_cast<uint32_t>(Read().gpus.size());
  return System("rsmi_num_monitor_devices");
}

int rsmi_dev_pci_id_get(uint32_t index, uint64_t* id) {
  const Found found = Find(index, "rsmi_dev_pci_id_get");
  *id = found.gpu.domain << 32U | found.gpu.bus << 8U | found.gpu.device << 3U |
        found.gpu.function;
  return found.code;
}

int rsmi_dev_id_get(uint32_t index, uint16_t* id) {
  const Found found = Find(index, "rsmi_dev_id_get");
  *id = static_cast<uint16_t>(found.gpu.id);
  return found.code;
}

int rsmi_dev_energy_count_get(uint32_t index, uint64_t* count, float* unit,
                              uint64_t* time) {
  return Energy(Find(index, "rsmi_dev_energy_count_get"), count, unit, time);
}

int rsmi_dev_power_get(uint32_t index, uint64_t* microwatts, int* type) {
  const Found found = Find(index, "rsmi_dev_power_get");
  if (found.code != 0) return found.code;
  if (found.gpu.power < 0) return kNotSupported;
  *microwatts = static_cast<uint64_t>(found.gpu.power) * 1'000'000;
  *type = 1;
  return 0;
}

int rsmi_dev_power_ave_get(uint32_t index, uint32_t, uint64_t* microwatts) {
  const Found found = Find(index, "rsmi_dev_power_ave_get");
  if (found.code != 0) return found.code;
  if (found.gpu.mean < 0) return kNotSupported;
  *microwatts = static_cast<uint64_t>(found.gpu.mean) * 1'000'000;
  return 0;
}

}  // extern "C"

#else

namespace {

// Handles are numbers from 1; each GPU has a socket of its own.
size_t IndexOf(void* handle) { return reinterpret_cast<uintptr_t>(handle) - 1; }

}  // namespace

extern "C" {

int amdsmi_init(uint64_t) { return System("amdsmi_init"); }
int amdsmi_shut_down() { return System("amdsmi_shut_down"); }

int amdsmi_get_lib_version(uint32_t* words) {
  for (const uint32_t part : Read().version) *words++ = part;
  return System("amdsmi_get_lib_version");
}

int amdsmi_get_socket_handles(uint32_t* count, void** handles) {
  const auto size = static_cast<uint32_t>(Read().gpus.size());
  if (handles != nullptr)
    for (uint32_t i = 0; i < size && i < *count; ++i)
      handles[i] = reinterpret_cast<void*>(uintptr_t{i} + 1);
  *count = size;
  return System("amdsmi_get_socket_handles");
}

int amdsmi_get_processor_handles(void* socket, uint32_t* count,
                                 void** handles) {
  if (handles != nullptr && *count > 0) handles[0] = socket;
  *count = 1;
  return System("amdsmi_get_processor_handles");
}

int amdsmi_get_gpu_device_bdf(void* handle, uint64_t* bdf) {
  const Found found = Find(IndexOf(handle), "amdsmi_get_gpu_device_bdf");
  *bdf = found.gpu.domain << 16U | found.gpu.bus << 8U |
         found.gpu.device << 3U | found.gpu.function;
  return found.code;
}

int amdsmi_get_gpu_id(void* handle, uint16_t* id) {
  const Found found = Find(IndexOf(handle), "amdsmi_get_gpu_id");
  *id = static_cast<uint16_t>(found.gpu.id);
  return found.code;
}

int amdsmi_get_energy_count(void* handle, uint64_t* count, float* unit,
                            uint64_t* time) {
  return Energy(Find(IndexOf(handle), "amdsmi_get_energy_count"), count, unit,
                time);
}

// The form of 25 and newer, or of the versions that tell the year first.
int amdsmi_get_power_info(void* handle, uint32_t* words) {
  const Found found = Find(IndexOf(handle), "amdsmi_get_power_info");
  if (found.code != 0) return found.code;
  const Script script = Read();
  if (script.version.front() >= 25) {
    *words++ = 0xFFFF'FFFF;  // socket_power, which is the host's alone
    *words++ = 0;
  }
  words[0] = static_cast<uint32_t>(found.gpu.power);
  words[1] = static_cast<uint32_t>(found.gpu.mean);
  for (int i = 2; i < 6; ++i) words[i] = 7;
  return 0;
}

}  // extern "C"

#endif
