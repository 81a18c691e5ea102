// SPDX-License-Identifier: Apache-2.0
#include "report/bill_report.h"

#include <fmt/format.h>

#include "base/format.h"
#include "base/terminal.h"

namespace modicum {
namespace {

// Collects "label     text" lines.
class Lines {
 public:
  explicit Lines(std::string_view indent) : indent_(indent) {}
  void Add(std::string_view label, std::string_view text) {
    text_ += fmt::format("{}{:<10}{}\n", indent_, label, PlainText(text));
  }
  const std::string& text() const { return text_; }

 private:
  std::string_view indent_;
  std::string text_;
};

// "62 %", "under 1 %".
std::string Percent(double share) {
  return share > 0 && share < 0.005 ? "under 1 %"
                                    : fmt::format("{:.0f} %", 100 * share);
}

// "cpu package (cpu-load)": what the figure covers and who measured it;
// "wall (wall-load)".
std::string Cover(const BillLine& line) {
  const std::string_view scope = ScopeName(line.energy.scope);
  return line.component == scope
             ? fmt::format("{} ({})", scope, line.probe)
             : fmt::format("{} {} ({})", line.component, scope, line.probe);
}

void AddEnergy(Lines& out, const Bill& bill) {
  const std::string total = FormatEstimate(bill.energy);
  if (bill.lines.size() == 1) {
    out.Add("energy", total + ", " + Cover(bill.lines[0]));
    return;
  }
  out.Add("energy", fmt::format("{}, {}", total, ScopeName(bill.energy.scope)));
  for (const BillLine& line : bill.lines)
    out.Add("", FormatEstimate(line.energy) + ", " + Cover(line));
}

void AddNetwork(Lines& out, const NetworkUse& network) {
  out.Add(
      "network",
      fmt::format("{}, outside of the machine, not in the sum: {} in and "
                  "out, of all processes",
                  FormatEstimate(network.energy), FormatBytes(network.bytes)));
}

void AddSplit(Lines& out, const EnergySplit& split) {
  out.Add("split", fmt::format("{} on this machine, of which",
                               FormatEstimate(split.measured)));
  const auto part = [&out](const Estimate<Joules>& energy,
                           std::string_view what) {
    out.Add("", fmt::format("{}, {}", FormatEstimate(energy), what));
  };
  part(split.own_active, "active, billed");
  part(split.own_idle,
       fmt::format("idle, billed ({} policy)", split.idle_policy));
  part(split.other_active, "active, of others");
  part(split.other_idle, "idle, not billed");
  part(split.unattributed, "not attributed");
}

// "" where all was metered in the hour or band that it fell into.
std::string SplitByTime(double share, std::string_view by) {
  if (share < 0.005) return "";
  return fmt::format("; {} of it was not metered by {} and is split by time",
                     Percent(share), by);
}

// "212 gCO2e/kWh on average of the energy, 180 to 260 by the hour".
void AddIntensity(Lines& out, const PaidIntensity& intensity) {
  const auto grams = [](GramsPerKilowattHour value) {
    return FormatNumber(value.value(), 3);
  };
  std::string text = fmt::format("{} gCO2e/kWh on average of the energy",
                                 grams(intensity.mean));
  if (intensity.low < intensity.high)
    text += fmt::format(", {} to {} by the hour", grams(intensity.low),
                        grams(intensity.high));
  if (intensity.outside > 0)
    text += fmt::format(
        "; {} of it is in no hour of the series: the place's average stands in",
        Percent(intensity.outside));
  out.Add("", text + SplitByTime(intensity.by_time, "hour"));
}

// Two figures where there is a contract: never a sum, nor one for the other.
void AddCarbon(Lines& out, const Bill& bill) {
  out.Add("carbon", FormatEstimate(bill.operational) +
                        (bill.operational_market ? ", location-based" : ""));
  if (bill.intensity) AddIntensity(out, *bill.intensity);
  if (bill.operational_market)
    out.Add("", FormatEstimate(*bill.operational_market) + ", market-based");
}

// "1.1 PLN/kWh on average: day 62 %, night 38 % of the energy".
void AddTariff(Lines& out, const Bill& bill) {
  const PaidTariff& tariff = *bill.tariff;
  std::string bands;
  for (const PaidBand& band : tariff.bands)
    bands += fmt::format("{}{} {}", bands.empty() ? "" : ", ", band.name,
                         Percent(band.share));
  const std::string text = fmt::format("{} {}/kWh on average: {} of the energy",
                                       FormatNumber(tariff.mean, 3),
                                       bill.money->currency.view(), bands);
  out.Add("", text + SplitByTime(tariff.by_time, "band"));
}

// What is present but not counted stands alone, the rest on one line.
void AddMissing(Lines& out, const std::vector<std::string>& missing) {
  std::string rest;
  for (const std::string& what : missing) {
    if (what.find("NOT COUNTED") != std::string::npos)
      out.Add("missing", what);
    else
      rest += (rest.empty() ? "" : ", ") + what;
  }
  if (!rest.empty()) out.Add("missing", rest);
}

}  // namespace

std::string FactorText(const Factor& factor) {
  return fmt::format("{}: {} ({}{}{})", factor.name,
                     FormatWithUnit(factor.value, factor.unit, 3),
                     factor.source, factor.date.empty() ? "" : ", ",
                     factor.date);
}

std::string FormatBill(const Bill& bill, const BillStyle& style) {
  Lines out(style.indent);
  out.Add("time", fmt::format("{} wall, {} CPU", FormatDuration(bill.wall),
                              FormatDuration(bill.cpu)));
  AddEnergy(out, bill);
  if (style.verbose) AddSplit(out, bill.split);
  if (bill.network) AddNetwork(out, *bill.network);
  AddCarbon(out, bill);
  if (bill.embodied)
    out.Add("embodied", FormatEstimate(*bill.embodied) + ", of the hardware");
  out.Add("water", FormatEstimate(bill.water));
  // Without a tariff, the missing parts say so.
  if (bill.money) out.Add("money", FormatMoney(*bill.money) + ", electricity");
  if (bill.money && bill.tariff) AddTariff(out, bill);
  out.Add("place", bill.place + "; [ ] are 90 % intervals");
  if (style.verbose)
    for (const Factor& factor : bill.factors)
      out.Add("factor", FactorText(factor));
  AddMissing(out, bill.missing);
  for (const std::string& warning : bill.warnings) out.Add("warning", warning);
  return out.text();
}

std::string FormatRunBill(const Run& run, const BillStyle& style) {
  std::string head =
      fmt::format("{}{} {}  {}", style.indent, PlainText(run.kind),
                  run.id.text.substr(0, 8), RunStatusName(run.status));
  if (run.status != RunStatus::kRunning)
    head += fmt::format(", exit {}", run.exit_code);
  head += '\n';
  if (run.bill) return head + FormatBill(*run.bill, style);
  Lines out(style.indent);
  out.Add("energy", run.status == RunStatus::kRunning
                        ? "not known: the run has not ended, or was killed"
                        : "not metered: `modicum doctor` says why");
  return head + out.text();
}

std::string PlainText(std::string_view text, size_t columns) {
  std::string plain;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    plain += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  if (columns == 0 || DisplayWidth(plain) <= columns) return plain;
  while (DisplayWidth(plain) >= columns) {
    // A whole code point at a time: first its continuation bytes.
    while ((static_cast<unsigned char>(plain.back()) & 0xC0) == 0x80 &&
           plain.size() > 1)
      plain.pop_back();
    plain.pop_back();
  }
  return plain + "…";
}

}  // namespace modicum
