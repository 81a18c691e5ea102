// SPDX-License-Identifier: Apache-2.0
// What a fit saw, as JSON. Scores and latencies are plain arrays.
#include "record/evidence.h"
#include "record/json_members.h"

namespace modicum {
namespace internal {

template <>
struct Members<CostSamples> {
  static void Of(auto& visit, auto& samples) {
    visit("repeats", samples.repeats);
    visit("latencies_s", samples.latencies);
    visit("peak_memory_bytes", samples.peak_memory);
  }
};

template <>
struct Members<TrialEvidence> {
  static void Of(auto& visit, auto& trial) {
    visit("name", trial.name);
    visit("family", trial.family);
    visit("params", trial.params);
    visit("passes", trial.passes);
    visit("stages", trial.stages);
    visit("failure", trial.failure);
    visit("engine", trial.engine);
    visit("not_deterministic", trial.not_deterministic);
    visit("parameters", trial.parameters);
    visit("bytes", trial.bytes);
    visit("files", trial.files);
    visit("scores", trial.scores);
    visit("cost", trial.cost);
    visit("train", trial.train);
    visit("train_cpu_s", trial.train_cpu);
    visit("wall_s", trial.wall);
    visit("resumed", trial.resumed);
    visit("samples", trial.samples);
    visit("note", trial.note);
  }
};

template <>
struct Members<SplitItems> {
  static void Of(auto& visit, auto& split) {
    visit("ids", split.ids);
    visit("groups", split.groups);
  }
};

template <>
struct Members<ClassCount> {
  static void Of(auto& visit, auto& count) {
    visit("label", count.label);
    visit("items", count.items);
  }
};

template <>
struct Members<Place> {
  static void Of(auto& visit, auto& place) {
    visit("id", place.id);
    visit("name", place.name);
    visit("assumed", place.assumed);
    visit("intensity", place.intensity);
    visit("market_intensity", place.market_intensity);
    visit("pue", place.pue);
    visit("water_onsite", place.water_onsite);
    visit("water_offsite", place.water_offsite);
    visit("tariff", place.tariff);
    visit("currency", place.currency);
    visit("factors", place.factors);
    visit("rented", place.rented);
  }
};

template <>
struct Members<FitEvidence> {
  static void Of(auto& visit, auto& e) {
    visit("task", e.task);
    visit("task_file", e.task_file);
    visit("kind", e.kind);
    visit("metric", e.metric);
    visit("within", e.within);
    visit("floor", e.floor);
    visit("current", e.current);
    visit("volume", e.volume);
    visit("seed", e.seed);
    visit("data", e.data);
    visit("data_sha256", e.data_hash);
    visit("labels", e.labels);
    visit("classes", e.classes);
    visit("items", e.items);
    visit("train_items", e.train_items);
    visit("near_duplicates", e.near_duplicates);
    visit("validation", e.validation);
    visit("test", e.test);
    visit("host", e.host);
    visit("place", e.place);
    visit("idle_policy", e.idle_policy);
    visit("idle_power", e.idle_power);
    visit("missing", e.missing);
    visit("trials", e.trials);
    visit("finals", e.finals);
    visit("references", e.references);
    visit("search_parts", e.search_parts);
    visit("search_wall_s", e.search_wall);
    visit("search_price", e.search_price);
    visit("search_currency", e.search_currency);
    visit("space", e.space);
    visit("version", e.version);
    visit("created", e.created);
    visit("run", e.run);
  }
};

}  // namespace internal

MODICUM_JSON(CostSamples)
MODICUM_JSON(TrialEvidence)
MODICUM_JSON(FitEvidence)
template Result<FitEvidence> FromReceiptJson(const nlohmann::json&,
                                             std::string_view);

}  // namespace modicum
