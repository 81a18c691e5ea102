// SPDX-License-Identifier: Apache-2.0
#include "probe/amd_smi_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace modicum {
namespace {

// Debian's packages and ROCm's, newest first.
constexpr const char* kNames[] = {
    "libamd_smi.so.26",
    "libamd_smi.so.25",
    "libamd_smi.so.24",
    "libamd_smi.so",
    "/opt/rocm/lib/libamd_smi.so",
    "librocm_smi64.so.7",
    "librocm_smi64.so.1",
    "librocm_smi64.so",
    "/opt/rocm/lib/librocm_smi64.so",
};

// Of the library's counters and sensors: not there. Fields of 16, 32 and 64
// bits are widened without their meaning being kept.
bool IsNone(uint64_t value) {
  return value == 0xFFFF || value == 0xFFFF'FFFF || value == UINT64_MAX;
}

struct Meaning {
  int code;
  ErrorCode means;
  std::string_view what;
  std::string_view cure;
};

constexpr std::string_view kNoDriver =
    "try: modprobe amdgpu (in a container: start it with /dev/kfd and "
    "/dev/dri)";
constexpr std::string_view kGroup =
    "a user of the GPU is in the groups render and video";

// amdsmi_status_t. What is not listed may pass.
constexpr auto kAmdCodes = std::to_array<Meaning>({
    {1, ErrorCode::kUnavailable, "invalid argument", "update modicum or ROCm"},
    {2, ErrorCode::kUnavailable, "not supported by this GPU", ""},
    {3, ErrorCode::kUnavailable, "not implemented by this library", ""},
    {4, ErrorCode::kUnavailable, "a part of the library is missing",
     "reinstall ROCm"},
    {5, ErrorCode::kUnavailable, "a part of the library is missing",
     "reinstall ROCm"},
    {10, ErrorCode::kPermission, "permission denied", kGroup},
    {18, ErrorCode::kUnavailable, "it cannot be initialised", kNoDriver},
    {31, ErrorCode::kUnavailable, "not found", ""},
    {34, ErrorCode::kUnavailable, "the amdgpu driver is not loaded", kNoDriver},
    {40, ErrorCode::kUnavailable, "no data", ""},
    {43, ErrorCode::kUnavailable, "unexpected data", "update ROCm"},
});
// rsmi_status_t
constexpr auto kRocmCodes = std::to_array<Meaning>({
    {1, ErrorCode::kUnavailable, "invalid argument", "update modicum or ROCm"},
    {2, ErrorCode::kUnavailable, "not supported by this GPU", ""},
    {4, ErrorCode::kPermission, "permission denied", kGroup},
    {8, ErrorCode::kUnavailable, "it cannot be initialised", kNoDriver},
    {9, ErrorCode::kUnavailable, "not implemented by this library", ""},
    {10, ErrorCode::kUnavailable, "not found", ""},
    {14, ErrorCode::kUnavailable, "no data", ""},
    {15, ErrorCode::kUnavailable, "unexpected data", "update ROCm"},
});

template <size_t N>
Error ErrorOf(const std::array<Meaning, N>& codes, int code,
              std::string_view call) {
  for (const Meaning& known : codes)
    if (known.code == code)
      return {known.means, fmt::format("{}: {}", call, known.what),
              std::string(known.cure)};
  return {ErrorCode::kRetry, fmt::format("{}: error {}", call, code), ""};
}

// A call as an error or nothing.
template <size_t N, class... Parameters, class... Arguments>
Status Call(const std::array<Meaning, N>& codes, std::string_view name,
            int (*function)(Parameters...), Arguments... arguments) {
  if (function == nullptr)
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{}: the library lacks this call", name),
                "update ROCm");
  const int code = function(arguments...);
  if (code != 0) return Fail(ErrorOf(codes, code, name));
  return {};
}

std::string PciText(uint64_t domain, unsigned bus, unsigned device,
                    unsigned function) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, bus, device,
                     function);
}

Result<AmdEnergy> EnergyOf(uint64_t count, float microjoules,
                           std::string_view call) {
  if (IsNone(count))
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{}: not supported by this GPU", call));
  if (!(microjoules > 0) || microjoules > 1e6F)
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{}: a count of {} uJ is none", call, microjoules),
                "update ROCm");
  return AmdEnergy{count, Joules(static_cast<double>(microjoules) * 1e-6)};
}

// An open library; closed with this.
class Handle {
 public:
  explicit Handle(void* handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  template <class Signature>
  Signature* Find(const char* symbol) const {
    return reinterpret_cast<Signature*>(dlsym(handle_, symbol));
  }

 private:
  void* handle_;
};

class AmdSmi final : public AmdSmiLibrary {
 public:
  static Result<std::unique_ptr<AmdSmiLibrary>> Open(Handle handle) {
    std::unique_ptr<AmdSmi> library(new AmdSmi(std::move(handle)));
    constexpr uint64_t kGpus = 2;  // AMDSMI_INIT_AMD_GPUS
    MODICUM_RETURN_IF_ERROR(
        Call(kAmdCodes, "amdsmi_init",
             library->handle_.Find<int(uint64_t)>("amdsmi_init"), kGpus));
    library->initialised_ = true;
    MODICUM_RETURN_IF_ERROR(library->FindGpus());
    library->ReadVersion();
    return library;
  }
  ~AmdSmi() override {
    const auto stop = handle_.Find<int()>("amdsmi_shut_down");
    if (initialised_ && stop != nullptr) stop();
  }

  std::string_view name() const override { return "AMD SMI"; }
  unsigned count() const override {
    return static_cast<unsigned>(gpus_.size());
  }

  // amdsmi_bdf_t: function 3, device 5, bus 8, domain 48 bits.
  Result<std::string> Pci(unsigned gpu) const override {
    uint64_t bdf = 0;
    MODICUM_RETURN_IF_ERROR(
        Call(kAmdCodes, "amdsmi_get_gpu_device_bdf", bdf_, gpus_[gpu], &bdf));
    return PciText(bdf >> 16U, (bdf >> 8U) & 0xFFU, (bdf >> 3U) & 0x1FU,
                   bdf & 0x7U);
  }
  Result<uint16_t> DeviceId(unsigned gpu) const override {
    uint16_t id = 0;
    MODICUM_RETURN_IF_ERROR(
        Call(kAmdCodes, "amdsmi_get_gpu_id", id_, gpus_[gpu], &id));
    return id;
  }
  Result<AmdEnergy> Energy(unsigned gpu) const override {
    constexpr std::string_view kCall = "amdsmi_get_energy_count";
    uint64_t count = 0;
    float microjoules = 0;
    uint64_t nanoseconds = 0;
    MODICUM_RETURN_IF_ERROR(Call(kAmdCodes, kCall, energy_, gpus_[gpu], &count,
                                 &microjoules, &nanoseconds));
    return EnergyOf(count, microjoules, kCall);
  }
  // Now, of MI300 and newer; a mean, of the others.
  Result<uint64_t> PowerMicrowatts(unsigned gpu) const override {
    constexpr std::string_view kCall = "amdsmi_get_power_info";
    PowerInfo info;
    MODICUM_RETURN_IF_ERROR(
        Call(kAmdCodes, kCall, power_, gpus_[gpu], info.words.data()));
    const uint32_t now = info.words[power_at_];
    const uint32_t mean = info.words[power_at_ + 1];
    if (IsNone(now) && IsNone(mean))
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("{}: not supported by this GPU", kCall));
    const uint32_t watts =
        IsNone(now) || (now == 0 && !IsNone(mean)) ? mean : now;
    return uint64_t{watts} * 1'000'000;
  }

 private:
  using Handles = int(void*, uint32_t*, void**);
  // amdsmi_power_info_t, whatever its length: 256 bytes of words in 7.1.1.
  struct PowerInfo {
    PowerInfo() { words.fill(0xFFFF'FFFF); }
    alignas(8) std::array<uint32_t, 256> words;
  };

  explicit AmdSmi(Handle handle)
      : handle_(std::move(handle)),
        bdf_(handle_.Find<int(void*, uint64_t*)>("amdsmi_get_gpu_device_bdf")),
        id_(handle_.Find<int(void*, uint16_t*)>("amdsmi_get_gpu_id")),
        energy_(handle_.Find<int(void*, uint64_t*, float*, uint64_t*)>(
            "amdsmi_get_energy_count")),
        power_(handle_.Find<int(void*, uint32_t*)>("amdsmi_get_power_info")) {}

  // Each socket's.
  Status FindGpus() {
    std::vector<void*> sockets;
    MODICUM_TRY(sockets, HandlesOf("amdsmi_get_socket_handles",
                                   handle_.Find<int(uint32_t*, void**)>(
                                       "amdsmi_get_socket_handles")));
    const auto processors =
        handle_.Find<Handles>("amdsmi_get_processor_handles");
    for (void* socket : sockets) {
      uint32_t size = 0;
      constexpr std::string_view kCall = "amdsmi_get_processor_handles";
      void** none = nullptr;
      MODICUM_RETURN_IF_ERROR(
          Call(kAmdCodes, kCall, processors, socket, &size, none));
      std::vector<void*> found(std::min(size, kMost));
      size = static_cast<uint32_t>(found.size());
      MODICUM_RETURN_IF_ERROR(
          Call(kAmdCodes, kCall, processors, socket, &size, found.data()));
      found.resize(std::min<size_t>(size, found.size()));
      gpus_.insert(gpus_.end(), found.begin(), found.end());
    }
    return {};
  }
  static Result<std::vector<void*>> HandlesOf(std::string_view call,
                                              int (*function)(uint32_t*,
                                                              void**)) {
    uint32_t size = 0;
    void** none = nullptr;
    MODICUM_RETURN_IF_ERROR(Call(kAmdCodes, call, function, &size, none));
    std::vector<void*> found(std::min(size, kMost));
    size = static_cast<uint32_t>(found.size());
    MODICUM_RETURN_IF_ERROR(
        Call(kAmdCodes, call, function, &size, found.data()));
    found.resize(std::min<size_t>(size, found.size()));
    return found;
  }

  // Since 25 (ROCm 6.4) eight bytes of another reading come first. Older
  // versions begin with the year's last two digits, which was at most 24.
  void ReadVersion() {
    std::array<uint32_t, 16> version{};
    const auto read = handle_.Find<int(uint32_t*)>("amdsmi_get_lib_version");
    if (read != nullptr && read(version.data()) == 0 && version[0] < 25)
      power_at_ = 0;
  }

  static constexpr uint32_t kMost = 1024;  // handles
  const Handle handle_;
  bool initialised_ = false;
  std::vector<void*> gpus_;
  size_t power_at_ = 2;  // the word with the power of now
  int (*bdf_)(void*, uint64_t*);
  int (*id_)(void*, uint16_t*);
  int (*energy_)(void*, uint64_t*, float*, uint64_t*);
  int (*power_)(void*, uint32_t*);
};

class RocmSmi final : public AmdSmiLibrary {
 public:
  static Result<std::unique_ptr<AmdSmiLibrary>> Open(Handle handle) {
    std::unique_ptr<RocmSmi> library(new RocmSmi(std::move(handle)));
    MODICUM_RETURN_IF_ERROR(
        Call(kRocmCodes, "rsmi_init",
             library->handle_.Find<int(uint64_t)>("rsmi_init"), uint64_t{0}));
    library->initialised_ = true;
    MODICUM_RETURN_IF_ERROR(
        Call(kRocmCodes, "rsmi_num_monitor_devices",
             library->handle_.Find<int(uint32_t*)>("rsmi_num_monitor_devices"),
             &library->count_));
    return library;
  }
  ~RocmSmi() override {
    const auto stop = handle_.Find<int()>("rsmi_shut_down");
    if (initialised_ && stop != nullptr) stop();
  }

  std::string_view name() const override { return "ROCm SMI"; }
  unsigned count() const override { return count_; }

  // Domain in the upper 32 bits; below it bus 8, device 5, function 3 bits.
  Result<std::string> Pci(unsigned gpu) const override {
    uint64_t id = 0;
    MODICUM_RETURN_IF_ERROR(
        Call(kRocmCodes, "rsmi_dev_pci_id_get", bdf_, gpu, &id));
    return PciText(id >> 32U, (id >> 8U) & 0xFFU, (id >> 3U) & 0x1FU,
                   id & 0x7U);
  }
  Result<uint16_t> DeviceId(unsigned gpu) const override {
    uint16_t id = 0;
    MODICUM_RETURN_IF_ERROR(Call(kRocmCodes, "rsmi_dev_id_get", id_, gpu, &id));
    return id;
  }
  Result<AmdEnergy> Energy(unsigned gpu) const override {
    constexpr std::string_view kCall = "rsmi_dev_energy_count_get";
    uint64_t count = 0;
    float microjoules = 0;
    uint64_t nanoseconds = 0;
    MODICUM_RETURN_IF_ERROR(Call(kRocmCodes, kCall, energy_, gpu, &count,
                                 &microjoules, &nanoseconds));
    return EnergyOf(count, microjoules, kCall);
  }
  // rsmi_dev_power_get came with ROCm 6.0.
  Result<uint64_t> PowerMicrowatts(unsigned gpu) const override {
    uint64_t microwatts = 0;
    int type = 0;
    Status asked =
        Call(kRocmCodes, "rsmi_dev_power_get", power_, gpu, &microwatts, &type);
    if (!asked)
      asked = Call(kRocmCodes, "rsmi_dev_power_ave_get", mean_, gpu, 0U,
                   &microwatts);
    if (!asked) return Fail(std::move(asked).error());
    return microwatts;
  }

 private:
  explicit RocmSmi(Handle handle)
      : handle_(std::move(handle)),
        bdf_(handle_.Find<int(uint32_t, uint64_t*)>("rsmi_dev_pci_id_get")),
        id_(handle_.Find<int(uint32_t, uint16_t*)>("rsmi_dev_id_get")),
        energy_(handle_.Find<int(uint32_t, uint64_t*, float*, uint64_t*)>(
            "rsmi_dev_energy_count_get")),
        power_(
            handle_.Find<int(uint32_t, uint64_t*, int*)>("rsmi_dev_power_get")),
        mean_(handle_.Find<int(uint32_t, uint32_t, uint64_t*)>(
            "rsmi_dev_power_ave_get")) {}

  const Handle handle_;
  bool initialised_ = false;
  uint32_t count_ = 0;
  int (*bdf_)(uint32_t, uint64_t*);
  int (*id_)(uint32_t, uint16_t*);
  int (*energy_)(uint32_t, uint64_t*, float*, uint64_t*);
  int (*power_)(uint32_t, uint64_t*, int*);
  int (*mean_)(uint32_t, uint32_t, uint64_t*);
};

constexpr char kInstall[] =
    "install ROCm's amd-smi-lib (Debian: librocm-smi64-1), or name the library "
    "in MODICUM_AMD_SMI";

}  // namespace

Result<std::unique_ptr<AmdSmiLibrary>> AmdSmiLibrary::Open(
    const std::string& path) {
  void* handle = nullptr;
  if (!path.empty()) {
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    const char* reason = handle == nullptr ? dlerror() : nullptr;
    if (handle == nullptr)
      return Fail(ErrorCode::kUnavailable,
                  std::string("cannot load ") +
                      (reason == nullptr ? path.c_str() : reason),
                  kInstall);
  }
  for (const char* name : kNames)
    if (handle == nullptr) handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return Fail(ErrorCode::kUnavailable,
                "neither libamd_smi.so nor librocm_smi64.so is installed",
                kInstall);
  Handle library(handle);
  if (library.Find<int(uint64_t)>("amdsmi_init") != nullptr)
    return AmdSmi::Open(std::move(library));
  if (library.Find<int(uint64_t)>("rsmi_init") != nullptr)
    return RocmSmi::Open(std::move(library));
  return Fail(ErrorCode::kUnavailable,
              path + " is no management library of AMD's", kInstall);
}

}  // namespace modicum
