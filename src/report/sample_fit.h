// SPDX-License-Identifier: Apache-2.0
// A made-up but likely receipt of a fit, for the tests of the reports.
#pragma once

#include <cmath>

#include "record/receipt.h"

namespace modicum {

inline Estimate<Joules> SampleJoules(double joules, double own = 0.03) {
  Estimate<Joules> energy{
      Joules(joules), own * joules, {}, Origin::kModelled, Scope::kPackage};
  return energy.WithShared(InternSource("power model"), 0.53);
}

// 95 %, as wide as a proportion of `items` has it.
inline QualityFigure SampleQuality(double mid, uint64_t items,
                                   std::string split = "validation") {
  const double half =
      1.96 * std::sqrt(mid * (1 - mid) / static_cast<double>(items));
  return {"accuracy", std::move(split),          mid,
          mid - half, std::min(mid + half, 1.0), items};
}

inline CandidateRow SampleRow(std::string name, std::string family,
                              double quality, double joules) {
  CandidateRow row;
  row.name = std::move(name);
  row.family = std::move(family);
  row.params = "C=10";
  row.quality = row.validation = SampleQuality(quality, 907);
  row.joules_per_1000 = row.joules_per_1000_all = SampleJoules(joules);
  row.cpu_seconds_per_1000 = Estimate<Seconds>{
      Seconds(joules / 3), joules / 100, {}, Origin::kCounter, Scope::kProcess};
  row.g_co2e_per_1000 = Estimate<GramsCo2e>{GramsCo2e(joules * 1.8e-4),
                                            joules * 1e-4,
                                            {},
                                            Origin::kAssumed,
                                            Scope::kPackage};
  row.latency_p50 = Seconds(joules / 5000);
  row.latency_p95 = Seconds(joules / 1200);
  row.predictions_per_second = 3000 / joules;
  row.bytes = Bytes(320'000);
  row.parameters = 40'000;
  row.engine = "liblinear 2.43";
  row.train_joules = SampleJoules(40 * joules);
  row.train_cpu = Seconds(10 * joules);
  row.repeats = 20;
  row.search_joules = SampleJoules(5 + 40 * joules);
  row.reason = "fails: 1.2 pt worse";
  return row;
}

inline CandidateRow SampleReference(std::string name, double joules) {
  CandidateRow row;
  row.name = std::move(name);
  row.family = "reference";
  row.reference = true;
  row.joules_per_1000 =
      Exactly(Joules(joules), Origin::kAssumed, Scope::kDevice);
  row.scope_note = "node of 8 A100, RAM by a constant";
  row.source = "Luccioni et al. 2024, Power Hungry Processing, raw logs";
  row.reason = "not run: published";
  return row;
}

inline std::vector<CandidateRow> SampleRows() {
  std::vector<CandidateRow> rows{
      SampleRow("majority", "majority", 0.687, 0.00016),
      SampleRow("linear, pruned to 5 %, 8 bits", "linear", 0.979, 0.024),
      SampleRow("linear", "linear", 0.983, 0.043),
      SampleRow("linear, bigrams", "linear", 0.985, 0.061),
      SampleRow("linear, characters", "linear", 0.987, 0.20),
      SampleRow("fasttext, 8 dims", "fasttext", 0.974, 0.23),
      SampleRow("fasttext, 16 dims, quantized", "fasttext", 0.975, 0.19),
      SampleRow("forest, 100 trees", "forest", 0.972, 0.34),
      SampleRow("boosted, 200 trees", "boosted", 0.981, 0.29),
      SampleRow("linear then linear, characters", "cascade", 0.986, 0.052)};
  for (const size_t i : {0U, 1U, 2U, 9U, 4U}) rows[i].pareto = true;
  for (const size_t i : {2U, 3U, 4U, 9U}) {
    rows[i].feasible = true;
    rows[i].reason = "good enough";
  }
  rows[1].passes = {"prune keep=0.05", "8-bit weights"};
  rows[2].reason = "CHOSEN";
  rows[2].quality = SampleQuality(0.985, 1814, "test");
  rows[4].quality = SampleQuality(0.988, 1814, "test");
  rows[4].reason = "the most accurate";
  rows[9].stages = {"linear", "linear, characters"};
  CandidateRow failed;
  failed.name = "boosted, 2,000 trees";
  failed.family = "boosted";
  failed.reason = "failed: over the budget of 1.0 GB";
  failed.search_joules = SampleJoules(6);
  rows.push_back(failed);
  rows.push_back(SampleReference("DistilBERT, fine-tuned", 4900));
  rows.push_back(SampleReference("BLOOMz-7B, zero-shot", 120'000));
  rows.back().quality.reset();
  CandidateRow planned = SampleReference("8B LLM, 4-bit, one H100", 12'000);
  planned.planned = true;
  planned.scope_note = "GPU only";
  planned.reason = "not run: planned";
  rows.push_back(planned);
  return rows;
}

inline FitResult SampleFit() {
  FitResult fit;
  fit.task = "spam";
  fit.kind = "text-classification";
  fit.metric = "accuracy";
  fit.requirement = "accuracy within 1.0 pt of the best";
  fit.machine = "2 vCPU Intel Xeon (family 6 model 143), VM (KVM), no GPU";
  fit.energy_note = "joules MODELLED, x/÷ 2.4 (90 %), scope package";
  fit.place = "Poland";
  fit.data = "catalog:spam-assassin";
  fit.data_hash = Sha256Of("mails");
  fit.created = "2026-01-31T18:00:00Z";
  fit.version = "0.1.0";
  fit.items = 6046;
  fit.train_items = 3325;
  fit.validation_items = 907;
  fit.test_items = 1814;
  fit.near_duplicates = 939;
  fit.classes = {"ham 4,150", "spam 1,896"};
  fit.smallest_detectable_loss = 0.004;
  fit.volume = 1e6;
  fit.rows = SampleRows();
  fit.chosen = "linear";
  fit.baseline = "linear, characters";
  fit.baseline_rule = "the most accurate";
  fit.established = true;
  fit.search_parts = {{"loading and splitting", SampleJoules(4)},
                      {"measuring in turn", SampleJoules(21)}};
  fit.search_joules = fit.search_parts[0].joules + fit.search_parts[1].joules;
  for (const CandidateRow& row : fit.rows)
    if (!row.reference)
      fit.search_joules = fit.search_joules + row.search_joules;
  fit.space = 148;
  fit.search_seconds = Seconds(41);
  fit.payback = Payback{810'000, 400'000, 2'100'000};
  fit.cpu_ratio =
      Estimate<Scalar>{Scalar(4.6), 0.1, {}, Origin::kCounter, Scope::kProcess};
  fit.energy_ratio = Estimate<Scalar>{
      Scalar(4.7), 0.3, {}, Origin::kModelled, Scope::kPackage};
  fit.idle_month = SampleJoules(1.0e6);
  fit.predict_month = SampleJoules(43);
  fit.verdict =
      "linear is the cheapest that is good enough (accuracy within 1.0 pt of "
      "the best): linear, characters needs 4.6x [4.4, 4.8] its CPU time "
      "(measured) and 4.7x [4.2, 5.2] its energy (modelled). The search is "
      "repaid after 810,000 predictions [400,000, 2,100,000], 24 d at this "
      "volume.";
  fit.changes = {
      "at ten times the volume the search is repaid in 2.4 d and the choice "
      "stays",
      "in Sweden instead of Poland the carbon is 1/16, the choice stays"};
  fit.notes = {"the budget of 120 s was not reached"};
  fit.missing = {"DRAM, NOT COUNTED",
                 "power supply, fans, disks and network, NOT COUNTED"};
  fit.factors = {
      {"grid intensity, Poland, 2024 average", 640, "gCO2e/kWh",
       "Ember, as published by The Green Web Foundation", "2024"},
      {"PUE, average of a survey", 1.56, "", "Uptime Institute", "2024"}};
  fit.artifact = "spam.modicum";
  fit.run = Uuid{"0b3c1f2a-0000-4000-8000-000000000000"};
  return fit;
}

inline Receipt SampleReceipt() {
  Receipt receipt;
  receipt.result = SampleFit();
  receipt.evidence.task = "spam";
  receipt.evidence.kind = "text-classification";
  receipt.evidence.metric = "accuracy";
  receipt.evidence.within = 0.01;
  receipt.evidence.host.cpu_model = "Intel Xeon";
  receipt.sha256 = Sha256Of("receipt");
  return receipt;
}

// As many candidates as a long search tries.
inline Receipt SampleReceiptOf(int candidates) {
  Receipt receipt = SampleReceipt();
  auto& rows = receipt.result.rows;
  for (int i = 0; i < candidates; ++i) {
    const double share = static_cast<double>(i) / candidates;
    rows.insert(
        rows.begin() + 3,
        SampleRow("boosted, " + std::to_string(20 + 10 * i) + " trees",
                  "boosted", 0.96 + 0.02 * share, 0.05 + 3 * share * share));
  }
  return receipt;
}

}  // namespace modicum
