// SPDX-License-Identifier: Apache-2.0
// What a fit found, as JSON: every member of FitResult, lossless. The report
// for people and scripts is another (report/fit_report.h).
#include "record/fit_result.h"
#include "record/json_members.h"

namespace modicum {
namespace internal {

template <>
struct Members<Payback> {
  static void Of(auto& visit, auto& payback) {
    visit("mid", payback.mid);
    visit("low", payback.low);
    visit("high", payback.high);
  }
};

template <>
struct Members<CandidateRow> {
  static void Of(auto& visit, auto& row) {
    visit("name", row.name);
    visit("family", row.family);
    visit("params", row.params);
    visit("passes", row.passes);
    visit("reference", row.reference);
    visit("planned", row.planned);
    visit("source", row.source);
    visit("scope_note", row.scope_note);
    visit("quality", row.quality);
    visit("validation", row.validation);
    visit("joules_per_1000", row.joules_per_1000);
    visit("joules_per_1000_all", row.joules_per_1000_all);
    visit("cpu_seconds_per_1000", row.cpu_seconds_per_1000);
    visit("g_co2e_per_1000", row.g_co2e_per_1000);
    visit("money_per_1000", row.money_per_1000);
    visit("price_per_1000", row.price_per_1000);
    visit("joules_per_correct", row.joules_per_correct);
    visit("phase_share", row.phase_share);
    visit("latency_p50_s", row.latency_p50);
    visit("latency_p95_s", row.latency_p95);
    visit("predictions_per_second", row.predictions_per_second);
    visit("peak_memory_bytes", row.peak_memory);
    visit("bytes", row.bytes);
    visit("parameters", row.parameters);
    visit("engine", row.engine);
    visit("not_deterministic", row.not_deterministic);
    visit("train_joules", row.train_joules);
    visit("train_cpu_s", row.train_cpu);
    visit("repeats", row.repeats);
    visit("contended", row.contended);
    visit("search_joules", row.search_joules);
    visit("stages", row.stages);
    visit("feasible", row.feasible);
    visit("pareto", row.pareto);
    visit("reason", row.reason);
  }
};

template <>
struct Members<FitResult> {
  static void Of(auto& visit, auto& r) {
    visit("task", r.task);
    visit("kind", r.kind);
    visit("metric", r.metric);
    visit("requirement", r.requirement);
    visit("machine", r.machine);
    visit("energy_note", r.energy_note);
    visit("place", r.place);
    visit("seed", r.seed);
    visit("data", r.data);
    visit("data_sha256", r.data_hash);
    visit("created", r.created);
    visit("version", r.version);
    visit("items", r.items);
    visit("train_items", r.train_items);
    visit("validation_items", r.validation_items);
    visit("test_items", r.test_items);
    visit("near_duplicates", r.near_duplicates);
    visit("classes", r.classes);
    visit("smallest_detectable_loss", r.smallest_detectable_loss);
    visit("volume", r.volume);
    visit("rows", r.rows);
    visit("chosen", r.chosen);
    visit("baseline", r.baseline);
    visit("baseline_rule", r.baseline_rule);
    visit("established", r.established);
    visit("search_joules", r.search_joules);
    visit("search_parts", r.search_parts);
    visit("space", r.space);
    visit("search_s", r.search_seconds);
    visit("payback", r.payback);
    visit("payback_reason", r.payback_reason);
    visit("cpu_ratio", r.cpu_ratio);
    visit("energy_ratio", r.energy_ratio);
    visit("idle_month", r.idle_month);
    visit("predict_month", r.predict_month);
    visit("verdict", r.verdict);
    visit("changes", r.changes);
    visit("notes", r.notes);
    visit("missing", r.missing);
    visit("factors", r.factors);
    visit("artifact", r.artifact);
    visit("run", r.run);
  }
};

}  // namespace internal

MODICUM_JSON(CandidateRow)
MODICUM_JSON(FitResult)
template Result<FitResult> FromReceiptJson(const nlohmann::json&,
                                           std::string_view);

}  // namespace modicum
