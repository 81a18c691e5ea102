// SPDX-License-Identifier: Apache-2.0
// One block per subject, each fact with its source, each fault with its cure.
#include <fmt/format.h>

#include "base/format.h"
#include "base/terminal.h"
#include "cli/block_text.h"
#include "cli/doctor_report.h"

namespace modicum {
namespace {

std::string Machine(const HostFacts& host) {
  const std::string kind =
      !host.virtual_machine
          ? ""
          : fmt::format(
                ", virtual machine{}",
                host.hypervisor.empty() ? "" : " (" + host.hypervisor + ")");
  std::string text = BlockLine(
      "machine", fmt::format("{} logical CPUs, {}, {} RAM{}", host.logical_cpus,
                             host.cpu_model, FormatBytes(host.ram), kind));
  text += BlockLine(
      "",
      fmt::format("{}{}", host.os,
                  host.governor.empty() ? "" : ", governor " + host.governor));
  for (const std::string& gpu : host.gpus) text += BlockLine("", gpu);
  return text;
}

std::string CpuTime(bool weighed) {
  return BlockLine("", weighed ? "CPU time is weighed by frequency and shared "
                                 "cores where it splits energy"
                               : "CPU time is not weighed: the kernel tells no "
                                 "CPU's frequency");
}

std::string Power(const CpuPower& power) {
  // A known chip adds no error of its own to the load model's, shown below.
  const std::string error =
      power.chip_known ? ""
                       : fmt::format("chip not known; error {:.0f} % (1 sd); ",
                                     100 * power.relative_sd);
  return BlockLine(
             "chip",
             fmt::format("{}: {} idle, {} at full load, {} threads", power.chip,
                         FormatWithUnit(power.idle.value(), "W"),
                         FormatWithUnit(power.full.value(), "W"),
                         power.package_threads)) +
         BlockLine("",
                   fmt::format("{}{}, {}", error, power.source, power.date));
}

std::string Sources(const DoctorFacts& facts) {
  std::string text;
  for (const auto& [report, in_use, updates] : facts.sources) {
    const std::string_view state = in_use          ? "in use"
                                   : report.usable ? "usable"
                                                   : "not usable";
    text += BlockLine(
        text.empty() ? "sources" : "",
        fmt::format("{:<9} {:<12}{}", report.name, state, report.covers));
    if (!report.reading.empty()) text += BlockDetail(report.reading);
    if (updates) text += BlockDetail("new values here: " + Describe(*updates));
    if (!report.reason.empty()) text += BlockFault(report.reason, report.cure);
  }
  if (facts.sources_error)
    text += BlockFault(facts.sources_error->message, facts.sources_error->hint);
  return text;
}

// Factors with their intervals, in the order that Place::factors has.
std::vector<std::string> FactorFigures(const Place& place) {
  std::vector<std::string> figures = {FormatEstimate(place.intensity, 3)};
  if (place.market_intensity)
    figures.push_back(FormatEstimate(*place.market_intensity, 3));
  figures.insert(figures.end(), {FormatEstimate(place.pue, 3),
                                 FormatEstimate(place.water_onsite),
                                 FormatEstimate(place.water_offsite)});
  if (place.tariff)
    figures.push_back(fmt::format(
        "{} {}/kWh {} {}", FormatNumber(place.tariff->mid.value()),
        place.currency.view(), FormatInterval(place.tariff->interval()),
        OriginName(place.tariff->origin)));
  return figures;
}

std::string PlaceBlock(const Result<Place>& place) {
  if (!place)
    return BlockLine("place", "not usable") +
           BlockFault(place.error().message, place.error().hint);
  std::string text = BlockLine("place", place->name);
  if (place->assumed)
    text += BlockFault("no place is set", "--region, for example --region PL");
  const std::vector<std::string> figures = FactorFigures(*place);
  for (size_t i = 0; i < place->factors.size(); ++i) {
    const Factor& factor = place->factors[i];
    text += BlockLine(
        "", fmt::format("{}: {}", factor.name,
                        i < figures.size()
                            ? figures[i]
                            : FormatNumber(factor.value) + " " + factor.unit));
    text += BlockDetail(fmt::format("{}, {}", factor.source, factor.date));
  }
  if (!place->tariff)
    text += BlockLine("", "price of electricity: not known, no money figure") +
            BlockDetail("cure: --tariff 0.25 --currency EUR");
  return text;
}

std::string HourlyBlock(const std::optional<HourlyFacts>& hourly) {
  if (!hourly) return "";
  if (hourly->error)
    return BlockLine("hourly", hourly->name + ": not usable") +
           BlockFault(hourly->error->message, hourly->error->hint);
  const IntensitySeries& series = hourly->series->series();
  std::string text =
      BlockLine(
          "hourly",
          fmt::format("{}: grid intensity {}", hourly->name,
                      hourly->now
                          ? "now " + FormatEstimate(*hourly->now, 3)
                          : "of this hour not known: the average counts")) +
      BlockDetail(fmt::format("{}, {}, {} to {}", series.column(),
                              series.basis(), FormatUtc(series.begin()),
                              FormatUtc(series.end())));
  if (!hourly->series->note().empty())
    text += BlockDetail(hourly->series->note());
  return text;
}

std::string LedgerBlock(const LedgerFacts& ledger) {
  if (ledger.error)
    return BlockLine("ledger", ledger.path + ": not usable") +
           BlockFault(ledger.error->message, ledger.error->hint);
  return BlockLine("ledger",
                   ledger.runs
                       ? fmt::format("{}: writable, {} run{}", ledger.path,
                                     *ledger.runs, *ledger.runs == 1 ? "" : "s")
                       : ledger.path + ": made by the first run");
}

std::string Engines(const std::vector<FamilyFacts>& families) {
  std::string text;
  for (const FamilyFacts& facts : families) {
    text +=
        BlockLine(text.empty() ? "families" : "",
                  facts.error ? fmt::format("{:<13}not usable", facts.family)
                              : fmt::format("{:<13}{} {}", facts.family,
                                            facts.engine, facts.version));
    if (facts.error)
      text += BlockFault(facts.error->message, facts.error->hint);
  }
  return text;
}

std::string Missing(const std::vector<std::string>& not_counted) {
  std::string text;
  for (const std::string& sentence : not_counted)
    text += BlockLine(text.empty() ? "missing" : "", sentence);
  return text;
}

}  // namespace

std::string DoctorText(const DoctorFacts& facts) {
  return Machine(facts.host) + CpuTime(facts.weighs_cpu_time) +
         Power(facts.power) + Sources(facts) + PlaceBlock(facts.place) +
         HourlyBlock(facts.hourly) + LedgerBlock(facts.ledger) +
         Engines(facts.families) + Missing(facts.not_counted);
}

std::string SettingsText(const Settings& settings) {
  Table table({{"setting", Align::kLeft},
               {"value", Align::kLeft},
               {"from", Align::kLeft},
               {"meaning", Align::kLeft}});
  for (const SettingRow& row : SettingRows()) {
    const std::string value = row.print(settings);
    const auto origin = settings.origins.find(std::string(row.key));
    table.AddRow({std::string(row.key), value.empty() ? "-" : value,
                  origin == settings.origins.end() ? "" : origin->second,
                  std::string(row.help)});
  }
  return table.Text() +
         "\nsample_hz in modicum.toml is --sample-hz on the command line and "
         "MODICUM_SAMPLE_HZ\nin the environment, and so with every other. The "
         "command line wins, then the\nenvironment, then the file: "
         "./modicum.toml, else ~/.config/modicum/modicum.toml,\nor the one "
         "that MODICUM_CONFIG names.\n";
}

}  // namespace modicum
