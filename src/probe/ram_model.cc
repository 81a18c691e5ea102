// SPDX-License-Identifier: Apache-2.0
#include "probe/ram_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/format.h"
#include "hardware/component_power.h"

namespace modicum {
namespace {

constexpr std::string_view kRamModel = "ram-model";
// Modules are sold by it: what the tools call GB.
constexpr double kGibibyte = 1024.0 * 1024 * 1024;

// What this kernel has, or less where a container may use less.
Result<Bytes> InstalledMemory(const ProbeContext& context) {
  if (context.host.ram <= Bytes(0))
    return Fail(ErrorCode::kNotFound,
                "how much memory is installed is not known: /proc/meminfo has "
                "no MemTotal",
                "mount /proc, or leave ram out of --modelled");
  const auto limit = ReadUnsigned(context.fs, "/sys/fs/cgroup/memory.max");
  if (!limit || *limit == 0) return context.host.ram;  // "max", or none
  return std::min(context.host.ram, Bytes(static_cast<double>(*limit)));
}

class RamModelProbe final : public Probe {
 public:
  RamModelProbe(Bytes memory, const PublishedFigure& figure, MonotonicTime now)
      : factors_(figure.sources),
        power_(figure.mid * memory.value() / kGibibyte),
        errors_{
            {InternSource("memory model: published figures"), figure.ln_sd}},
        last_at_(now) {
    observed_.memory = memory;
  }

  std::string_view name() const override { return kRamModel; }
  std::span<const Domain> domains() const override { return {&domain_, 1}; }
  Result<std::vector<DomainDelta>> Read(MonotonicTime now) override {
    const Seconds span = now - std::exchange(last_at_, now);
    return std::vector<DomainDelta>{{power_ * span, false}};
  }
  Observed observed() const override { return observed_; }
  std::vector<Factor> factors() const override { return factors_; }
  std::vector<Share> relative_errors() const override { return errors_; }
  std::optional<Estimate<Watts>> idle_power() const override {
    return Exactly(power_, domain_.origin, domain_.scope)
        .WithShared(errors_[0].source, errors_[0].delta);
  }
  Seconds update_period() const override { return Milliseconds(1); }

 private:
  const Domain domain_{.name = "memory",
                       .component = "dram",
                       .scope = Scope::kPackage,
                       .origin = Origin::kModelled,
                       .counted = true,
                       .device = {},
                       .shared_by = SharedBy::kMemory};
  const std::vector<Factor> factors_;
  const Watts power_;
  const std::vector<Share> errors_;
  MonotonicTime last_at_;
  Observed observed_;
};

}  // namespace

Result<std::unique_ptr<Probe>> OpenRamModel(const ProbeContext& context) {
  MODICUM_TRY(const Bytes memory, InstalledMemory(context));
  return std::unique_ptr<Probe>(
      new RamModelProbe(memory, FindFigure("ram", "", "W/GB"), context.now));
}

ProbeReport ReportRamModel(const ProbeContext& context) {
  const auto memory = InstalledMemory(context);
  ProbeReport report = ReportOf(kRamModel, memory);
  if (!memory) return report;
  const PublishedFigure figure = FindFigure("ram", "", "W/GB");
  report.covers = fmt::format(
      "memory, MODELLED: {}, {}", FormatBytes(*memory),
      FormatWithUnit(figure.mid * memory->value() / kGibibyte, "W"));
  report.reading = fmt::format(
      "constant; 90 % interval {} to {} W/GB, the spread of {} published "
      "figures",
      FormatNumber(figure.low), FormatNumber(figure.high),
      figure.sources.size());
  return report;
}

}  // namespace modicum
