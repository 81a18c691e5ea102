// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/doctor_report.h"
#include "hardware/load_curve.h"
#include "record/json.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

Json ErrorJson(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"message", error->message}, {"hint", error->hint}};
}

template <class Q>
Json EstimateJson(const Estimate<Q>& estimate) {
  const Interval interval = estimate.interval();
  return {{"mid", estimate.mid.value()},
          {"low", interval.low},
          {"high", interval.high},
          {"origin", OriginName(estimate.origin)},
          {"scope", ScopeName(estimate.scope)}};
}

Json PowerJson(const CpuPower& power) {
  return {{"chip", power.chip},
          {"chip_known", power.chip_known},
          {"idle_watts", power.idle.value()},
          {"full_watts", power.full.value()},
          {"package_threads", power.package_threads},
          {"relative_sd", power.relative_sd},
          {"source", power.source},
          {"date", power.date}};
}

Json UpdatesJson(const SeenUpdates& updates) {
  return {{"new_values", updates.changes},
          {"watched_s", updates.watched.value()},
          {"period_s", updates.changes >= 2 ? Json(updates.period.value())
                                            : Json(nullptr)}};
}

Json SourcesJson(const std::vector<SourceFacts>& sources) {
  Json json = Json::array();
  for (const auto& [report, in_use, updates] : sources) {
    json.push_back({{"name", report.name},
                    {"usable", report.usable},
                    {"in_use", in_use},
                    {"covers", report.covers},
                    {"reading", report.reading},
                    {"reason", report.reason},
                    {"cure", report.cure}});
    if (updates) json.back()["updates"] = UpdatesJson(*updates);
  }
  return json;
}

Json QualityJson(const LoadCurveQuality& quality) {
  return {{"readings", quality.points}, {"machines", quality.machines},
          {"ln_sd", quality.ln_sd},     {"mape", quality.mape},
          {"bias", quality.bias},       {"coverage90", quality.coverage90}};
}

Json PlaceJson(const Result<Place>& place) {
  if (!place) return {{"error", ErrorJson(place.error())}};
  Json factors = Json::array();
  for (const Factor& factor : place->factors)
    factors.push_back({{"name", factor.name},
                       {"value", factor.value},
                       {"unit", factor.unit},
                       {"source", factor.source},
                       {"date", factor.date}});
  return {
      {"id", place->id},
      {"name", place->name},
      {"assumed", place->assumed},
      {"g_co2e_per_kwh", EstimateJson(place->intensity)},
      {"market_g_co2e_per_kwh", place->market_intensity
                                    ? EstimateJson(*place->market_intensity)
                                    : Json()},
      {"pue", EstimateJson(place->pue)},
      {"water_onsite_l_per_kwh", EstimateJson(place->water_onsite)},
      {"water_offsite_l_per_kwh", EstimateJson(place->water_offsite)},
      {"tariff_per_kwh", place->tariff ? EstimateJson(*place->tariff) : Json()},
      {"currency", place->currency.view()},
      {"factors", factors}};
}

Json HourlyJson(const std::optional<HourlyFacts>& hourly) {
  if (!hourly) return nullptr;
  if (hourly->error)
    return {{"series", hourly->name}, {"error", ErrorJson(hourly->error)}};
  const IntensitySeries& series = hourly->series->series();
  return {
      {"series", hourly->name},
      {"column", series.column()},
      {"basis", series.basis()},
      {"begin", FormatUtc(series.begin())},
      {"end", FormatUtc(series.end())},
      {"now_g_co2e_per_kwh", hourly->now ? EstimateJson(*hourly->now) : Json()},
      {"note", hourly->series->note()}};
}

Json LedgerJson(const LedgerFacts& ledger) {
  return {{"path", ledger.path},
          {"runs", ledger.runs ? Json(*ledger.runs) : Json()},
          {"error", ErrorJson(ledger.error)}};
}

Json FamiliesJson(const std::vector<FamilyFacts>& families) {
  Json json = Json::array();
  for (const FamilyFacts& facts : families)
    json.push_back({{"family", facts.family},
                    {"engine", facts.engine},
                    {"version", facts.version},
                    {"error", ErrorJson(facts.error)}});
  return json;
}

}  // namespace

std::string DoctorJson(const DoctorFacts& facts) {
  return ReadableText(
      {{"machine", ToJson(facts.host)},
       {"cpu_time_weighed", facts.weighs_cpu_time},
       {"chip", PowerJson(facts.power)},
       {"sources", SourcesJson(facts.sources)},
       {"sources_error", ErrorJson(facts.sources_error)},
       {"cpu_load_model", QualityJson(TypicalLoadCurveQuality())},
       {"place", PlaceJson(facts.place)},
       {"hourly_intensity", HourlyJson(facts.hourly)},
       {"ledger", LedgerJson(facts.ledger)},
       {"families", FamiliesJson(facts.families)},
       {"not_counted", facts.not_counted}});
}

std::string SettingsJson(const Settings& settings) {
  Json json = Json::array();
  for (const SettingRow& row : SettingRows()) {
    const std::string value = row.print(settings);
    const auto origin = settings.origins.find(std::string(row.key));
    json.push_back(
        {{"key", row.key},
         {"flag", SettingFlag(row.key)},
         {"variable", SettingVariable(row.key)},
         {"value", value.empty() ? Json() : Json(value)},
         {"origin", origin == settings.origins.end() ? "" : origin->second},
         {"help", row.help}});
  }
  return ReadableText(json);
}

}  // namespace modicum
