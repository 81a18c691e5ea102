// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/format.h"
#include "base/terminal.h"
#include "place/place.h"
#include "record/json.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

Estimate<Watts> Power(const Estimate<Joules>& energy, Seconds wall) {
  return energy / std::max(wall, Seconds(1e-9));
}

std::string Percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

// "30 W package-0 (rapl), 13 W gpu-0 (nvml)".
std::string DomainsText(const WatchFrame& frame) {
  std::string text;
  for (const DomainEnergy& domain : frame.domains) {
    if (!domain.domain.counted) continue;
    text += fmt::format("{}{} {} ({})", text.empty() ? "" : ", ",
                        FormatEstimate(Power(domain.energy, frame.wall)),
                        domain.domain.name, domain.probe);
  }
  return text;
}

// What networks draw for this machine; "" where that is not modelled.
std::string NetworkText(const WatchFrame& frame) {
  for (const DomainEnergy& domain : frame.domains)
    if (domain.domain.scope == Scope::kNetwork)
      return FormatEstimate(Power(domain.energy, frame.wall)) +
             ", outside of the machine, not in the sum";
  return "";
}

std::string CarbonText(const WatchFrame& frame, const Place& place) {
  const Estimate<Joules> an_hour = frame.measured * (3600 / frame.wall.value());
  return fmt::format("{} an hour in {}",
                     FormatEstimate(OperationalCarbon(an_hour, place)),
                     place.name);
}

std::string HeadText(const WatchFrame& frame, const Place& place,
                     const std::vector<std::string>& not_counted) {
  std::string text;
  const auto line = [&text](std::string_view label, std::string_view rest) {
    text += fmt::format("{:<13}{}\n", label, PlainText(rest));
  };
  const double measured = frame.measured.mid.value();
  line("machine",
       fmt::format("{}, {}; {} in {}",
                   FormatEstimate(Power(frame.measured, frame.wall)),
                   ScopeName(frame.measured.scope), FormatEstimate(frame.total),
                   FormatDuration(frame.watched)));
  line("", DomainsText(frame));
  if (const std::string network = NetworkText(frame); !network.empty())
    line("network", network);
  line("idle",
       FormatEstimate(Power(frame.idle, frame.wall)) + ", charged to nobody");
  line("unattributed",
       fmt::format("{}, {} of the machine's",
                   FormatEstimate(Power(frame.unattributed, frame.wall)),
                   Percent(frame.unattributed.mid.value(), measured)));
  if (frame.weighed)
    line("split", "by CPU time, weighed by frequency and shared cores");
  line("carbon", CarbonText(frame, place));
  for (const std::string& what : not_counted) line("missing", what);
  for (const std::string& warning : frame.warnings) line("warning", warning);
  return text;
}

// Those that are shown, in their order.
std::vector<const WatchRow*> Chosen(const WatchFrame& frame,
                                    const WatchView& view) {
  std::vector<const WatchRow*> rows;
  for (const WatchRow& row : frame.rows) rows.push_back(&row);
  if (view.by_energy)
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto* a, const auto* b) {
                       return a->total.mid > b->total.mid;
                     });
  rows.resize(std::min(rows.size(), view.rows));
  return rows;
}

// Columns that all but the name take, with their gaps.
constexpr size_t kOtherColumns = 64;
constexpr size_t kLeastName = 12;

// Those of `frame` that are not among `chosen`, as one.
WatchRow RestOf(const WatchFrame& frame,
                const std::vector<const WatchRow*>& chosen) {
  std::optional<WatchRow> rest;
  for (const WatchRow& row : frame.rows) {
    if (std::find(chosen.begin(), chosen.end(), &row) != chosen.end()) continue;
    if (!rest) {
      rest = row;
      continue;
    }
    rest->cpu += row.cpu;
    rest->energy = rest->energy + row.energy;
    rest->total = rest->total + row.total;
    rest->pids.insert(rest->pids.end(), row.pids.begin(), row.pids.end());
  }
  rest->name = fmt::format("({} more)", frame.rows.size() - chosen.size());
  rest->user.clear();
  return *std::move(rest);
}

class RowsTable {
 public:
  RowsTable(const WatchFrame& frame, const WatchView& view)
      : frame_(frame),
        processes_(view.by.kind() == WatchBy::kProcess),
        devices_(std::any_of(
            frame.domains.begin(), frame.domains.end(),
            [](const auto& domain) { return domain.device.has_value(); })),
        table_(Columns(view)) {
    if (view.columns > 0)
      name_columns_ = std::max(
          kLeastName, view.columns - std::min(view.columns, kOtherColumns));
  }

  void Add(const WatchRow& row) {
    std::vector<std::string> cells = {
        FormatEstimate(Power(row.energy.own(), frame_.wall)),
        Percent(row.energy.own().mid.value(), frame_.measured.mid.value()),
        fmt::format("{:.2f}", row.cpu / frame_.wall),
        FormatWithUnit(row.total.mid.value(), "J")};
    if (devices_)
      cells.push_back(FormatWithUnit(
          row.energy.of_devices.mid.value() / frame_.wall.value(), "W"));
    cells.push_back(!processes_            ? std::to_string(row.pids.size())
                    : row.pids.size() == 1 ? std::to_string(row.pids[0])
                                           : "");
    if (processes_) cells.push_back(PlainText(row.user, 12));
    cells.push_back(PlainText(row.name, name_columns_));
    table_.AddRow(std::move(cells));
  }
  std::string Text() const { return table_.Text(); }

 private:
  std::vector<std::pair<std::string, Align>> Columns(
      const WatchView& view) const {
    std::vector<std::pair<std::string, Align>> columns = {
        {"power [90 %]", Align::kLeft},
        {"share", Align::kRight},
        {"CPUs", Align::kRight},
        {"so far", Align::kRight}};
    if (devices_) columns.emplace_back("devices", Align::kRight);
    columns.emplace_back(processes_ ? "pid" : "processes", Align::kRight);
    if (processes_) columns.emplace_back("user", Align::kLeft);
    columns.emplace_back(PlainText(view.by.name()), Align::kLeft);
    return columns;
  }

  const WatchFrame& frame_;
  const bool processes_;
  const bool devices_;
  size_t name_columns_ = 0;  // 0: as many as it takes
  Table table_;
};

}  // namespace

std::string FormatWatch(const WatchFrame& frame, const WatchView& view,
                        const Place& place,
                        const std::vector<std::string>& not_counted) {
  const std::string head = HeadText(frame, place, not_counted);
  if (view.rows == 0) return head;
  RowsTable table(frame, view);
  const auto chosen = Chosen(frame, view);
  for (const WatchRow* row : chosen) table.Add(*row);
  if (chosen.size() < frame.rows.size()) table.Add(RestOf(frame, chosen));
  return head + "\n" + table.Text();
}

Json WatchJson(const WatchFrame& frame, const WatchBy& by, const Place& place,
               IdlePolicy policy, const std::vector<std::string>& not_counted) {
  const auto energy = [](const Estimate<Joules>& estimate) {
    return ToJson(estimate, JsonStyle::kReadable);
  };
  Json rows = Json::array();
  for (const WatchRow& row : frame.rows)
    rows.push_back({{"name", PlainText(row.name)},
                    {"pids", row.pids},
                    {"user", PlainText(row.user)},
                    {"cgroup", PlainText(row.cgroup)},
                    {"cpu_s", row.cpu.value()},
                    {"power_w", row.energy.own().mid / frame.wall / Watts(1)},
                    {"energy", energy(row.energy.own())},
                    {"of_devices", energy(row.energy.of_devices)},
                    {"tags", row.tags},
                    {"total", energy(row.total)}});
  Json domains = Json::array();
  for (const DomainEnergy& domain : frame.domains)
    domains.push_back({{"name", domain.domain.name},
                       {"probe", domain.probe},
                       {"component", domain.domain.component},
                       {"counted", domain.domain.counted},
                       {"energy", energy(domain.energy)}});
  return {{"at", FormatUtc(frame.at)},
          {"wall_s", frame.wall.value()},
          {"by", PlainText(by.name())},
          {"idle_policy", IdlePolicyName(policy)},
          {"cpu_time_weighed", frame.weighed},
          {"place", place.name},
          {"intensity_g_per_kwh", place.intensity.mid.value()},
          {"measured", energy(frame.measured)},
          {"idle", energy(frame.idle)},
          {"unattributed", energy(frame.unattributed)},
          {"domains", std::move(domains)},
          {"rows", std::move(rows)},
          {"missing", not_counted},
          {"warnings", frame.warnings}};
}

}  // namespace modicum
