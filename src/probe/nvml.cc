// SPDX-License-Identifier: Apache-2.0
// Energy is of the whole board: GPU, its memory and its regulators. Of a GPU
// that is split into instances (MIG) it is that of all of them together. On
// Grace Hopper the counter holds the CPU of the module too, which RAPL-like
// sources count as well: there the power of the GPU alone is integrated.
#include "probe/nvml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

namespace modicum {
namespace {

// NVIDIA states +/- 5 % of the current power draw (NVML reference,
// nvmlDeviceGetPowerUsage); Yang et al., SC24, arXiv:2312.02741, found the
// same size of error on 70 GPUs. Taken as one standard deviation.
constexpr double kNvmlSd = 0.05;
// No single GPU draws more (B300: 1.4 kW), transients included.
constexpr Watts kCap{3000};
// A reading may hold the energy of one counter update more than its span.
constexpr Seconds kJitter{0.2};
// Counter and sensors do not change faster, and a reading may take milliseconds
// of CPU time: in between there is nothing new, and the next covers it all.
constexpr Seconds kFastest{0.02};
// Who uses a GPU is not asked more often: it is sampled by the driver.
constexpr Seconds kUseEvery{0.09};
// The driver samples processes every sixth of a second to once a second: with
// no sample for longer than that, nobody was busy.
constexpr Seconds kSampleEvery{1.2};

constexpr std::string_view kModuleName = "GH200";

std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::vector<std::string> Words(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

bool IsNumber(const std::string& word) {
  return !word.empty() && word.size() < 6 &&
         word.find_first_not_of("0123456789") == std::string::npos;
}

// "GPU-8f6e" or any longer part of the UUID; an instance ("MIG-...") is on one
// of the GPUs that are split, and older names of one say on which.
bool Names(const std::string& word, const NvmlGpu& gpu) {
  if (word.starts_with("MIG-GPU-"))
    return word.find(gpu.uuid) != std::string::npos;
  if (word.starts_with("MIG-")) return gpu.mig;
  return word.starts_with("GPU-") && gpu.uuid.starts_with(word);
}

bool AllAlike(const std::vector<NvmlGpu>& gpus) {
  return std::all_of(gpus.begin(), gpus.end(), [&gpus](const NvmlGpu& gpu) {
    return gpu.name == gpus.front().name;
  });
}

// CUDA takes the list up to its first word that names nothing.
std::vector<bool> CudaVisible(const std::vector<NvmlGpu>& gpus,
                              const NvmlOptions& options) {
  std::vector<bool> visible(gpus.size(), false);
  const bool same_order = options.pci_order || AllAlike(gpus);
  for (const std::string& word : Words(*options.cuda_visible)) {
    bool found = false;
    if (IsNumber(word)) {
      if (!same_order) return std::vector<bool>(gpus.size(), true);
      const size_t index = std::stoul(word);
      found = index < gpus.size();
      if (found) visible[index] = true;
    }
    for (size_t i = 0; i < gpus.size(); ++i) {
      if (!Names(word, gpus[i])) continue;
      visible[i] = true;
      found = true;
    }
    if (!found) break;
  }
  return visible;
}

void KeepContainersOwn(const std::vector<NvmlGpu>& gpus,
                       const std::string& list, std::vector<bool>& visible) {
  const auto words = Words(list);
  const auto is_uuid = [](const std::string& word) {
    return word.starts_with("GPU-") || word.starts_with("MIG-");
  };
  if (words.empty() || !std::all_of(words.begin(), words.end(), is_uuid))
    return;
  for (size_t i = 0; i < gpus.size(); ++i)
    if (std::none_of(words.begin(), words.end(), [&](const std::string& word) {
          return Names(word, gpus[i]);
        }))
      visible[i] = false;
}

bool HasNvidia(const HostFacts& host) {
  return std::any_of(host.gpus.begin(), host.gpus.end(),
                     [](const std::string& gpu) {
                       return gpu.find("NVIDIA") != std::string::npos ||
                              gpu.find("Tesla") != std::string::npos ||
                              gpu.find("GeForce") != std::string::npos ||
                              gpu.find("Quadro") != std::string::npos;
                     });
}

// Of each process, over its samples.
std::map<unsigned, double> MeanShares(const std::vector<NvmlSample>& samples) {
  std::map<unsigned, double> shares;
  std::map<unsigned, int> counts;
  for (const NvmlSample& sample : samples) {
    shares[sample.pid] += sample.percent / 100.0;
    ++counts[sample.pid];
  }
  for (auto& [pid, share] : shares) share /= counts[pid];
  return shares;
}

// A machine that was recorded has none of this one's GPUs.
Result<std::unique_ptr<NvmlLibrary>> OpenFor(const RootFs& fs,
                                             const HostFacts& host) {
  const std::string path = NvmlOptionsFromEnvironment().library;
  const bool named = path != NvmlOptions().library;
  const bool recorded = !named && !fs.root().empty();
  if (recorded && HasNvidia(host))
    return Fail(ErrorCode::kUnavailable,
                "no NVIDIA driver can be asked on a recorded machine", "");
  auto library = recorded ? Result<std::unique_ptr<NvmlLibrary>>(
                                Fail(ErrorCode::kUnavailable, "", ""))
                          : NvmlLibrary::Open(path);
  if (!library && !named && !HasNvidia(host))
    return Fail(ErrorCode::kUnavailable, "no NVIDIA GPU is here", "");
  return library;
}

// The kernel's own thread has the id 2 where ids are the host's.
bool SeesHostPids(const RootFs& fs) {
  return ReadTrimmed(fs, "/proc/2/comm").value_or("") == "kthreadd";
}

// "2 x NVIDIA L4 (counter), NVIDIA T4 (power, 1 s mean)"
std::string Summary(const std::vector<std::string>& each) {
  std::map<std::string, int> counts;
  for (const std::string& text : each) ++counts[text];
  std::string out;
  for (const auto& [text, count] : counts) {
    if (!out.empty()) out += ", ";
    out += count == 1 ? text : fmt::format("{} x {}", count, text);
  }
  return out;
}

}  // namespace

NvmlOptions NvmlOptionsFromEnvironment() {
  NvmlOptions options;
  if (const auto path = Variable("MODICUM_NVML"); path && !path->empty())
    options.library = *path;
  options.cuda_visible = Variable("CUDA_VISIBLE_DEVICES");
  options.pci_order = Variable("CUDA_DEVICE_ORDER") == "PCI_BUS_ID";
  options.nvidia_visible = Variable("NVIDIA_VISIBLE_DEVICES");
  return options;
}

std::vector<bool> VisibleGpus(const std::vector<NvmlGpu>& gpus,
                              const NvmlOptions& options) {
  std::vector<bool> visible = options.cuda_visible
                                  ? CudaVisible(gpus, options)
                                  : std::vector<bool>(gpus.size(), true);
  if (options.nvidia_visible)
    KeepContainersOwn(gpus, *options.nvidia_visible, visible);
  return visible;
}

// What there is, before it is decided whether it is enough.
struct NvmlProbe::Found {
  std::vector<Gpu> gpus;           // visible and readable
  std::vector<unsigned> numbers;   // of each, in NVML's order
  size_t present = 0;              // in the machine
  size_t visible = 0;              // to us
  std::optional<Error> failure{};  // of the first visible one left out
};

NvmlProbe::NvmlProbe(std::unique_ptr<NvmlLibrary> library, Found found,
                     bool host_pids, MonotonicTime now)
    : library_(std::move(library)),
      gpus_(std::move(found.gpus)),
      uses_(gpus_.size()),
      read_at_(now),
      host_pids_(host_pids) {
  for (size_t i = 0; i < gpus_.size(); ++i) {
    Domain domain;
    domain.name = fmt::format("gpu-{}", found.numbers[i]);
    domain.component = "gpu";
    // No two GPUs of ours are one, whatever the driver names them.
    domain.device = "nvml " + domain.name;
    domain.scope = Scope::kDevice;
    domain.origin = gpus_[i].source == Source::kCounter ? Origin::kCounter
                                                        : Origin::kSensor;
    domains_.push_back(std::move(domain));
  }
}

Result<uint64_t> NvmlProbe::ReadCount(const NvmlLibrary& library,
                                      const Gpu& gpu) {
  if (gpu.source == Source::kCounter)
    return library.EnergyMillijoules(gpu.device);
  MODICUM_TRY(const unsigned milliwatts,
              gpu.source == Source::kInstant
                  ? library.InstantMilliwatts(gpu.device)
                  : library.PowerMilliwatts(gpu.device));
  return uint64_t{milliwatts};
}

// The best source that answers; the last one's error when none does.
Result<NvmlProbe::Gpu> NvmlProbe::OpenGpu(const NvmlLibrary& library,
                                          NvmlDevice device, NvmlGpu facts,
                                          MonotonicTime now) {
  Gpu gpu;
  gpu.device = device;
  gpu.facts = std::move(facts);
  gpu.used_at = gpu.sampled_at = now;
  const bool module = gpu.facts.name.find(kModuleName) != std::string::npos;
  auto count = Result<uint64_t>(Fail(ErrorCode::kUnavailable, ""));
  for (const Source source :
       {Source::kCounter, Source::kInstant, Source::kAverage}) {
    // These two hold the module's CPU too.
    if (module && source != Source::kInstant) continue;
    gpu.source = source;
    count = ReadCount(library, gpu);
    if (count) break;
  }
  if (!count) return Fail(std::move(count).error());
  if (gpu.source == Source::kCounter) {
    EnergyCounter counter;
    counter.unit = Joules(1e-3);
    counter.cap = kCap;
    counter.jitter = kJitter;
    gpu.gauge = counter;
  } else {
    PowerSensor sensor;
    sensor.unit = Watts(1e-3);
    sensor.cap = kCap;
    gpu.gauge = sensor;
  }
  Advance(gpu.gauge, *count, now);
  return gpu;
}

Result<NvmlProbe::Found> NvmlProbe::Find(const NvmlLibrary& library,
                                         const NvmlOptions& options,
                                         MonotonicTime now) {
  Found found;
  MODICUM_TRY(const unsigned count, library.Count());
  std::vector<NvmlGpu> facts(count);
  std::vector<Result<NvmlDevice>> devices;
  for (unsigned i = 0; i < count; ++i) {
    devices.push_back(library.Device(i));
    if (!devices[i]) continue;
    facts[i] = {library.Name(*devices[i]).value_or("NVIDIA GPU"),
                library.Uuid(*devices[i]).value_or(""),
                library.IsMig(*devices[i]).value_or(false)};
  }
  const std::vector<bool> visible = VisibleGpus(facts, options);
  found.present = count;
  for (unsigned i = 0; i < count; ++i) {
    if (!visible[i]) continue;
    ++found.visible;
    auto gpu = devices[i] ? OpenGpu(library, *devices[i], facts[i], now)
                          : Result<Gpu>(Fail(devices[i].error()));
    if (gpu) {
      found.gpus.push_back(*std::move(gpu));
      found.numbers.push_back(i);
    } else if (!found.failure) {
      found.failure = std::move(gpu).error();
      found.failure->message =
          fmt::format("GPU {}: {}", i, found.failure->message);
    }
  }
  if (!found.gpus.empty()) return found;
  if (found.failure) return Fail(*std::move(found.failure));
  if (found.present == 0)
    return Fail(ErrorCode::kUnavailable, "the driver sees no GPU",
                "in a container: start it with --gpus all");
  return Fail(ErrorCode::kUnavailable,
              "CUDA_VISIBLE_DEVICES or NVIDIA_VISIBLE_DEVICES hides every GPU",
              "unset it, or name the GPUs to meter");
}

Result<std::unique_ptr<Probe>> NvmlProbe::Open(const ProbeContext& context) {
  MODICUM_TRY(auto library, OpenFor(context.fs, context.host));
  MODICUM_TRY(auto found,
              Find(*library, NvmlOptionsFromEnvironment(), context.now));
  return std::unique_ptr<Probe>(
      new NvmlProbe(std::move(library), std::move(found),
                    SeesHostPids(context.fs), context.now));
}

std::string NvmlProbe::Covers(const NvmlLibrary& library, const Found& found) {
  std::vector<std::string> each;
  for (const Gpu& gpu : found.gpus) {
    const std::string_view how =
        gpu.source == Source::kCounter   ? "energy counter"
        : gpu.source == Source::kInstant ? "power, integrated"
                                         : "1 s mean power, integrated";
    each.push_back(fmt::format("{} ({})", gpu.facts.name, how));
  }
  std::string text = Summary(each);
  if (found.visible < found.present)
    text += fmt::format(", {} of {} visible", found.visible, found.present);
  if (const auto driver = library.DriverVersion())
    text += ", driver " + *driver;
  return text;
}

ProbeReport NvmlProbe::Report(const ProbeContext& context) {
  ProbeReport report;
  report.name = "nvml";
  const auto failed = [&report](const Error& error) {
    report.reason = error.message;
    report.cure = error.hint;
    return report;
  };
  const auto library = OpenFor(context.fs, context.host);
  if (!library) return failed(library.error());
  const auto found =
      Find(**library, NvmlOptionsFromEnvironment(), MonotonicTime{});
  if (!found) return failed(found.error());
  report.usable = true;
  report.covers = Covers(**library, *found);
  if (found->failure) return failed(*found->failure);
  if (!SeesHostPids(context.fs))
    return failed({ErrorCode::kUnavailable,
                   "process ids here are not the host's: whose a GPU's active "
                   "energy is stays unknown",
                   "in a container: start it with --pid=host"});
  if (std::any_of(found->gpus.begin(), found->gpus.end(),
                  [](const Gpu& gpu) { return gpu.facts.mig; }))
    report.reason =
        "a GPU is split (MIG): its energy is that of all instances together";
  return report;
}

Seconds NvmlProbe::update_period() const {
  const bool mean = std::any_of(gpus_.begin(), gpus_.end(), [](const Gpu& gpu) {
    return gpu.source == Source::kAverage;
  });
  return mean ? Seconds(1) : Seconds(0.1);
}

std::vector<Share> NvmlProbe::relative_errors() const {
  return {Share{InternSource("NVML accuracy (assumed)"), kNvmlSd}};
}

Result<DomainDelta> NvmlProbe::ReadGpu(Gpu& gpu, MonotonicTime now) {
  auto count = ReadCount(*library_, gpu);
  if (count) return Advance(gpu.gauge, *count, now);
  Lose(gpu.gauge);
  return Fail(std::move(count).error());
}

Result<std::vector<DomainDelta>> NvmlProbe::Read(MonotonicTime now) {
  std::vector<DomainDelta> deltas;
  if (now - read_at_ < kFastest) {
    uses_.assign(gpus_.size(), DeviceUse{});
    deltas.resize(gpus_.size());
    return deltas;
  }
  read_at_ = now;
  deltas.reserve(gpus_.size());
  std::optional<Error> failure;
  size_t failures = 0;
  for (size_t i = 0; i < gpus_.size(); ++i) {
    Gpu& gpu = gpus_[i];
    const auto delta =
        gpu.ended ? Result<DomainDelta>(Fail(*gpu.ended)) : ReadGpu(gpu, now);
    uses_[i] = delta ? ReadUse(gpu, now) : DeviceUse{};
    deltas.push_back(delta ? *delta : DomainDelta{Joules(0), true});
    if (delta) continue;
    ++failures;
    if (delta.error().code == ErrorCode::kEnded) gpu.ended = delta.error();
    if (!failure) failure = delta.error();
  }
  if (failures < gpus_.size()) return deltas;
  if (failure->code != ErrorCode::kEnded) failure->code = ErrorCode::kRetry;
  return Fail(*std::move(failure));
}

DeviceUse NvmlProbe::ReadUse(Gpu& gpu, MonotonicTime now) {
  DeviceUse use;
  const Seconds span = now - gpu.used_at;
  if (span < kUseEvery) return use;
  use.asked = true;
  gpu.used_at = now;
  if (const auto percent = library_->BusyPercent(gpu.device))
    use.busy = span * (*percent / 100.0);
  ReadProcesses(gpu, now, use);
  return use;
}

void NvmlProbe::ReadProcesses(Gpu& gpu, MonotonicTime now, DeviceUse& use) {
  if (!host_pids_) {
    use.unknown = "process ids here are not the host's";
    return;
  }
  if (const auto pids = library_->Processes(gpu.device)) {
    use.present.emplace();
    for (const unsigned pid : *pids)
      use.present->push_back(static_cast<pid_t>(pid));
  }
  const auto samples = library_->Samples(gpu.device, gpu.sampled_micros);
  if (!samples) {
    use.unknown = samples.error().message;
    return;
  }
  use.by_process.emplace();
  const Seconds span = now - gpu.sampled_at;
  if (samples->empty() && span < kSampleEvery) return;
  gpu.sampled_at = now;
  for (const auto& [pid, share] : MeanShares(*samples))
    use.by_process->push_back({static_cast<pid_t>(pid), span * share});
  for (const NvmlSample& sample : *samples)
    gpu.sampled_micros = std::max(gpu.sampled_micros, sample.micros);
}

}  // namespace modicum
