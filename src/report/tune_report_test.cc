// SPDX-License-Identifier: Apache-2.0
#include "report/tune_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "record/fake_receipts.h"

namespace modicum {
namespace {

Estimate<Scalar> RatioOf(double mid) {
  Estimate<Scalar> ratio =
      Exactly(Scalar(mid), Origin::kModelled, Scope::kPackage);
  ratio.own_sd = mid * 0.01;
  return ratio;
}

TuneFigure Figure(double joules, double seconds) {
  TuneFigure figure;
  figure.joules_per_1000_tokens = internal::FakeJoules(joules);
  figure.cpu_per_1000_tokens =
      Exactly(Seconds(seconds), Origin::kCounter, Scope::kProcess);
  figure.p50 = Seconds(0.4);
  figure.p95 = Seconds(0.5);
  figure.tokens_per_second = 320;
  return figure;
}

TuneResult SampleTune() {
  TuneResult result;
  result.network = "small.gguf";
  result.workload = "generate 64 tokens after 256";
  result.p95_limit = Seconds(0.55);
  result.trials = {{"threads 1", RatioOf(0.8), Seconds(0.5), 6, true, ""},
                   {"repack false", RatioOf(1.4), Seconds(0.9), 5, false,
                    "not cheaper beyond doubt"},
                   {"cpus 0-9", {}, Seconds(0), 0, false, "no such CPU"}};
  result.settings = {{"threads", "1"}};
  result.before = Figure(10, 2);
  result.after = Figure(8, 1.6);
  result.energy_ratio = RatioOf(1.25);
  result.speed_per_cpu =
      Exactly(Scalar(1.25), Origin::kCounter, Scope::kProcess);
  result.spent = internal::FakeJoules(900);
  result.wall = Seconds(75);
  result.contended = 3;
  result.missing = {"DRAM, NOT COUNTED"};
  return result;
}

TEST(TuneReport, SaysWhatWasTriedAndWhatItGained) {
  EXPECT_EQ(FormatTune(SampleTune()), R"(network    small.gguf
workload   generate 64 tokens after 256; a request takes at most 550 ms (p95)

    setting       joules to the best before [90 %]  p95     pairs  verdict
    threads 1     0.80x [0.79, 0.81]                500 ms      6  kept
    repack false  1.4x [1.4, 1.4]                   900 ms      5  not cheaper beyond doubt
    cpus 0-9      -                                 -           0  no such CPU

found      threads 1
defaults   10 J [5.2, 19] modelled per 1,000 tokens, 2.0 s measured of CPU time; 320 tokens a second; a request p50 400 ms, p95 500 ms
found      8.0 J [4.1, 15] modelled per 1,000 tokens, 1.6 s measured of CPU time; 320 tokens a second; a request p50 400 ms, p95 500 ms
ratio      the defaults need 1.2x [1.2, 1.3] the energy (modelled) and 1.2x [1.2, 1.2] the CPU time (measured), in turn on the same requests
contended  3 pairs of repeats during which others used the machine were set aside
spent      900 J [470, 1,700] modelled in 75 s
missing    DRAM, NOT COUNTED
)");
}

TEST(TuneReport, JsonHasEveryTrialAndEstimate) {
  const auto json = nlohmann::json::parse(FormatTuneJson(SampleTune()));
  EXPECT_EQ(json["trials"].size(), 3U);
  EXPECT_TRUE(json["trials"][2]["ratio"].is_null());
  EXPECT_EQ(json["settings"]["threads"], "1");
  EXPECT_EQ(json["energy_ratio"]["mid"], 1.25);
  EXPECT_EQ(json["defaults"]["joules_per_1000_tokens"]["unit"], "J");
  EXPECT_EQ(json["contended_pairs"], 3);
}

}  // namespace
}  // namespace modicum
