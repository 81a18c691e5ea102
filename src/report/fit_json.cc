// SPDX-License-Identifier: Apache-2.0
// A fit's result as JSON; every estimate is {mid, low, high, unit, origin,
// scope} with a 90 % interval.
#include <nlohmann/json.hpp>

#include "record/json.h"
#include "report/fit_report.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

template <class Tag>
Json Of(const Estimate<Quantity<Tag>>& estimate) {
  const Interval interval = estimate.interval();
  return {{"mid", estimate.mid.value()},
          {"low", interval.low},
          {"high", interval.high},
          {"unit", Tag::kUnit},
          {"origin", OriginName(estimate.origin)},
          {"scope", ScopeName(estimate.scope)}};
}

template <class Q>
Json Of(const std::optional<Estimate<Q>>& estimate) {
  return estimate ? Of(*estimate) : Json(nullptr);
}

Json Of(const std::optional<MoneyEstimate>& money) {
  if (!money) return nullptr;
  Json json = Of(money->amount);
  json["unit"] = money->currency.view();
  return json;
}

Json Of(const std::optional<QualityFigure>& quality) {
  if (!quality) return nullptr;
  return {{"metric", quality->metric}, {"split", quality->split},
          {"mid", quality->mid},       {"low", quality->low},
          {"high", quality->high},     {"items", quality->items}};
}

Json Of(const CandidateRow& row) {
  Json json{{"name", row.name},
            {"family", row.family},
            {"params", row.params},
            {"passes", row.passes},
            {"stages", row.stages},
            {"reference", row.reference},
            {"quality", Of(row.quality)},
            {"validation", Of(row.validation)},
            {"joules_per_1000", Of(row.joules_per_1000)},
            {"joules_per_1000_with_contended", Of(row.joules_per_1000_all)},
            {"cpu_seconds_per_1000", Of(row.cpu_seconds_per_1000)},
            {"g_co2e_per_1000", Of(row.g_co2e_per_1000)},
            {"money_per_1000", Of(row.money_per_1000)},
            {"price_per_1000", Of(row.price_per_1000)},
            {"joules_per_correct", Of(row.joules_per_correct)},
            {"bytes", static_cast<uint64_t>(row.bytes.value())},
            {"parameters", row.parameters},
            {"train_joules", Of(row.train_joules)},
            {"train_cpu_seconds", row.train_cpu.value()},
            {"latency_p50_seconds", row.latency_p50.value()},
            {"latency_p95_seconds", row.latency_p95.value()},
            {"predictions_per_second", row.predictions_per_second},
            {"repeats", row.repeats},
            {"contended_repeats", row.contended},
            {"engine", row.engine},
            {"search_joules", Of(row.search_joules)},
            {"feasible", row.feasible},
            {"pareto", row.pareto},
            {"reason", row.reason}};
  json["peak_memory_bytes"] =
      row.peak_memory ? Json(static_cast<uint64_t>(row.peak_memory->value()))
                      : Json(nullptr);
  Json phases = Json::object();
  for (const auto& [phase, share] : row.phase_share)
    phases[std::string(PhaseName(phase))] = share;
  json["cpu_share_by_phase"] = std::move(phases);
  if (!row.not_deterministic.empty())
    json["not_deterministic"] = row.not_deterministic;
  if (row.reference) {
    json["planned"] = row.planned;
    json["source"] = row.source;
    json["scope_note"] = row.scope_note;
  }
  return json;
}

Json Of(const std::vector<Factor>& factors) {
  Json list = Json::array();
  for (const Factor& factor : factors)
    list.push_back({{"name", factor.name},
                    {"value", factor.value},
                    {"unit", factor.unit},
                    {"source", factor.source},
                    {"date", factor.date}});
  return list;
}

Json Of(const std::vector<SearchPart>& parts) {
  Json list = Json::array();
  for (const SearchPart& part : parts)
    list.push_back({{"name", part.name}, {"joules", Of(part.joules)}});
  return list;
}

}  // namespace

std::string FormatFitJson(const FitResult& result) {
  Json candidates = Json::array();
  for (const CandidateRow& row : result.rows) candidates.push_back(Of(row));
  Json payback = nullptr;
  if (result.payback)
    payback = {{"mid", result.payback->mid},
               {"low", result.payback->low},
               {"high", result.payback->high}};
  Json json{
      {"schema", "modicum-fit-1"},
      {"run", result.run.text},
      {"task", result.task},
      {"kind", result.kind},
      {"metric", result.metric},
      {"requirement", result.requirement},
      {"machine", result.machine},
      {"energy_note", result.energy_note},
      {"place", result.place},
      {"seed", result.seed},
      {"data", result.data},
      {"data_sha256", ToHex(result.data_hash)},
      {"created", result.created},
      {"version", result.version},
      {"classes", result.classes},
      {"items", result.items},
      {"train_items", result.train_items},
      {"validation_items", result.validation_items},
      {"test_items", result.test_items},
      {"near_duplicates", result.near_duplicates},
      {"smallest_detectable_loss", result.smallest_detectable_loss},
      {"volume_per_month", result.volume},
      {"candidates", std::move(candidates)},
      {"chosen", result.chosen.empty() ? Json(nullptr) : Json(result.chosen)},
      {"baseline",
       result.baseline.empty() ? Json(nullptr) : Json(result.baseline)},
      {"baseline_rule", result.baseline_rule},
      {"established", result.established},
      {"search_joules", Of(result.search_joules)},
      {"search_parts", Of(result.search_parts)},
      {"search_seconds", result.search_seconds.value()},
      {"candidate_space", result.space},
      {"payback_predictions", std::move(payback)},
      {"payback_reason", result.payback_reason},
      {"cpu_ratio", Of(result.cpu_ratio)},
      {"energy_ratio", Of(result.energy_ratio)},
      {"idle_month", Of(result.idle_month)},
      {"predict_month", Of(result.predict_month)},
      {"verdict", result.verdict},
      {"changes", result.changes},
      {"notes", result.notes},
      {"missing", result.missing},
      {"factors", Of(result.factors)},
      {"artifact", result.artifact}};
  return ReadableText(json);
}

}  // namespace modicum
