// SPDX-License-Identifier: Apache-2.0
// Whole disks alone: partitions, loop devices, RAM disks, and what is made of
// several disks (dm, md) would count their bytes again. What a virtual machine
// sees is a part of somebody's storage: by its size.
#include "probe/disk_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "hardware/component_power.h"
#include "probe/traffic.h"

namespace modicum {
namespace {

constexpr std::string_view kDiskModel = "disk-model";
// Above PCIe 5 x4 and above the fastest drives' million of operations.
constexpr TrafficLimit kDiskLimit{20e9, 2e7};
// Of /sys/block/*/size and of the table.
constexpr double kTerabytePerSector = 512 / 1e12;
constexpr double kGigabytePerByte = 1e-9;

std::string SysBlock(std::string_view disk, std::string_view file) {
  return fmt::format("/sys/block/{}/{}", disk, file);
}

// "" for what is no disk of its own.
std::string KindOf(const ProbeContext& context, std::string_view disk) {
  const bool optical = disk.starts_with("sr") || disk.starts_with("fd");
  const bool boot_part =
      disk.starts_with("mmcblk") && disk.find("boot") != std::string_view::npos;
  if (optical || boot_part || !context.fs.Exists(SysBlock(disk, "device")))
    return "";
  if (context.host.virtual_machine) return "virtual";
  if (disk.starts_with("nvme")) return "nvme";
  const auto turns =
      ReadTrimmed(context.fs, SysBlock(disk, "queue/rotational"));
  return turns.value_or("0") == "1" ? "hdd" : "ssd";
}

struct DiskPower {
  Watts idle;
  Joules per_byte;
  Joules per_operation;

  Joules EnergyOf(const TrafficCount& count, Seconds span) const {
    return idle * span + per_byte * static_cast<double>(count.bytes) +
           per_operation * static_cast<double>(count.operations);
  }
};

// What is known of one disk, and how far that may be off.
struct Disk {
  std::string kind;
  DiskPower power;
  double ln_sd = 0;  // the widest of its figures
  std::vector<Factor> factors;
};

Disk DiskOf(const ProbeContext& context, std::string_view name,
            const std::string& kind) {
  Disk disk;
  disk.kind = kind;
  const auto figure = [&disk](std::string_view unit) {
    const PublishedFigure found = FindFigure("disk", disk.kind, unit);
    disk.ln_sd = std::max(disk.ln_sd, found.ln_sd);
    disk.factors.insert(disk.factors.end(), found.sources.begin(),
                        found.sources.end());
    return found.mid;
  };
  const double sectors = static_cast<double>(
      ReadUnsigned(context.fs, SysBlock(name, "size")).value_or(0));
  disk.power.idle =
      Watts(figure("W") + figure("W/TB") * sectors * kTerabytePerSector);
  disk.power.per_byte = Joules(figure("J/GB") * kGigabytePerByte);
  disk.power.per_operation = Joules(figure("J/op"));
  return disk;
}

using Disks = std::map<std::string, Disk, std::less<>>;

// The disks of a machine. One that comes later is not taken up: what it is was
// asked when the model was opened.
Disks FindDisks(const ProbeContext& context) {
  Disks disks;
  const auto names = context.fs.List("/sys/block");
  for (const std::string& name : names.value_or(std::vector<std::string>{}))
    if (const std::string kind = KindOf(context, name); !kind.empty())
      disks.emplace(name, DiskOf(context, name, kind));
  return disks;
}

class DiskModelProbe final : public Probe {
 public:
  DiskModelProbe(const RootFs& fs, Disks disks)
      : disks_(std::move(disks)),
        reader_(fs, {"/proc/diskstats", ParseDiskStats, kDiskLimit},
                [this](std::string_view device) {
                  return disks_.find(device) != disks_.end();
                }) {
    double widest = 0;
    for (const auto& [name, disk] : disks_) {
      idle_ += disk.power.idle;
      widest = std::max(widest, disk.ln_sd);
    }
    errors_ = {{InternSource("disk model: published figures"), widest}};
  }
  Status Start(MonotonicTime now) { return reader_.Start(now); }

  std::string_view name() const override { return kDiskModel; }
  std::span<const Domain> domains() const override { return {&domain_, 1}; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override {
    MODICUM_TRY(const TrafficReader::Passed passed, reader_.Read(now));
    return std::vector<DomainDelta>{DeltaOf(passed)};
  }
  Observed observed() const override { return observed_; }
  // Disks of one kind share theirs.
  std::vector<Factor> factors() const override {
    std::map<std::string, const Disk*> kinds;
    for (const auto& [name, disk] : disks_) kinds[disk.kind] = &disk;
    std::vector<Factor> factors;
    for (const auto& [kind, disk] : kinds)
      factors.insert(factors.end(), disk->factors.begin(), disk->factors.end());
    return factors;
  }
  std::vector<Share> relative_errors() const override { return errors_; }
  std::optional<Estimate<Watts>> idle_power() const override {
    return Exactly(idle_, domain_.origin, domain_.scope)
        .WithShared(errors_[0].source, errors_[0].delta);
  }
  Seconds update_period() const override { return Milliseconds(1); }

 private:
  DomainDelta DeltaOf(const TrafficReader::Passed& passed) {
    observed_.devices = reader_.devices();
    if (!passed.counts) return {Joules(0), true};
    DomainDelta delta;
    for (const auto& [name, count] : *passed.counts) {
      const DiskPower& power = disks_.find(name)->second.power;
      delta.energy += power.EnergyOf(count, passed.span);
      observed_.bytes += Bytes(static_cast<double>(count.bytes));
      observed_.busy += std::min(passed.span, Milliseconds(count.busy_ms));
    }
    return delta;
  }

  const Domain domain_{.name = "disks",
                       .component = "disk",
                       .scope = Scope::kDevice,
                       .origin = Origin::kModelled,
                       .counted = true,
                       .device = {},
                       .shared_by = SharedBy::kTraffic};
  const Disks disks_;
  TrafficReader reader_;
  Watts idle_;
  std::vector<Share> errors_;
  Observed observed_;
};

Result<std::unique_ptr<Probe>> OpenDisks(const ProbeContext& context,
                                         Disks disks) {
  if (disks.empty())
    return Fail(ErrorCode::kUnavailable, "no disk is in /sys/block");
  auto probe = std::make_unique<DiskModelProbe>(context.fs, std::move(disks));
  if (Status started = probe->Start(context.now); !started) {
    Error error = std::move(started).error();
    error.hint = "mount /proc, or leave disk out of --modelled";
    return Fail(std::move(error));
  }
  return std::unique_ptr<Probe>(std::move(probe));
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenDiskModel(const ProbeContext& context) {
  return OpenDisks(context, FindDisks(context));
}

ProbeReport ReportDiskModel(const ProbeContext& context) {
  const Disks disks = FindDisks(context);
  const auto probe = OpenDisks(context, disks);
  ProbeReport report = ReportOf(kDiskModel, probe);
  if (!probe) return report;
  std::string list;
  for (const auto& [name, disk] : disks)
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", name, disk.kind);
  report.covers = "disks, MODELLED: " + list;
  report.reading =
      fmt::format("{} idle, then by bytes; 90 % interval x/÷ {:.1f}",
                  FormatWithUnit((*probe)->idle_power()->mid.value(), "W"),
                  std::exp(kZ90 * (*probe)->relative_errors()[0].delta));
  return report;
}

}  // namespace modicum
