// SPDX-License-Identifier: Apache-2.0
#include "cli/run_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "record/json.h"
#include "report/bill_report.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

std::vector<RepeatSample> SamplesOf(std::span<const EndedRun> runs) {
  std::vector<RepeatSample> samples;
  for (const EndedRun& ended : runs) {
    const Bill& bill = *ended.run.bill;
    samples.push_back({bill.wall, bill.cpu, bill.energy});
  }
  return samples;
}

std::string Line(std::string_view label, std::string_view text) {
  return fmt::format("{:<10}{}\n", label, text);
}

std::string MeansText(std::span<const EndedRun> runs) {
  const RepeatMeans means = MeansOf(SamplesOf(runs));
  return Line("time", FormatEstimate(means.wall, 3) + " wall") +
         Line("", FormatEstimate(means.cpu, 3) + " CPU") +
         Line("energy", FormatEstimate(means.energy));
}

std::string RatioText(const std::optional<Estimate<Scalar>>& ratio) {
  if (!ratio) return "not known: one of the runs used none";
  return fmt::format("{} {}", FormatRatio(*ratio), OriginName(ratio->origin));
}

std::string RatiosText(const RepeatRatios& ratios) {
  return "A over B, pair by pair\n" +
         Line("time", RatioText(ratios.wall) + ", wall") +
         Line("", RatioText(ratios.cpu) + ", CPU") +
         Line("energy", RatioText(ratios.energy));
}

std::string HeadOf(std::string_view label, std::span<const EndedRun> runs) {
  return fmt::format("{}mean of {} runs: {}\n", label, runs.size(),
                     PlainText(runs[0].run.name));
}

Json RunsJson(std::span<const EndedRun> runs) {
  const RepeatMeans means = MeansOf(SamplesOf(runs));
  Json list = Json::array();
  for (const EndedRun& ended : runs) list.push_back(ExtendedJson(ended));
  return {{"command", ToJson(runs[0].run)["name"]},
          {"repeats", runs.size()},
          {"wall", ToJson(means.wall, JsonStyle::kReadable)},
          {"cpu", ToJson(means.cpu, JsonStyle::kReadable)},
          {"energy", ToJson(means.energy, JsonStyle::kReadable)},
          {"runs", std::move(list)}};
}

Json RatioJson(const std::optional<Estimate<Scalar>>& ratio) {
  return ratio ? ToJson(*ratio, JsonStyle::kReadable) : Json(nullptr);
}

RepeatRatios RatiosOf(const RepeatReport& report) {
  return RatiosOf(SamplesOf(report.first), SamplesOf(report.second),
                  report.same_workload);
}

}  // namespace

std::string FormatExtras(const EndedRun& ended) {
  std::string text;
  if (ended.work && ended.work->count > 0) {
    const auto& [unit, count] = *ended.work;
    text +=
        Line("per " + unit,
             fmt::format("{}, {} {}{}",
                         FormatEstimate(ended.run.bill->energy / count),
                         FormatNumber(count, 6), unit, count == 1 ? "" : "s"));
  } else if (ended.work) {
    text +=
        Line("per " + ended.work->unit, "not known: the output counted none");
  }
  for (const RunPhase& phase : ended.phases)
    text +=
        Line("phase",
             fmt::format("{}: {}, {} CPU, {}", PlainText(phase.name),
                         FormatDuration(phase.wall), FormatDuration(phase.cpu),
                         FormatEstimate(phase.energy)));
  return text;
}

Json ExtendedJson(const EndedRun& ended) {
  Json json = ToJson(ended.run, JsonStyle::kReadable);
  if (ended.work) {
    const auto& [unit, count] = *ended.work;
    json["work"] = {{"unit", unit}, {"count", count}};
    if (count > 0)
      json["work"]["energy_per_unit"] =
          ToJson(ended.run.bill->energy / count, JsonStyle::kReadable);
  }
  for (const RunPhase& phase : ended.phases)
    json["phases"].push_back(
        {{"name", phase.name},
         {"times", phase.times},
         {"wall_s", phase.wall.value()},
         {"cpu_s", phase.cpu.value()},
         {"energy", ToJson(phase.energy, JsonStyle::kReadable)}});
  return json;
}

std::string FormatRepeat(const EndedRun& ended, int number, int of,
                         std::string_view label) {
  const Bill& bill = *ended.run.bill;
  return fmt::format("{:<10}{}, {} CPU, {}\n",
                     fmt::format("{}/{} {}", number, of, label),
                     FormatDuration(bill.wall), FormatDuration(bill.cpu),
                     FormatEstimate(bill.energy));
}

std::string FormatRepeats(const RepeatReport& report) {
  constexpr std::string_view kNote = "note      [ ] are 90 % intervals\n";
  if (report.second.empty())
    return HeadOf("", report.first) + MeansText(report.first) +
           std::string(kNote);
  return HeadOf("A  ", report.first) + MeansText(report.first) +
         HeadOf("B  ", report.second) + MeansText(report.second) +
         RatiosText(RatiosOf(report)) + std::string(kNote);
}

Json RepeatsJson(const RepeatReport& report) {
  if (report.second.empty()) return RunsJson(report.first);
  const RepeatRatios ratios = RatiosOf(report);
  return {{"a", RunsJson(report.first)},
          {"b", RunsJson(report.second)},
          {"a_over_b",
           {{"wall", RatioJson(ratios.wall)},
            {"cpu", RatioJson(ratios.cpu)},
            {"energy", RatioJson(ratios.energy)}}}};
}

}  // namespace modicum
