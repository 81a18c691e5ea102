// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_metrics.h"

#include <fmt/format.h>

#include "place/place.h"

namespace modicum {
namespace {

// A label's value: \, " and line ends are escaped.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return escaped;
}

std::string Label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, Escaped(value));
}

void Head(std::string& text, std::string_view name, std::string_view type,
          std::string_view help) {
  text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void Value(std::string& text, std::string_view name, std::string_view labels,
           double value) {
  text += labels.empty() ? fmt::format("{} {}\n", name, value)
                         : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

}  // namespace

void WatchMetrics::Add(const WatchFrame& frame, const WatchBy& by,
                       const Place& place) {
  const double seconds = frame.wall.value();
  const auto add = [seconds](Series& series, const Estimate<Joules>& energy) {
    series.joules += energy.mid.value();
    series.watts = energy.mid.value() / seconds;
    series.low = energy.low().value() / seconds;
    series.high = energy.high().value() / seconds;
  };
  // Who has ended uses nothing; its counter stays.
  for (auto& [name, series] : series_)
    series.watts = series.low = series.high = 0;
  for (const WatchRow& row : frame.rows) {
    Series& series = series_[row.name];
    add(series, row.energy.own());
    series.cpu_seconds += row.cpu.value();
  }
  for (const DomainEnergy& domain : frame.domains)
    domains_[Label("domain", domain.domain.name) + "," +
             Label("probe", domain.probe) + "," +
             Label("counted", domain.domain.counted ? "true" : "false")] +=
        domain.energy.mid.value();
  add(machine_, frame.measured);
  add(idle_, frame.idle);
  add(unattributed_, frame.unattributed);
  grams_ += OperationalCarbon(frame.measured, place).mid.value();
  by_ = by.name();
  origin_ = OriginName(frame.measured.origin);
  scope_ = ScopeName(frame.measured.scope);
  place_ = place.name;
}

void WatchMetrics::Bounds(std::string& text, std::string_view name,
                          const std::string& labels, const Series& series) {
  for (const auto& [bound, watts] :
       {std::pair("mid", series.watts), std::pair("low", series.low),
        std::pair("high", series.high)})
    Value(text, name, labels + "," + Label("bound", bound), watts);
}

std::string WatchMetrics::Text() const {
  std::string text;
  const std::string source =
      Label("origin", origin_) + "," + Label("scope", scope_);
  const auto consumer = [this](std::string_view name) {
    return Label("by", by_) + "," + Label("name", name);
  };
  const std::pair<std::string_view, const Series*> parts[] = {
      {"measured", &machine_},
      {"idle", &idle_},
      {"unattributed", &unattributed_}};
  Head(text, "modicum_machine_energy_joules_total", "counter",
       "Energy of this machine: measured, and of it idle and unattributed.");
  for (const auto& [part, series] : parts)
    Value(text, "modicum_machine_energy_joules_total",
          Label("part", part) + "," + source, series->joules);
  Head(text, "modicum_machine_power_watts", "gauge",
       "Mean power of the last interval; bound: mid, or an end of the 90 % "
       "interval.");
  for (const auto& [part, series] : parts)
    Bounds(text, "modicum_machine_power_watts",
           Label("part", part) + "," + source, *series);
  Head(text, "modicum_domain_energy_joules_total", "counter",
       "Energy by source; those that are not counted lie inside others.");
  for (const auto& [labels, joules] : domains_)
    Value(text, "modicum_domain_energy_joules_total", labels, joules);
  Head(text, "modicum_machine_carbon_grams_total", "counter",
       "Operational CO2e, location based.");
  Value(text, "modicum_machine_carbon_grams_total", Label("place", place_),
        grams_);
  Head(text, "modicum_energy_joules_total", "counter",
       "Energy charged to a consumer, active and idle by the policy.");
  for (const auto& [name, series] : series_)
    Value(text, "modicum_energy_joules_total", consumer(name), series.joules);
  Head(text, "modicum_power_watts", "gauge",
       "Mean power charged to a consumer in the last interval.");
  for (const auto& [name, series] : series_)
    Bounds(text, "modicum_power_watts", consumer(name), series);
  Head(text, "modicum_cpu_seconds_total", "counter",
       "CPU time of a consumer, children too short-lived to be seen included.");
  for (const auto& [name, series] : series_)
    Value(text, "modicum_cpu_seconds_total", consumer(name),
          series.cpu_seconds);
  return text;
}

}  // namespace modicum
