// SPDX-License-Identifier: Apache-2.0
// Interfaces with a device behind them alone: bridges, bonds, VLANs, tunnels
// and loopback would count their bytes again, or bytes that never leave. In a
// container there is none, but the one end of a pair that leads out of it.
#include "probe/network_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/format.h"
#include "hardware/component_power.h"
#include "probe/traffic.h"

namespace modicum {
namespace {

constexpr std::string_view kNetworkModel = "network-model";
constexpr std::string_view kInterfaces = "/sys/class/net";
// 800 Gbit/s both ways, in the smallest packets.
constexpr TrafficLimit kInterfaceLimit{2e11, 3e9};
constexpr double kJoulesPerByte = 3.6e6 / 1e9;  // of a kWh/GB

std::string SysNet(std::string_view interface, std::string_view file) {
  return fmt::format("{}/{}/{}", kInterfaces, interface, file);
}

bool HasDevice(const RootFs& fs, const std::string& interface) {
  return fs.Exists(SysNet(interface, "device"));
}

// One end of a pair: it says that it is linked to another.
bool IsOneOfAPair(const RootFs& fs, const std::string& interface) {
  const auto own = ReadUnsigned(fs, SysNet(interface, "ifindex"));
  const auto link = ReadUnsigned(fs, SysNet(interface, "iflink"));
  return own && link && *own != *link;
}

using Interfaces = std::set<std::string, std::less<>>;

Interfaces FindInterfaces(const RootFs& fs) {
  const auto names = fs.List(kInterfaces).value_or(std::vector<std::string>{});
  Interfaces found;
  for (const auto& is_way_out : {&HasDevice, &IsOneOfAPair}) {
    for (const std::string& name : names)
      if (name != "lo" && is_way_out(fs, name)) found.insert(name);
    if (!found.empty()) break;
  }
  return found;
}

class NetworkModelProbe final : public Probe {
 public:
  NetworkModelProbe(const RootFs& fs, Interfaces interfaces)
      : interfaces_(std::move(interfaces)),
        reader_(fs, {"/proc/net/dev", ParseNetworkDevices, kInterfaceLimit},
                [this](std::string_view interface) {
                  return interfaces_.find(interface) != interfaces_.end();
                }) {
    const PublishedFigure figure = FindFigure("network", "", "kWh/GB");
    per_byte_ = Joules(figure.mid * kJoulesPerByte);
    errors_ = {
        {InternSource("network model: published figures"), figure.ln_sd}};
    factors_ = figure.sources;
  }
  Status Start(MonotonicTime now) { return reader_.Start(now); }

  std::string_view name() const override { return kNetworkModel; }
  std::span<const Domain> domains() const override { return {&domain_, 1}; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override {
    MODICUM_TRY(const TrafficReader::Passed passed, reader_.Read(now));
    observed_.devices = reader_.devices();
    if (!passed.counts) return std::vector<DomainDelta>{{Joules(0), true}};
    Bytes bytes;
    for (const auto& [name, count] : *passed.counts)
      bytes += Bytes(static_cast<double>(count.bytes));
    observed_.bytes += bytes;
    return std::vector<DomainDelta>{{per_byte_ * bytes.value(), false}};
  }
  Observed observed() const override { return observed_; }
  std::vector<Factor> factors() const override { return factors_; }
  std::vector<Share> relative_errors() const override { return errors_; }
  // What networks draw without traffic is not asked of this machine.
  std::optional<Estimate<Watts>> idle_power() const override {
    return Exactly(Watts(0), domain_.origin, domain_.scope);
  }
  Seconds update_period() const override { return Milliseconds(1); }

 private:
  const Domain domain_{.name = "network",
                       .component = "network",
                       .scope = Scope::kNetwork,
                       .origin = Origin::kModelled,
                       .counted = false,
                       .device = {},
                       .shared_by = SharedBy::kUsual};
  const Interfaces interfaces_;
  TrafficReader reader_;
  Joules per_byte_;
  std::vector<Share> errors_;
  std::vector<Factor> factors_;
  Observed observed_;
};

Result<std::unique_ptr<Probe>> OpenInterfaces(const ProbeContext& context,
                                              Interfaces interfaces) {
  if (interfaces.empty())
    return Fail(ErrorCode::kUnavailable,
                "no network interface leads out of this machine");
  auto probe =
      std::make_unique<NetworkModelProbe>(context.fs, std::move(interfaces));
  if (Status started = probe->Start(context.now); !started) {
    Error error = std::move(started).error();
    error.hint = "mount /proc, or leave network out of --modelled";
    return Fail(std::move(error));
  }
  return std::unique_ptr<Probe>(std::move(probe));
}

}  // namespace

Result<std::unique_ptr<Probe>> OpenNetworkModel(const ProbeContext& context) {
  return OpenInterfaces(context, FindInterfaces(context.fs));
}

ProbeReport ReportNetworkModel(const ProbeContext& context) {
  const Interfaces interfaces = FindInterfaces(context.fs);
  const auto probe = OpenInterfaces(context, interfaces);
  ProbeReport report = ReportOf(kNetworkModel, probe);
  if (!probe) return report;
  std::string list;
  for (const std::string& name : interfaces)
    list += (list.empty() ? "" : ", ") + name;
  const PublishedFigure figure = FindFigure("network", "", "kWh/GB");
  report.covers = "networks outside of the machine, MODELLED: " + list;
  report.reading = fmt::format(
      "by bytes of all its processes; 90 % interval {} to {} kWh/GB, the "
      "spread of {} published figures; never in the sum",
      FormatNumber(figure.low), FormatNumber(figure.high),
      figure.sources.size());
  return report;
}

}  // namespace modicum
