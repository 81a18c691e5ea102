// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_metrics.h"

#include "place/place.h"

namespace modicum {
namespace {

// OpenTelemetry's hw.type of a component; "" for the machine as a whole.
std::string_view HardwareType(std::string_view component) {
  if (component == "cpu" || component == "gpu") return component;
  if (component == "dram") return "memory";
  return component == "platform" || component == "wall" ? "" : "enclosure";
}

}  // namespace

void WatchMetrics::Add(const WatchFrame& frame, const WatchBy& by,
                       const Place& place) {
  const double seconds = frame.wall.value();
  const auto add = [&](Series& series, const Estimate<Joules>& energy) {
    if (series.since == WallTime{}) series.since = frame.began();
    series.seen = frame.watched;
    series.joules += energy.mid.value();
    series.watts = energy.mid.value() / seconds;
    series.low = energy.low().value() / seconds;
    series.high = energy.high().value() / seconds;
  };
  // Who is not there uses nothing; its counter stays for a while.
  for (auto& [name, series] : series_)
    series.watts = series.low = series.high = 0;
  for (const WatchRow& row : frame.rows) {
    Series& series = series_[row.name];
    add(series, row.energy.own());
    series.cpu_seconds += row.cpu.value();
  }
  std::erase_if(series_, [&](const auto& entry) {
    return frame.watched - entry.second.seen > kForgotten;
  });
  for (const DomainEnergy& domain : frame.domains) {
    Source& source = sources_[domain.domain.name];
    source.latest = domain;
    add(source.series, domain.energy);
  }
  add(machine_, frame.measured);
  add(idle_, frame.idle);
  add(unattributed_, frame.unattributed);
  grams_ += OperationalCarbon(frame.measured, place).mid.value();
  by_ = by.name();
  origin_ = OriginName(frame.measured.origin);
  scope_ = ScopeName(frame.measured.scope);
  place_ = place.name;
}

MetricPoint WatchMetrics::Counter(Labels labels, const Series& series,
                                  double value) {
  return {std::move(labels), value, series.since};
}

void WatchMetrics::AddBounds(const Labels& labels, const Series& series,
                             MetricFamily& family) {
  for (const auto& [bound, watts] :
       {std::pair("mid", series.watts), std::pair("low", series.low),
        std::pair("high", series.high)}) {
    MetricPoint point{labels, watts};
    point.labels.emplace_back("bound", bound);
    family.points.push_back(std::move(point));
  }
}

std::vector<MetricFamily> WatchMetrics::Families() const {
  std::vector<MetricFamily> families;
  AddMachine(families);
  AddConsumers(families);
  AddHardware(families);
  return families;
}

void WatchMetrics::AddMachine(std::vector<MetricFamily>& families) const {
  MetricFamily energy{"modicum_machine_energy_joules_total",
                      "modicum.machine.energy", "J",
                      "Energy of the machine: measured = all consumers + idle "
                      "+ unattributed.",
                      true};
  MetricFamily power{"modicum_machine_power_watts", "modicum.machine.power",
                     "W",
                     "Mean power of the last interval; bound: mid, or an end "
                     "of the 90 % interval."};
  for (const auto& [part, series] :
       {std::pair("measured", &machine_), std::pair("idle", &idle_),
        std::pair("unattributed", &unattributed_)}) {
    const Labels labels = {
        {"part", part}, {"origin", origin_}, {"scope", scope_}};
    energy.points.push_back(Counter(labels, *series, series->joules));
    AddBounds(labels, *series, power);
  }
  MetricFamily domains{"modicum_domain_energy_joules_total",
                       "modicum.domain.energy", "J",
                       "Energy by source; those that are not counted lie "
                       "inside others.",
                       true};
  for (const auto& [name, source] : sources_)
    domains.points.push_back(
        Counter({{"domain", name},
                 {"probe", source.latest.probe},
                 {"counted", source.latest.domain.counted ? "true" : "false"}},
                source.series, source.series.joules));
  MetricFamily carbon{"modicum_machine_carbon_grams_total",
                      "modicum.machine.carbon",
                      "g",
                      "Operational carbon (gCO2e) of the measured energy.",
                      true,
                      {Counter({{"place", place_}}, machine_, grams_)}};
  for (MetricFamily* family : {&energy, &power, &domains, &carbon})
    families.push_back(std::move(*family));
}

void WatchMetrics::AddConsumers(std::vector<MetricFamily>& families) const {
  MetricFamily energy{"modicum_energy_joules_total", "modicum.energy", "J",
                      "Energy charged to a consumer, active and idle by the "
                      "policy.",
                      true};
  MetricFamily power{"modicum_power_watts", "modicum.power", "W",
                     "Mean power charged to a consumer in the last interval."};
  MetricFamily cpu{"modicum_cpu_seconds_total", "modicum.cpu.time", "s",
                   "CPU time of a consumer, children too short-lived to be "
                   "seen included.",
                   true};
  for (const auto& [name, series] : series_) {
    const Labels labels = {{"by", by_}, {"name", name}};
    energy.points.push_back(Counter(labels, series, series.joules));
    AddBounds(labels, series, power);
    cpu.points.push_back(Counter(labels, series, series.cpu_seconds));
  }
  for (MetricFamily* family : {&energy, &power, &cpu})
    families.push_back(std::move(*family));
}

// By OpenTelemetry's conventions: a host's own are apart from those of its
// parts, so that neither is summed with the other.
void WatchMetrics::AddHardware(std::vector<MetricFamily>& families) const {
  MetricFamily energy{"", "hw.energy", "J", "Energy of a component", true};
  MetricFamily power{"", "hw.power", "W", "Power of a component"};
  MetricFamily host_energy{"", "hw.host.energy", "J", "Energy of the host",
                           true};
  MetricFamily host_power{"", "hw.host.power", "W", "Power of the host"};
  for (const auto& [name, source] : sources_) {
    const Domain& domain = source.latest.domain;
    if (!domain.counted) continue;
    const std::string_view type = HardwareType(domain.component);
    Labels labels = {
        {"hw.id", name},
        {"hw.name", source.latest.probe},
        {"modicum.origin", std::string(OriginName(domain.origin))}};
    if (!type.empty()) labels.emplace_back("hw.type", type);
    (type.empty() ? host_power : power)
        .points.push_back({labels, source.series.watts});
    (type.empty() ? host_energy : energy)
        .points.push_back(
            Counter(std::move(labels), source.series, source.series.joules));
  }
  for (MetricFamily* family : {&energy, &power, &host_energy, &host_power})
    if (!family->points.empty()) families.push_back(std::move(*family));
}

}  // namespace modicum
