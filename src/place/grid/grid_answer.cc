// SPDX-License-Identifier: Apache-2.0
#include "place/grid/grid_answer.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "record/json_lookup.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

// Avoirdupois pound, exact (international agreement of 1959).
constexpr double kGramsPerPound = 453.59237;
constexpr double kKilowattHoursPerMegawattHour = 1000;

tl::unexpected<Error> NoAnswer(std::string_view service,
                               const std::string& what) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{} answered {}", service, what),
              "its format may have changed; a CSV file does as well");
}

// Its text in CSV: nothing that would end the cell.
bool IsTime(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789-+:.TZ") == std::string::npos;
}

// A line for each entry of `answer[list]`: `time` names the member with its
// time, `value_of` gives its intensity, nullptr none, in `grams` per kWh.
template <class ValueOf>
Result<std::string> CsvOf(std::string_view service, const Json& answer,
                          const char* list, const char* time, ValueOf value_of,
                          double grams = 1,
                          std::string_view column = "gco2e_per_kwh") {
  const Json* entries = JsonMember(answer, list);
  if (entries == nullptr || !entries->is_array())
    return NoAnswer(service, fmt::format("without a list '{}'", list));
  if (entries->empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} has no forecast for these hours", service),
                "the next command asks it again; a CSV file does as well");
  std::string csv = fmt::format("time,{}\n", column);
  for (const Json& entry : *entries) {
    const std::string at = JsonText(entry, time);
    if (!IsTime(at))
      return NoAnswer(service, fmt::format("an entry without '{}'", time));
    const Json* value = value_of(entry);
    // Missing is a gap; what is no number is no answer.
    if (value != nullptr && !value->is_null() && !value->is_number())
      return NoAnswer(service, "an intensity that is no number");
    csv += at + ",";
    if (value != nullptr && value->is_number())
      csv += fmt::format("{}", value->get<double>() * grams);
    csv += '\n';
  }
  return csv;
}

Json Parsed(std::string_view answer) {
  return Json::parse(answer, nullptr, false);
}

}  // namespace

Result<std::string> UkCsv(std::string_view answer) {
  return CsvOf("carbonintensity.org.uk", Parsed(answer), "data", "from",
               [](const Json& entry) -> const Json* {
                 const Json* intensity = JsonMember(entry, "intensity");
                 return intensity == nullptr
                            ? nullptr
                            : JsonMember(*intensity, "forecast");
               });
}

Result<std::string> ElectricityMapsCsv(std::string_view answer) {
  return CsvOf(
      "Electricity Maps", Parsed(answer), "forecast", "datetime",
      [](const Json& entry) { return JsonMember(entry, "carbonIntensity"); }, 1,
      "gco2e_per_kwh (life cycle)");
}

Result<std::string> WattTimeCsv(std::string_view answer) {
  constexpr std::string_view kService = "WattTime";
  const Json json = Parsed(answer);
  const Json* meta = JsonMember(json, "meta");
  const std::string signal =
      meta == nullptr ? "" : JsonText(*meta, "signal_type");
  const std::string units = meta == nullptr ? "" : JsonText(*meta, "units");
  if (signal == "co2_moer")
    return Fail(ErrorCode::kInvalidInput,
                "WattTime answered with marginal emissions (co2_moer)",
                "what a job is charged with is the grid's average in its "
                "hours");
  if (signal != "co2_aoer" || units != "lbs_co2_per_mwh")
    return NoAnswer(kService, fmt::format("'{}' in '{}', not co2_aoer in "
                                          "lbs_co2_per_mwh",
                                          signal, units));
  return CsvOf(
      kService, json, "data", "point_time",
      [](const Json& entry) { return JsonMember(entry, "value"); },
      kGramsPerPound / kKilowattHoursPerMegawattHour);
}

Result<std::string> WattTimeToken(std::string_view answer) {
  std::string token = JsonText(Parsed(answer), "token");
  if (token.empty()) return NoAnswer("WattTime", "a login without a token");
  return token;
}

}  // namespace modicum
