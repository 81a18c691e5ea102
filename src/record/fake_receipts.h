// SPDX-License-Identifier: Apache-2.0
// Made-up evidence of a fit for tests and benchmarks: plausible, of any size,
// with every member set.
#pragma once

#include <string>

#include "base/rng.h"
#include "record/fake_runs.h"
#include "record/receipt.h"

namespace modicum {

struct FakeFit {
  size_t test = 60;
  size_t validation = 40;
  size_t candidates = 3;  // at least 2
  std::string metric = "accuracy";
  uint64_t seed = 1;
};

namespace internal {

inline Estimate<Joules> FakeJoules(double joules) {
  Estimate<Joules> e{
      Joules(joules), 0.01 * joules, {}, Origin::kModelled, Scope::kPackage};
  return e.WithShared(InternSource("cpu-load model"), 0.4);
}

inline CostSamples FakeSamples(double joules, Rng& rng) {
  CostSamples samples;
  for (int i = 0; i < 6; ++i) {
    const double noise = 1 + 0.02 * rng.Unit();
    samples.repeats.push_back({1000,
                               Seconds(0.05 * noise),
                               Seconds(joules / 20 * noise),
                               FakeJoules(joules * noise),
                               i == 2,
                               {{Phase::kPrepare, Seconds(joules / 50)},
                                {Phase::kPrefill, Seconds(joules / 80)}}});
  }
  for (int i = 0; i < 5; ++i)
    samples.latencies.push_back(Seconds(1e-5 * (1 + rng.Unit())));
  samples.peak_memory = Bytes(5e7);
  return samples;
}

// A score that says right or wrong, in the metric's way: two classes.
inline double FakeScore(const std::string& metric, bool right, Rng& rng) {
  if (metric == "accuracy") return right ? 1 : 0;
  if (metric == "log-loss") return right ? rng.Unit() / 4 : 1 + rng.Unit();
  const uint32_t truth = rng.Below(2);  // the cell of a confusion table
  return truth * 2 + (right ? truth : 1 - truth);
}

inline TrialEvidence FakeTrial(const FakeFit& fit, size_t rank, size_t items,
                               Rng& rng) {
  const double joules = 0.5 + static_cast<double>(rank * rank);
  TrialEvidence trial;
  trial.name = "model " + std::to_string(rank);
  trial.family = rank == 0 ? "majority" : "linear";
  trial.params = "C=" + std::to_string(rank);
  if (rank > 1) trial.passes = {"prune keep=0.1"};
  trial.engine = "liblinear 2.30";
  trial.parameters = 1000 * rank;
  trial.bytes = Bytes(4000.0 * static_cast<double>(rank));
  trial.files = {{"model.bin", std::string(64, 'a')}};
  const double right = rank == 0 ? 0.6 : 0.97;
  for (size_t i = 0; i < items; ++i)
    trial.scores.push_back(FakeScore(fit.metric, rng.Unit() < right, rng));
  trial.cost = FakeJoules(joules * 10);
  trial.train = FakeJoules(joules * 8);
  trial.train_cpu = Seconds(joules);
  trial.wall = Seconds(joules * 2);
  trial.samples = FakeSamples(joules, rng);
  return trial;
}

inline SplitItems FakeItems(size_t items, uint64_t first, Rng& rng) {
  SplitItems split;
  for (uint64_t i = 0; i < items; ++i) {
    split.ids.push_back(first + i);
    // Some are near-duplicates of the one before.
    split.groups.push_back(i > 0 && rng.Below(5) == 0 ? split.groups.back()
                                                      : first + i);
  }
  return split;
}

inline Place FakePlace() {
  Place place;
  place.id = "PL";
  place.name = "Poland";
  auto exactly = [](auto quantity) {
    return Exactly(quantity, Origin::kAssumed, Scope::kHost);
  };
  place.intensity = exactly(GramsPerKilowattHour(640));
  place.intensity.WithShared(InternSource("grid intensity: Poland"), 0.1);
  place.market_intensity = exactly(MarketGramsPerKilowattHour(0));
  place.pue = exactly(Scalar(1.5));
  place.water_onsite = exactly(LitresPerKilowattHour(0.3));
  place.water_offsite = exactly(LitresPerKilowattHour(1.7));
  place.tariff = exactly(AmountPerKilowattHour(0.9));
  place.currency = {"PLN"};
  place.factors = {{"PUE, typical", 1.5, "", "Example survey", "2024"}};
  return place;
}

}  // namespace internal

// The last candidate is the most accurate and dearest but for noise; one
// before it failed.
inline FitEvidence FakeEvidence(const FakeFit& fit) {
  Rng rng(fit.seed);
  FitEvidence e;
  e.task = "spam";
  e.task_file = "[task]\nname = \"spam\"\n";
  e.kind = "text-classification";
  e.metric = fit.metric;
  e.within = 0.05;
  e.volume = 1e6;
  e.data = "mails.jsonl";
  e.data_hash = Sha256Of("mails");
  e.labels = {"ham", "spam"};
  e.items = 3 * fit.test;
  e.train_items = fit.test;
  e.classes = {{"ham", 2 * fit.test}, {"spam", fit.test}};
  e.near_duplicates = 7;
  e.validation = internal::FakeItems(fit.validation, 0, rng);
  e.test = internal::FakeItems(fit.test, fit.validation, rng);
  e.host = ExampleRun().host;
  e.place = internal::FakePlace();
  e.idle_policy = "proportional";
  e.idle_power = {Watts(20), 1, {}, Origin::kModelled, Scope::kPackage};
  e.missing = {"2 GPUs present, NOT COUNTED"};
  for (size_t i = 0; i < fit.candidates; ++i)
    e.trials.push_back(internal::FakeTrial(fit, i, fit.validation, rng));
  TrialEvidence failed;
  failed.name = "forest";
  failed.family = "forest";
  failed.failure = "out of memory";
  failed.cost = internal::FakeJoules(3);
  e.trials.push_back(failed);
  for (size_t i = 1; i < fit.candidates; ++i)
    e.finals.push_back(internal::FakeTrial(fit, i, fit.test, rng));
  e.references = {{"8B LLM", 12000, 5000, 29000, 0.97, "GPU only",
                   "Example table", "2024", false}};
  e.search_parts = {{"measuring", internal::FakeJoules(9)}};
  e.search_wall = Seconds(30);
  e.space = 40;
  e.version = "0.1.0";
  e.created = "2026-01-01T00:00:00Z";
  e.run = {"0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607"};
  return e;
}

}  // namespace modicum
