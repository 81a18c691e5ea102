// SPDX-License-Identifier: Apache-2.0
// A chip is a folder "hwmonN" with a name, and files "energyK_input"
// (microjoules) or "powerK_average" and "powerK_input" (microwatts), whose
// meaning "energyK_label" or, of ACPI meters, "powerK_oem_info" tells. Older
// drivers keep all of that one folder deeper, in "device". Files and units:
// Linux, Documentation/hwmon/sysfs-interface.rst; labels: amd_energy.rst,
// sysfs-driver-intel-{i915,xe}-hwmon, NVIDIA's Grace Performance Tuning Guide.
#include "probe/hwmon.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/ascii.h"
#include "base/format.h"
#include "hardware/detect.h"
#include "probe/rapl.h"
#include "probe/sensor_probe.h"

namespace modicum {
namespace {

constexpr std::string_view kHwmon = "/sys/class/hwmon";

// A chip's parts are shown up to this many: each costs a read a sample, and a
// server has a hundred cores.
constexpr int kMostParts = 16;
// No socket, GPU or module of both draws more, transients included.
constexpr Watts kDeviceCap{3000};
constexpr Watts kBoardCap{20'000};
// i915 and xe keep their count up from a register of 32 bits in steps of 2^-14
// J (i915_hwmon.c), and miss what wraps twice between readings.
constexpr Joules kIntelTurn{262'144};
// No vendor states an error bound of what the kernel shows; as NVML's and
// RAPL's.
constexpr double kHwmonSd = 0.05;
// What samples of a sensor miss between them. Assumed: a quarter of the time
// is seen on some GPUs (Yang et al., SC24, arXiv:2312.02741).
constexpr double kSamplingSd = 0.05;

// What a sensor covers. Of groups that overlap the first that can be read
// counts, all of it; GPUs alone are counted one by one.
enum class Group { kModule, kCpu, kCpuWithGpu, kGpu, kMachine, kBoard };

struct Channel {
  std::string folder, file;
  std::string kind;  // "energy" or "power"
  std::string number;
  std::string label;  // "" without one
  std::string path() const { return folder + "/" + file; }
  std::string Sibling(std::string_view suffix) const {
    return folder + "/" + kind + number + std::string(suffix);
  }
};

struct Chip {
  std::string folder;  // "/sys/class/hwmon/hwmon3"
  std::string name;    // "amdgpu"
  std::string pci;     // "0000:03:00.0"; "" of no PCI device
  std::vector<Channel> channels;
  std::string base() const { return folder.substr(kHwmon.size() + 1); }
};

struct FoundSensor {
  Group group;
  bool outer = true;  // not inside another sensor of its group
  Sensor sensor;
  std::string chip;  // "amdgpu"
  std::string path;  // of the file that is read
};

std::string TextOf(const RootFs& fs, const std::string& path) {
  return ReadTrimmed(fs, path).value_or("");
}

// "power1_average" of `kind` "power" and `suffix` "_average" -> "1".
std::string NumberOf(std::string_view file, std::string_view kind,
                     std::string_view suffix) {
  if (!file.starts_with(kind) || !file.ends_with(suffix) ||
      file.size() <= kind.size() + suffix.size())
    return "";
  file.remove_prefix(kind.size());
  file.remove_suffix(suffix.size());
  return file.find_first_not_of("0123456789") == std::string_view::npos
             ? std::string(file)
             : "";
}

// Those of one kind.
std::vector<Channel> ChannelsOf(const RootFs& fs, const std::string& folder,
                                const std::vector<std::string>& files,
                                std::string_view kind,
                                std::string_view suffix) {
  std::vector<Channel> channels;
  for (const std::string& file : files) {
    std::string number = NumberOf(file, kind, suffix);
    if (number.empty()) continue;
    Channel channel{folder, file, std::string(kind), std::move(number), ""};
    channel.label = TextOf(fs, channel.Sibling("_label"));
    if (channel.label.empty())
      channel.label = TextOf(fs, channel.Sibling("_oem_info"));
    channels.push_back(std::move(channel));
  }
  return channels;
}

// Energy before power, and a mean before what is now: they miss less.
std::vector<Channel> FindChannels(const RootFs& fs, const std::string& folder) {
  const auto files = fs.List(folder);
  if (!files) return {};
  auto channels = ChannelsOf(fs, folder, *files, "energy", "_input");
  if (!channels.empty()) return channels;
  channels = ChannelsOf(fs, folder, *files, "power", "_average");
  for (Channel& now : ChannelsOf(fs, folder, *files, "power", "_input"))
    if (std::ranges::none_of(channels, [&now](const Channel& mean) {
          return mean.number == now.number;
        }))
      channels.push_back(std::move(now));
  return channels;
}

// "0000:03:00.0" of "PCI_SLOT_NAME=0000:03:00.0"; "" of no PCI device.
std::string PciOf(const RootFs& fs, const std::string& device) {
  constexpr std::string_view kKey = "PCI_SLOT_NAME=";
  const std::string text = TextOf(fs, device + "/uevent");
  const size_t at = text.find(kKey);
  if (at == std::string::npos) return "";
  const size_t start = at + kKey.size();
  return text.substr(start, text.find('\n', start) - start);
}

Chip ReadChip(const RootFs& fs, const std::string& folder) {
  Chip chip;
  const std::string device = folder + "/device";
  chip.folder = folder;
  chip.name = TextOf(fs, folder + "/name");
  if (chip.name.empty()) chip.name = TextOf(fs, device + "/name");
  // A battery, a charger: what flows into or out of it is not what is used.
  if (!TextOf(fs, device + "/type").empty()) return chip;
  chip.pci = PciOf(fs, device);
  chip.channels = FindChannels(fs, folder);
  if (chip.channels.empty()) chip.channels = FindChannels(fs, device);
  return chip;
}

Gauge GaugeOf(const RootFs& fs, const Channel& channel, Watts cap,
              Joules turn) {
  if (channel.kind == "energy") {
    EnergyCounter counter;
    counter.cap = cap;
    counter.turn = turn;
    counter.jitter = Seconds(0.1);
    return counter;
  }
  PowerSensor sensor;
  sensor.cap = cap;
  for (const std::string& path : {channel.Sibling("_average_interval"),
                                  channel.folder + "/update_interval"}) {
    const auto milliseconds = ReadUnsigned(fs, path);
    if (!milliseconds || *milliseconds == 0 || sensor.stated) continue;
    sensor.period = Milliseconds(static_cast<double>(*milliseconds));
    sensor.stated = true;
  }
  return sensor;
}

FoundSensor Make(const ProbeContext& context, const Chip& chip,
                 const Channel& channel, Group group, std::string name) {
  const bool gpu = group == Group::kGpu;
  const bool cpu = group == Group::kCpu || group == Group::kCpuWithGpu;
  const bool board = group == Group::kMachine || group == Group::kBoard;
  // A counter's cap also tells a wrap from a reset: the tighter, the better.
  const Watts cap = cpu && channel.kind == "energy"
                        ? RaplCap(context.host, "cpu")
                    : board ? kBoardCap
                            : kDeviceCap;
  Domain domain;
  domain.name = std::move(name);
  domain.component = cpu                       ? "cpu"
                     : gpu                     ? "gpu"
                     : group == Group::kModule ? "module"
                                               : "platform";
  domain.scope = cpu ? Scope::kPackage : gpu ? Scope::kDevice : Scope::kHost;
  domain.origin = channel.kind == "energy" ? Origin::kCounter : Origin::kSensor;
  if (gpu) domain.device = chip.pci.empty() ? chip.folder : chip.pci;
  const Joules turn =
      gpu ? kIntelTurn : Joules(std::numeric_limits<double>::infinity());
  return {group,
          true,
          {std::move(domain),
           std::make_unique<FileCount>(context.fs, channel.path()),
           GaugeOf(context.fs, channel, cap, turn)},
          chip.name,
          channel.path()};
}

// "Esocket0", "Ecore012".
void AddAmdEnergy(const ProbeContext& context, const Chip& chip,
                  std::vector<FoundSensor>& all) {
  int cores = 0;
  for (const Channel& channel : chip.channels) {
    const bool socket = channel.label.starts_with("Esocket");
    if (!socket && ++cores > kMostParts) continue;
    all.push_back(Make(context, chip, channel, Group::kCpu,
                       socket ? "package-" + channel.label.substr(7)
                              : LowerAscii(channel.label)));
    all.back().outer = socket;
    if (!socket) all.back().sensor.domain.component = "core";
  }
}

std::string GpuName(const Chip& chip) {
  std::string_view id = chip.pci;
  if (id.starts_with("0000:")) id.remove_prefix(5);
  return "gpu-" + (id.empty() ? chip.base() : std::string(id));
}

// "card" holds "pkg", which holds "vram"; without labels there is but one.
// "i915_gt0" is a part of the card that "i915" is.
void AddIntelGpu(const ProbeContext& context, const Chip& chip,
                 std::vector<FoundSensor>& all) {
  const bool whole = chip.name.find("_gt") == std::string::npos;
  const auto card = std::ranges::find(chip.channels, "card", &Channel::label);
  const size_t outer = card == chip.channels.end()
                           ? 0
                           : static_cast<size_t>(card - chip.channels.begin());
  for (size_t i = 0; i < chip.channels.size(); ++i) {
    const bool counts = whole && i == outer;
    const std::string& label = chip.channels[i].label;
    all.push_back(Make(context, chip, chip.channels[i], Group::kGpu,
                       GpuName(chip) + (counts          ? ""
                                        : label.empty() ? " " + chip.name
                                                        : " " + label)));
    // Graphics in the CPU's package is part of the package's energy.
    all.back().outer = counts && chip.pci != "0000:00:02.0";
  }
}

// The sensor of a GPU that shares its package with the CPU is of the package.
void AddAmdGpu(const ProbeContext& context, const Chip& chip,
               std::vector<FoundSensor>& all) {
  const bool socket = IsAmdApu(context.fs, chip.folder + "/device");
  bool first = true;
  for (const Channel& channel : chip.channels) {
    const std::string name =
        socket ? "package (" + GpuName(chip) + ")" : GpuName(chip);
    all.push_back(Make(context, chip, channel,
                       socket ? Group::kCpuWithGpu : Group::kGpu,
                       first ? name : name + " " + channel.label));
    all.back().outer = std::exchange(first, false);
  }
}

// "Module Power Socket 0" holds the GPU and "Grace Power Socket 0", which
// holds "CPU Power Socket 0" and "SysIO Power Socket 0".
void AddAcpiMeter(const ProbeContext& context, const Chip& chip,
                  std::vector<FoundSensor>& all) {
  for (const Channel& channel : chip.channels) {
    const std::string label = LowerAscii(channel.label);
    const bool module = label.starts_with("module power");
    const bool grace = label.starts_with("grace power");
    const bool rail =
        label.starts_with("cpu power") || label.starts_with("sysio power");
    const size_t last = label.find_last_not_of("0123456789");
    const std::string socket = label.substr(last + 1);
    const std::string part(channel.label.substr(0, channel.label.find(' ')));
    all.push_back(Make(context, chip, channel,
                       module          ? Group::kModule
                       : grace || rail ? Group::kCpu
                                       : Group::kMachine,
                       module || grace || rail ? LowerAscii(part) + "-" + socket
                                               : "power meter"));
    all.back().outer = !rail;
    if (rail) all.back().sensor.domain.component = "core";
  }
}

// Of a board's rails only what feeds all others may count.
bool IsInput(const std::string& label) {
  const std::string lower = LowerAscii(label);
  return lower.find("vdd_in") != std::string::npos ||
         lower.find("5v_in") != std::string::npos ||
         lower.find("total") != std::string::npos ||
         lower.starts_with("system");
}

void AddBoardSensors(const ProbeContext& context, const Chip& chip,
                     std::vector<FoundSensor>& all) {
  for (const Channel& channel : chip.channels) {
    if (all.size() > 64) return;
    std::string name =
        chip.name + " " +
        (channel.label.empty() ? channel.kind + channel.number : channel.label);
    all.push_back(Make(context, chip, channel, Group::kBoard, std::move(name)));
    all.back().outer = IsInput(channel.label);
  }
}

// fam15h_power's one sensor is of the package (Linux, fam15h_power.rst).
void AddFam15h(const ProbeContext& context, const Chip& chip,
               std::vector<FoundSensor>& all) {
  if (!chip.channels.empty())
    all.push_back(
        Make(context, chip, chip.channels[0], Group::kCpu, "package"));
}

using AddChip = void (*)(const ProbeContext&, const Chip&,
                         std::vector<FoundSensor>&);
struct ChipKind {
  std::string_view name;
  AddChip add;
};
// By the beginning of a chip's name; all others are sensors of the board.
constexpr ChipKind kChips[] = {
    {"amd_energy", AddAmdEnergy},  {"i915", AddIntelGpu},
    {"xe", AddIntelGpu},           {"amdgpu", AddAmdGpu},
    {"power_meter", AddAcpiMeter}, {"fam15h_power", AddFam15h},
};

void AddOf(const ProbeContext& context, const Chip& chip,
           std::vector<FoundSensor>& all) {
  for (const ChipKind& kind : kChips)
    if (chip.name == kind.name ||
        (kind.add == AddIntelGpu &&
         chip.name.starts_with(std::string(kind.name) + "_")))
      return kind.add(context, chip, all);
  AddBoardSensors(context, chip, all);
}

// Several meters or rails without a word on what holds what: one alone may be
// taken for the whole.
void KeepOneOuter(std::vector<FoundSensor>& all, Group group) {
  int members = 0, outer = 0;
  for (const FoundSensor& found : all) {
    members += found.group == group ? 1 : 0;
    outer += found.group == group && found.outer ? 1 : 0;
  }
  for (FoundSensor& found : all)
    if (found.group == group)
      found.outer = members == 1 || (outer == 1 && found.outer);
}

struct OpenedSensor {
  std::vector<FoundSensor> all;    // that can be read; counted as is due
  std::optional<Error> failure{};  // of the first outer one that cannot
};

constexpr unsigned Bit(Group group) {
  return 1U << static_cast<unsigned>(group);
}

// Of every group that overlaps nothing counted before, its outer ones;
// `broken` is a set of bits.
void Count(const std::vector<Domain>& elsewhere, std::vector<FoundSensor>& all,
           unsigned broken) {
  std::vector<Domain> counted = elsewhere;
  for (FoundSensor& found : all) found.sensor.domain.counted = false;
  for (const Group group : {Group::kModule, Group::kCpu, Group::kCpuWithGpu,
                            Group::kGpu, Group::kMachine, Group::kBoard}) {
    if ((broken & Bit(group)) != 0) continue;
    std::vector<Domain> added;
    for (FoundSensor& found : all) {
      Domain& domain = found.sensor.domain;
      if (found.group != group || !found.outer) continue;
      domain.counted = std::ranges::none_of(
          counted,
          [&domain](const Domain& other) { return Overlaps(domain, other); });
      if (domain.counted) added.push_back(domain);
    }
    std::ranges::copy(added, std::back_inserter(counted));
  }
}

// What counts only where nothing else does.
bool IsSpare(Group group) {
  return group == Group::kMachine || group == Group::kBoard;
}

Error WithCure(Error error, const std::string& path) {
  if (error.code == ErrorCode::kPermission)
    error.hint = fmt::format(
        "sudo chgrp energy {} && sudo chmod g+r {} (docs/permissions.md: who "
        "should be in that group)",
        path, path);
  return error;
}

// Two of one name get their file's too.
void MakeUnique(std::vector<FoundSensor>& all) {
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      std::string& name = all[i].sensor.domain.name;
      if (name != all[j].sensor.domain.name) continue;
      name += " (" + all[i].path.substr(kHwmon.size() + 1) + ")";
      break;
    }
}

OpenedSensor OpenAll(const ProbeContext& context) {
  std::vector<FoundSensor> all;
  for (const std::string& entry :
       context.fs.List(kHwmon).value_or(std::vector<std::string>{}))
    AddOf(context, ReadChip(context.fs, std::string(kHwmon) + "/" + entry),
          all);
  MakeUnique(all);
  KeepOneOuter(all, Group::kMachine);
  KeepOneOuter(all, Group::kBoard);
  OpenedSensor opened;
  unsigned broken = 0;
  const bool spare = !context.counted.empty() ||
                     std::ranges::any_of(all, [](const FoundSensor& found) {
                       return found.outer && !IsSpare(found.group);
                     });
  for (FoundSensor& found : all) {
    // Those of a board may take long to answer: not only to be shown.
    if (spare && IsSpare(found.group)) continue;
    Status started = found.sensor.Start(context.now);
    if (started) {
      opened.all.push_back(std::move(found));
    } else if (found.outer) {
      // Half of the sockets are not the machine; each GPU is its own.
      if (found.group != Group::kGpu) broken |= Bit(found.group);
      if (!opened.failure)
        opened.failure = WithCure(std::move(started).error(), found.path);
    }
  }
  Count(context.counted, opened.all, broken);
  return opened;
}

std::string ReadingOf(const Gauge& gauge) {
  const auto* power = std::get_if<PowerSensor>(&gauge);
  return fmt::format(
      "{}; a new value every {}{}",
      power == nullptr ? "microjoules" : "microwatts, integrated",
      FormatDuration(PeriodOf(gauge)),
      power != nullptr && !power->stated ? " or as it turns out" : "");
}

// `text` with `more` behind it, once.
void Join(std::string& text, const std::string& more,
          std::string_view between) {
  if (text.find(more) != std::string::npos) return;
  if (!text.empty()) text += between;
  text += more;
}

Result<SensorSource> FindHwmon(const ProbeContext& context) {
  OpenedSensor opened = OpenAll(context);
  SensorSource source;
  if (opened.failure) source.note = *opened.failure;
  source.errors.push_back({InternSource("hwmon accuracy (assumed)"), kHwmonSd});
  std::string names;
  for (FoundSensor& found : opened.all) {
    const Domain& domain = found.sensor.domain;
    const Gauge& gauge = found.sensor.gauge;
    names += (names.empty() ? "" : ", ") + domain.name;
    if (domain.counted) {
      Join(source.covers, domain.name + " (" + found.chip + ")", ", ");
      Join(source.reading, ReadingOf(gauge), "; ");
      if (gauge.index() == 1 && source.errors.size() == 1)
        source.errors.push_back(
            {InternSource("hwmon sampling (assumed)"), kSamplingSd});
    }
    source.sensors.push_back(std::move(found.sensor));
  }
  if (!source.covers.empty()) return source;
  if (opened.failure) return Fail(*std::move(opened.failure));
  return Fail(ErrorCode::kUnavailable,
              names.empty()
                  ? "no power or energy sensor in " + std::string(kHwmon)
                  : "no sensor of a CPU, a GPU or the whole board that nothing "
                    "else counts; there are: " +
                        names);
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenHwmon(const ProbeContext& context) {
  return OpenSource("hwmon", FindHwmon(context));
}

ProbeReport ReportHwmon(const ProbeContext& context) {
  return ReportSource("hwmon", FindHwmon(context));
}

}  // namespace modicum
