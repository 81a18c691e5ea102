// SPDX-License-Identifier: Apache-2.0
#include "probe/nvml_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace modicum {
namespace {

constexpr int kSuccess = 0;
constexpr int kNotFound = 6;
constexpr int kInsufficientSize = 7;

constexpr unsigned kMigEnabled = 1;
constexpr unsigned kFieldPowerInstant = 186;  // NVML_FI_DEV_POWER_INSTANT
constexpr unsigned kScopeGpu = 0;             // NVML_POWER_SCOPE_GPU

// NVML_DEVICE_NAME_V2_BUFFER_SIZE, the largest of the texts asked for.
constexpr unsigned kTextSize = 96;
// Processes that a first call has room for.
constexpr size_t kRoom = 32;

// nvmlFieldValue_t
struct FieldValue {
  unsigned field;
  unsigned scope;
  long long timestamp;
  long long latency;
  int type;
  int status;
  union {
    double as_double;
    unsigned as_unsigned;
    unsigned long long as_long;
  } value;
};
static_assert(sizeof(FieldValue) == 40);

// nvmlProcessInfo_t
struct ProcessInfo {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance;
  unsigned compute_instance;
};
static_assert(sizeof(ProcessInfo) == 24);

// nvmlProcessUtilizationSample_t
struct ProcessSample {
  unsigned pid;
  unsigned long long micros;
  unsigned sm, memory, encoder, decoder;  // percent
};
static_assert(sizeof(ProcessSample) == 32);

// nvmlUtilization_t
struct Utilization {
  unsigned gpu, memory;  // percent
};

struct CodeRow {
  int code;
  ErrorCode meaning;
  std::string_view what;
  std::string_view cure;
};

constexpr std::string_view kReset =
    "a reset or a reboot brings it back (nvidia-smi --gpu-reset)";

// nvmlReturn_t. What is not listed may pass: kRetry.
constexpr auto kCodes = std::to_array<CodeRow>({
    {1, ErrorCode::kEnded, "the library was shut down", ""},
    {2, ErrorCode::kUnavailable, "invalid argument",
     "update the driver: it does not know this call's form"},
    {3, ErrorCode::kUnavailable, "not supported by this GPU", ""},
    {4, ErrorCode::kPermission, "permission denied",
     "run as root, or ask the administrator to open it to users"},
    {6, ErrorCode::kUnavailable, "not found", ""},
    {8, ErrorCode::kUnavailable, "a power cable is missing",
     "connect the GPU's power"},
    {9, ErrorCode::kUnavailable, "the NVIDIA driver is not loaded",
     "try: modprobe nvidia (in a container: start it with --gpus all)"},
    {12, ErrorCode::kUnavailable, "a part of the driver is missing",
     "reinstall the NVIDIA driver"},
    {13, ErrorCode::kUnavailable, "the driver lacks this call",
     "update the NVIDIA driver"},
    {14, ErrorCode::kUnavailable, "the GPU's InfoROM is corrupted", ""},
    {15, ErrorCode::kEnded, "the GPU is lost", kReset},
    {16, ErrorCode::kEnded, "the GPU needs a reset", kReset},
    {18, ErrorCode::kUnavailable,
     "the library and the loaded driver have different versions",
     "reboot, or reload the driver: it was updated while in use"},
    {22, ErrorCode::kUnavailable, "not supported with this vGPU", ""},
    {25, ErrorCode::kUnavailable, "the driver wants another version",
     "update modicum or the driver"},
    {26, ErrorCode::kUnavailable, "the driver has dropped this call",
     "update modicum"},
    {28, ErrorCode::kEnded, "the GPU is gone", kReset},
});

std::string DlError() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

Error Missing(std::string_view call) {
  return {ErrorCode::kUnavailable,
          fmt::format("{}: the driver lacks this call", call),
          "update the NVIDIA driver"};
}

// A call of NVML as an error or nothing.
template <class... Parameters, class... Arguments>
Status Call(std::string_view name, int (*function)(Parameters...),
            Arguments... arguments) {
  if (function == nullptr) return Fail(Missing(name));
  const int code = function(arguments...);
  if (code != kSuccess) return Fail(NvmlError(code, name));
  return {};
}

// Calls `fill(count, rows)` with room for more until all fit. Processes may
// come between two calls, but not each time.
template <class Row, class Fill>
Result<std::vector<Row>> Rows(std::string_view name, Fill fill) {
  std::vector<Row> rows(kRoom);
  for (int attempt = 0; attempt < 4; ++attempt) {
    auto count = static_cast<unsigned>(rows.size());
    const int code = fill(&count, rows.data());
    if (code == kInsufficientSize) {
      rows.resize(std::max<size_t>(count, rows.size()) * 2);
      continue;
    }
    if (code != kSuccess && code != kNotFound)
      return Fail(NvmlError(code, name));
    rows.resize(code == kNotFound ? 0 : std::min<size_t>(count, rows.size()));
    return rows;
  }
  return Fail(NvmlError(kInsufficientSize, name));
}

}  // namespace

Error NvmlError(int code, std::string_view call) {
  const auto row =
      std::find_if(kCodes.begin(), kCodes.end(),
                   [code](const CodeRow& r) { return r.code == code; });
  if (row == kCodes.end())
    return {ErrorCode::kRetry, fmt::format("{}: NVML error {}", call, code),
            ""};
  return {row->meaning, fmt::format("{}: {}", call, row->what),
          std::string(row->cure)};
}

struct NvmlLibrary::Functions {
  explicit Functions(void* library)
      : init(Find<int()>(library, "nvmlInit_v2")),
        shutdown(Find<int()>(library, "nvmlShutdown")),
        driver(Find<Text>(library, "nvmlSystemGetDriverVersion")),
        count(Find<int(unsigned*)>(library, "nvmlDeviceGetCount_v2")),
        device(Find<int(unsigned, NvmlDevice*)>(
            library, "nvmlDeviceGetHandleByIndex_v2")),
        name(Find<DeviceText>(library, "nvmlDeviceGetName")),
        uuid(Find<DeviceText>(library, "nvmlDeviceGetUUID")),
        mig(Find<int(NvmlDevice, unsigned*, unsigned*)>(
            library, "nvmlDeviceGetMigMode")),
        energy(Find<int(NvmlDevice, unsigned long long*)>(
            library, "nvmlDeviceGetTotalEnergyConsumption")),
        power(Find<int(NvmlDevice, unsigned*)>(library,
                                               "nvmlDeviceGetPowerUsage")),
        fields(Find<int(NvmlDevice, int, FieldValue*)>(
            library, "nvmlDeviceGetFieldValues")),
        utilization(Find<int(NvmlDevice, Utilization*)>(
            library, "nvmlDeviceGetUtilizationRates")),
        processes(Find<int(NvmlDevice, unsigned*, ProcessInfo*)>(
            library, "nvmlDeviceGetComputeRunningProcesses_v3")),
        samples(Find<int(NvmlDevice, ProcessSample*, unsigned*,
                         unsigned long long)>(
            library, "nvmlDeviceGetProcessUtilization")) {}

  using Text = int(char*, unsigned);
  using DeviceText = int(NvmlDevice, char*, unsigned);

  template <class Signature>
  static Signature* Find(void* library, const char* symbol) {
    return reinterpret_cast<Signature*>(dlsym(library, symbol));
  }

  int (*init)();
  int (*shutdown)();
  Text* driver;
  int (*count)(unsigned*);
  int (*device)(unsigned, NvmlDevice*);
  DeviceText* name;
  DeviceText* uuid;
  int (*mig)(NvmlDevice, unsigned*, unsigned*);
  int (*energy)(NvmlDevice, unsigned long long*);
  int (*power)(NvmlDevice, unsigned*);
  int (*fields)(NvmlDevice, int, FieldValue*);
  int (*utilization)(NvmlDevice, Utilization*);
  int (*processes)(NvmlDevice, unsigned*, ProcessInfo*);
  int (*samples)(NvmlDevice, ProcessSample*, unsigned*, unsigned long long);
};

NvmlLibrary::NvmlLibrary(void* handle)
    : handle_(handle), nvml_(std::make_unique<Functions>(handle)) {}

NvmlLibrary::~NvmlLibrary() {
  if (initialised_) nvml_->shutdown();
  dlclose(handle_);
}

Result<std::unique_ptr<NvmlLibrary>> NvmlLibrary::Open(
    const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return Fail(ErrorCode::kUnavailable, "cannot load " + DlError(),
                "install the NVIDIA driver, or name its libnvidia-ml.so.1 in "
                "MODICUM_NVML");
  std::unique_ptr<NvmlLibrary> library(new NvmlLibrary(handle));
  const Functions& nvml = *library->nvml_;
  if (nvml.init == nullptr || nvml.shutdown == nullptr)
    return Fail(ErrorCode::kUnavailable,
                path + " is not NVIDIA's management library",
                "name the driver's libnvidia-ml.so.1 in MODICUM_NVML");
  MODICUM_RETURN_IF_ERROR(Call("nvmlInit_v2", nvml.init));
  library->initialised_ = true;
  return library;
}

Result<std::string> NvmlLibrary::DriverVersion() const {
  char text[kTextSize] = "";
  MODICUM_RETURN_IF_ERROR(
      Call("nvmlSystemGetDriverVersion", nvml_->driver, text, kTextSize));
  return std::string(text);
}

Result<unsigned> NvmlLibrary::Count() const {
  unsigned count = 0;
  MODICUM_RETURN_IF_ERROR(Call("nvmlDeviceGetCount_v2", nvml_->count, &count));
  return count;
}

Result<NvmlDevice> NvmlLibrary::Device(unsigned index) const {
  NvmlDevice device = nullptr;
  MODICUM_RETURN_IF_ERROR(
      Call("nvmlDeviceGetHandleByIndex_v2", nvml_->device, index, &device));
  return device;
}

Result<std::string> NvmlLibrary::Name(NvmlDevice device) const {
  char text[kTextSize] = "";
  MODICUM_RETURN_IF_ERROR(
      Call("nvmlDeviceGetName", nvml_->name, device, text, kTextSize));
  return std::string(text);
}

Result<std::string> NvmlLibrary::Uuid(NvmlDevice device) const {
  char text[kTextSize] = "";
  MODICUM_RETURN_IF_ERROR(
      Call("nvmlDeviceGetUUID", nvml_->uuid, device, text, kTextSize));
  return std::string(text);
}

Result<bool> NvmlLibrary::IsMig(NvmlDevice device) const {
  unsigned current = 0;
  unsigned pending = 0;
  const Status status =
      Call("nvmlDeviceGetMigMode", nvml_->mig, device, &current, &pending);
  // A GPU, or a driver, that cannot be split.
  if (!status && status.error().code == ErrorCode::kUnavailable) return false;
  if (!status) return Fail(status.error());
  return current == kMigEnabled;
}

Result<uint64_t> NvmlLibrary::EnergyMillijoules(NvmlDevice device) const {
  unsigned long long energy = 0;
  MODICUM_RETURN_IF_ERROR(Call("nvmlDeviceGetTotalEnergyConsumption",
                               nvml_->energy, device, &energy));
  return uint64_t{energy};
}

Result<unsigned> NvmlLibrary::PowerMilliwatts(NvmlDevice device) const {
  unsigned power = 0;
  MODICUM_RETURN_IF_ERROR(
      Call("nvmlDeviceGetPowerUsage", nvml_->power, device, &power));
  return power;
}

Result<unsigned> NvmlLibrary::InstantMilliwatts(NvmlDevice device) const {
  constexpr std::string_view kCall = "nvmlDeviceGetFieldValues";
  FieldValue value{};
  value.field = kFieldPowerInstant;
  value.scope = kScopeGpu;
  MODICUM_RETURN_IF_ERROR(Call(kCall, nvml_->fields, device, 1, &value));
  if (value.status != kSuccess) return Fail(NvmlError(value.status, kCall));
  return value.value.as_unsigned;
}

Result<unsigned> NvmlLibrary::BusyPercent(NvmlDevice device) const {
  Utilization utilization{};
  MODICUM_RETURN_IF_ERROR(Call("nvmlDeviceGetUtilizationRates",
                               nvml_->utilization, device, &utilization));
  return std::min(utilization.gpu, 100U);
}

Result<std::vector<unsigned>> NvmlLibrary::Processes(NvmlDevice device) const {
  constexpr std::string_view kCall = "nvmlDeviceGetComputeRunningProcesses_v3";
  const auto function = nvml_->processes;
  if (function == nullptr) return Fail(Missing(kCall));
  MODICUM_TRY(const auto rows,
              Rows<ProcessInfo>(kCall, [=](unsigned* count, ProcessInfo* to) {
                return function(device, count, to);
              }));
  std::vector<unsigned> pids;
  pids.reserve(rows.size());
  for (const ProcessInfo& row : rows) pids.push_back(row.pid);
  return pids;
}

Result<std::vector<NvmlSample>> NvmlLibrary::Samples(NvmlDevice device,
                                                     uint64_t since) const {
  constexpr std::string_view kCall = "nvmlDeviceGetProcessUtilization";
  const auto function = nvml_->samples;
  if (function == nullptr) return Fail(Missing(kCall));
  MODICUM_TRY(const auto rows,
              Rows<ProcessSample>(kCall, [=](unsigned* n, ProcessSample* to) {
                return function(device, to, n, since);
              }));
  std::vector<NvmlSample> samples;
  samples.reserve(rows.size());
  for (const ProcessSample& row : rows)
    samples.push_back({row.pid, row.micros, std::min(row.sm, 100U)});
  return samples;
}

}  // namespace modicum
