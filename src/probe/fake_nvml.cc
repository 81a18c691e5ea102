// SPDX-License-Identifier: Apache-2.0
// A management library for tests: the same C symbols as NVIDIA's, answering
// from the text file that FAKE_NVML names, read anew at every call.
//
//   driver 550.54.15       the system's
//   fail nvmlInit_v2 9     this call returns 9; with a third word, "3": from
//                          its third call on; with "3 only": that one alone
//   device NVIDIA L4       begins a device; what follows is its own
//   uuid GPU-1111
//   energy 1500            millijoules; "energy clock": power x time
//   power 30000            milliwatts
//   instant 31000          milliwatts; absent: not supported
//   mig 1
//   busy 80                percent
//   process 1234 60        holds the device, and keeps it busy by 60 percent
//   fail nvmlDeviceGetTotalEnergyConsumption 15
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kInvalidArgument = 2;
constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kInsufficientSize = 7;

struct Failure {
  int code = 0;
  int from = 1;
  bool only = false;
};
struct Process {
  unsigned pid = 0;
  unsigned percent = 0;
};
struct Device {
  std::string name, uuid, energy;
  long power = -1, instant = -1, mig = -1, busy = -1;
  std::vector<Process> processes;
  std::map<std::string, Failure> failures;
};
struct Script {
  std::string driver = "550.54.15";
  std::map<std::string, Failure> failures;
  std::vector<Device> devices;
};

std::string Rest(std::istringstream& words) {
  std::string text;
  std::getline(words >> std::ws, text);
  return text;
}

Failure ReadFailure(std::istringstream& words) {
  Failure failure;
  std::string only;
  words >> failure.code >> failure.from >> only;
  if (failure.from == 0) failure.from = 1;
  failure.only = only == "only";
  return failure;
}

void ReadDeviceWord(const std::string& word, std::istringstream& words,
                    Device& device) {
  if (word == "uuid") device.uuid = Rest(words);
  if (word == "energy") device.energy = Rest(words);
  if (word == "power") words >> device.power;
  if (word == "instant") words >> device.instant;
  if (word == "mig") words >> device.mig;
  if (word == "busy") words >> device.busy;
  if (word == "process") {
    Process process;
    words >> process.pid >> process.percent;
    device.processes.push_back(process);
  }
}

Script Read() {
  Script script;
  const char* path = std::getenv("FAKE_NVML");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "driver") {
      script.driver = Rest(words);
    } else if (word == "device") {
      script.devices.emplace_back().name = Rest(words);
    } else if (word == "fail") {
      std::string call;
      words >> call;
      auto& failures = script.devices.empty() ? script.failures
                                              : script.devices.back().failures;
      failures[call] = ReadFailure(words);
    } else if (!script.devices.empty()) {
      ReadDeviceWord(word, words, script.devices.back());
    }
  }
  return script;
}

std::map<std::string, int>& Calls() {
  static std::map<std::string, int> calls;  // goes when the library is closed
  return calls;
}

// The code that `call` is to fail with now, else 0.
int FailureOf(const std::map<std::string, Failure>& failures,
              const std::string& call, const std::string& counter) {
  const auto found = failures.find(call);
  if (found == failures.end()) return 0;
  const int number = ++Calls()[counter];
  const Failure& failure = found->second;
  const bool now =
      failure.only ? number == failure.from : number >= failure.from;
  return now ? failure.code : 0;
}

int64_t NowMillis() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void CopyText(const std::string& text, char* to, unsigned size) {
  std::snprintf(to, size, "%s", text.c_str());
}

// Handles are numbers from 1.
struct Found {
  int code = 0;
  Device device;
};
Found Find(void* handle, const std::string& call) {
  const auto number = reinterpret_cast<uintptr_t>(handle);
  Script script = Read();
  if (number == 0 || number > script.devices.size())
    return {kInvalidArgument, {}};
  Device device = script.devices[number - 1];
  int code = FailureOf(script.failures, call, call);
  if (code == 0)
    code =
        FailureOf(device.failures, call, call + " " + std::to_string(number));
  return {code, std::move(device)};
}

int System(const std::string& call) {
  return FailureOf(Read().failures, call, call);
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  Calls().clear();
  return System("nvmlInit_v2");
}

int nvmlShutdown() { return System("nvmlShutdown"); }

int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  CopyText(Read().driver, text, size);
  return System("nvmlSystemGetDriverVersion");
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(Read().devices.size());
  return System("nvmlDeviceGetCount_v2");
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  *handle = reinterpret_cast<void*>(uintptr_t{index} + 1);
  return Find(*handle, "nvmlDeviceGetHandleByIndex_v2").code;
}

int nvmlDeviceGetName(void* handle, char* text, unsigned size) {
  const Found found = Find(handle, "nvmlDeviceGetName");
  CopyText(found.device.name, text, size);
  return found.code;
}

int nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
  const Found found = Find(handle, "nvmlDeviceGetUUID");
  CopyText(found.device.uuid, text, size);
  return found.code;
}

int nvmlDeviceGetMigMode(void* handle, unsigned* current, unsigned* pending) {
  const Found found = Find(handle, "nvmlDeviceGetMigMode");
  *current = *pending = found.device.mig > 0 ? 1 : 0;
  if (found.code != 0) return found.code;
  return found.device.mig < 0 ? kNotSupported : 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void* handle,
                                        unsigned long long* energy) {
  const Found found = Find(handle, "nvmlDeviceGetTotalEnergyConsumption");
  if (found.code != 0) return found.code;
  if (found.device.energy.empty()) return kNotSupported;
  *energy = found.device.energy == "clock"
                ? static_cast<unsigned long long>(NowMillis() *
                                                  found.device.power / 1000)
                : std::strtoull(found.device.energy.c_str(), nullptr, 10);
  return 0;
}

int nvmlDeviceGetPowerUsage(void* handle, unsigned* power) {
  const Found found = Find(handle, "nvmlDeviceGetPowerUsage");
  if (found.code != 0) return found.code;
  if (found.device.power < 0) return kNotSupported;
  *power = static_cast<unsigned>(found.device.power);
  return 0;
}

struct FakeFieldValue {
  unsigned field, scope;
  long long timestamp, latency;
  int type, status;
  unsigned long long value;
};

int nvmlDeviceGetFieldValues(void* handle, int count, FakeFieldValue* values) {
  const Found found = Find(handle, "nvmlDeviceGetFieldValues");
  if (found.code != 0) return found.code;
  for (int i = 0; i < count; ++i) {
    const bool known = values[i].field == 186 && found.device.instant >= 0;
    values[i].status = known ? 0 : kNotSupported;
    if (known)
      values[i].value = static_cast<unsigned long long>(found.device.instant);
  }
  return 0;
}

int nvmlDeviceGetUtilizationRates(void* handle, unsigned* gpu_and_memory) {
  const Found found = Find(handle, "nvmlDeviceGetUtilizationRates");
  if (found.code != 0) return found.code;
  if (found.device.busy < 0) return kNotSupported;
  gpu_and_memory[0] = static_cast<unsigned>(found.device.busy);
  gpu_and_memory[1] = 0;
  return 0;
}

struct FakeProcessInfo {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance, compute_instance;
};

int nvmlDeviceGetComputeRunningProcesses_v3(void* handle, unsigned* count,
                                            FakeProcessInfo* rows) {
  const Found found = Find(handle, "nvmlDeviceGetComputeRunningProcesses_v3");
  if (found.code != 0) return found.code;
  const auto& processes = found.device.processes;
  const unsigned room = *count;
  *count = static_cast<unsigned>(processes.size());
  if (processes.size() > room) return kInsufficientSize;
  for (size_t i = 0; i < processes.size(); ++i)
    rows[i] = {processes[i].pid, 1 << 20, 0, 0};
  return 0;
}

struct FakeProcessSample {
  unsigned pid;
  unsigned long long micros;
  unsigned sm, memory, encoder, decoder;
};

int nvmlDeviceGetProcessUtilization(void* handle, FakeProcessSample* rows,
                                    unsigned* count, unsigned long long since) {
  const Found found = Find(handle, "nvmlDeviceGetProcessUtilization");
  if (found.code != 0) return found.code;
  std::vector<Process> busy;
  for (const Process& process : found.device.processes)
    if (process.percent > 0) busy.push_back(process);
  const unsigned room = *count;
  *count = static_cast<unsigned>(busy.size());
  if (busy.empty()) return kNotFound;
  if (busy.size() > room || rows == nullptr) return kInsufficientSize;
  for (size_t i = 0; i < busy.size(); ++i)
    rows[i] = {busy[i].pid, since + 1, busy[i].percent, 0, 0, 0};
  return 0;
}

}  // extern "C"
