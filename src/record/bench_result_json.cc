// SPDX-License-Identifier: Apache-2.0
// What a benchmark measured, as JSON: every member, lossless.
#include "record/bench_result.h"
#include "record/json_members.h"

namespace modicum {
namespace internal {

template <>
struct Members<BenchRun> {
  static void Of(auto& visit, auto& run) {
    visit("repeat", run.repeat);
    visit("idle", run.idle);
    visit("machine", run.machine);
    visit("tokens_in", run.tokens_in);
    visit("tokens_out", run.tokens_out);
    visit("short_window", run.short_window);
  }
};

template <>
struct Members<BenchOnce> {
  static void Of(auto& visit, auto& once) {
    visit("energy", once.energy);
    visit("wall_s", once.wall);
    visit("cpu_s", once.cpu);
    visit("contended", once.contended);
    visit("short_window", once.short_window);
  }
};

template <>
struct Members<BenchRow> {
  static void Of(auto& visit, auto& row) {
    visit("task", row.task);
    visit("data", row.data);
    visit("data_sha256", row.data_hash);
    visit("batch", row.batch);
    visit("length", row.length);
    visit("new_tokens", row.new_tokens);
    visit("items", row.items);
    visit("asked", row.asked);
    visit("model", row.model);
    visit("model_sha256", row.model_hash);
    visit("family", row.family);
    visit("engine", row.engine);
    visit("parameters", row.parameters);
    visit("bytes", row.bytes);
    visit("machine", row.machine);
    visit("idle_policy", row.idle_policy);
    visit("failure", row.failure);
    visit("notes", row.notes);
    visit("load", row.load);
    visit("first", row.first);
    visit("warm_up", row.warm_up);
    visit("runs", row.runs);
    visit("latency_p50_s", row.latency_p50);
    visit("latency_p95_s", row.latency_p95);
    visit("quality", row.quality);
    visit("correct_share", row.correct_share);
    visit("above_floor", row.above_floor);
    visit("contended", row.contended);
    visit("short_windows", row.short_windows);
    visit("joules_per_1000", row.joules_per_1000);
    visit("joules_per_1000_with_contended", row.joules_per_1000_all);
    visit("joules_sd", row.joules_sd);
    visit("idle_joules_per_1000", row.idle_per_1000);
    visit("active_joules_per_1000", row.active_per_1000);
    visit("machine_joules_per_1000", row.machine_per_1000);
    visit("cpu_seconds_per_1000", row.cpu_seconds_per_1000);
    visit("g_co2e_per_1000", row.g_co2e_per_1000);
    visit("car_km_per_1000", row.car_km_per_1000);
    visit("phone_charges_per_1000", row.phone_charges_per_1000);
    visit("unit", row.unit);
    visit("joules_per_unit", row.joules_per_unit);
    visit("joules_per_correct", row.joules_per_correct);
    visit("inferences_per_second", row.inferences_per_second);
    visit("stars_equal_width", row.stars_equal_width);
    visit("stars_quintile", row.stars_quintile);
    visit("star_set", row.star_set);
    visit("unrated", row.unrated);
  }
};

template <>
struct Members<StarSet> {
  static void Of(auto& visit, auto& set) {
    visit("sha256", set.sha256);
    visit("about", set.about);
    visit("source", set.source);
    visit("rows", set.rows);
    visit("machines", set.machines);
  }
};

template <>
struct Members<PublishedRow> {
  static void Of(auto& visit, auto& row) {
    visit("task", row.task);
    visit("figure", row.figure);
  }
};

template <>
struct Members<BenchProtocol> {
  static void Of(auto& visit, auto& protocol) {
    visit("inferences", protocol.inferences);
    visit("runs", protocol.runs);
    visit("exact_runs", protocol.exact_runs);
    visit("least_runs", protocol.least_runs);
    visit("width", protocol.width);
    visit("longest_s", protocol.longest);
    visit("shortest_s", protocol.shortest);
    visit("seed", protocol.seed);
    visit("shard", protocol.shard);
  }
};

template <>
struct Members<BenchResult> {
  static void Of(auto& visit, auto& result) {
    visit("schema", result.schema);
    visit("name", result.name);
    visit("protocol", result.protocol);
    visit("place", result.place);
    visit("created", result.created);
    visit("version", result.version);
    visit("run", result.run);
    visit("interrupted", result.interrupted);
    visit("rows", result.rows);
    visit("published", result.published);
    visit("star_sets", result.star_sets);
    visit("notes", result.notes);
    visit("missing", result.missing);
    visit("factors", result.factors);
  }
};

}  // namespace internal

MODICUM_JSON(BenchResult)

}  // namespace modicum
