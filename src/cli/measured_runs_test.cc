// SPDX-License-Identifier: Apache-2.0
#include "cli/measured_runs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <tuple>

namespace modicum {
namespace {

class MeasuredRunsTest : public ::testing::Test {
 protected:
  MeasuredRunsTest()
      : path_(::testing::TempDir() + "modicum-measured-runs.sqlite") {
    std::filesystem::remove(path_);
    ledger_ = *Ledger::Open(path_);
    here_.cpu_model = "test CPU";
  }
  ~MeasuredRunsTest() override {
    ledger_.reset();
    std::filesystem::remove(path_);
  }

  // Ten tokens read in a second for 5 J, 20 passes in four for 40 J.
  static modicum::Run Generated() {
    modicum::Run run;
    run.id = NewUuid();
    run.kind = "generate";
    run.name = "none.gguf";
    run.status = RunStatus::kOk;
    run.host.cpu_model = "test CPU";
    run.tags = {{"prompt_tokens", "10"}, {"tokens", "21"}};
    return run;
  }
  void Put(const modicum::Run& run, bool contended = false) {
    std::vector<Measurement> rows;
    for (const auto& [phase, wall, joules] :
         {std::tuple(Phase::kLoad, 9.0, 99.0),
          std::tuple(Phase::kPrefill, 1.0, 5.0),
          std::tuple(Phase::kDecode, 4.0, 40.0)}) {
      Measurement row;
      row.key = {run.id, "boot", "host", rows.size()};
      row.phase = phase;
      row.wall = Seconds(wall);
      row.energy.mid = Joules(joules);
      row.energy.own_sd = 3;
      row.energy.WithShared(InternSource("a model"), 0.2);
      row.contended = contended;
      rows.push_back(row);
    }
    ASSERT_TRUE(ledger_->Put(run, rows).has_value());
  }
  std::vector<MeasuredRun> Read() { return *ReadMeasuredRuns(*ledger_, here_); }

  std::string path_;
  std::unique_ptr<Ledger> ledger_;
  HostFacts here_;
};

TEST_F(MeasuredRunsTest, PhasesTokensAndErrors) {
  Put(Generated());
  const auto runs = Read();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].model, "none.gguf");
  EXPECT_FALSE(runs[0].shape.has_value());
  EXPECT_EQ(runs[0].prompt, 10);
  EXPECT_EQ(runs[0].passes, 20);
  EXPECT_EQ(runs[0].prefill_s, 1);
  EXPECT_EQ(runs[0].decode_s, 4);
  EXPECT_EQ(runs[0].prefill_j, 5);
  EXPECT_EQ(runs[0].decode_j, 40);
  EXPECT_NEAR(runs[0].own_sd, std::sqrt(18.0), 1e-9);
  EXPECT_NEAR(runs[0].shared_sd, 0.2, 1e-9);
}

TEST_F(MeasuredRunsTest, WhatTellsNothingOfThisMachineIsLeftOut) {
  Put(Generated(), true);  // contended
  modicum::Run run = Generated();
  run.host.cpu_model = "another";
  Put(run);
  run = Generated();
  run.status = RunStatus::kInterrupted;
  Put(run);
  run = Generated();
  run.kind = "predict";
  Put(run);
  run = Generated();
  run.tags["tokens"] = "1";  // nothing was decoded
  Put(run);
  run = Generated();
  run.tags.clear();
  Put(run);
  EXPECT_TRUE(Read().empty());
}

}  // namespace
}  // namespace modicum
