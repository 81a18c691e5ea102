// SPDX-License-Identifier: Apache-2.0
// The whole job on small made-up texts: real families, a real ledger, a fake
// meter.
#include "fit/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/rng.h"
#include "fit/derive.h"
#include "meter/fake_meter.h"
#include "model/artifact.h"
#include "record/json.h"

namespace modicum {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FitTest : public ::testing::Test {
 protected:
  FitTest()
      : folder_(
            ::testing::TempDir() + "modicum-fit-test-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    place_ = *FindPlace({});
    host_.boot = "boot";
    host_.cpu_model = "test CPU";
    host_.logical_cpus = 2;
  }
  ~FitTest() override { fs::remove_all(folder_); }

  // Texts of ten words, of which `signal` in a hundred tell the class.
  void WriteData(size_t items, uint32_t signal, uint32_t spam_percent = 50) {
    Rng rng(5);
    std::string text;
    for (size_t i = 0; i < items; ++i) {
      const bool spam = rng.Below(100) < spam_percent;
      text += "{\"text\": \"";
      for (int w = 0; w < 10; ++w) {
        const bool tells = rng.Below(100) < signal;
        const char kind = !tells ? 'n' : spam ? 's' : 'h';
        text += std::string(1, kind) + std::to_string(rng.Below(60)) + " ";
      }
      text += spam ? "\", \"label\": \"spam\"}\n" : "\", \"label\": \"ham\"}\n";
    }
    ASSERT_TRUE(WriteFileAtomically(folder_ + "/data.jsonl", text));
  }

  Task Make(const std::string& more) {
    auto task = ParseTask(
        "[task]\nname = \"t\"\nkind = \"text-classification\"\n"
        "data = \"data.jsonl\"\n" +
            more,
        folder_ + "/task.toml");
    EXPECT_TRUE(task.has_value()) << (task ? "" : task.error().message);
    return *task;
  }

  Result<FitResult> RunFit(const Task& task, std::stop_token stop = {}) {
    if (!ledger_) ledger_ = *Ledger::Open(folder_ + "/ledger.db");
    run_ = NewUuid();
    const FitParts parts{*ledger_, meter_,  place_,
                         host_,    root_,   SystemClock(),
                         stop,     folder_, folder_ + "/t.modicum",
                         "test",   "fake",  run_,
                         progress_};
    MODICUM_TRY(FitReport report, Fit(task, parts));
    evidence_ = std::move(report.evidence);
    return std::move(report.result);
  }

  const CandidateRow& Row(const FitResult& result, std::string_view name) {
    for (const CandidateRow& row : result.rows)
      if (row.name == name) return row;
    ADD_FAILURE() << "no row " << name;
    return result.rows.front();
  }

  std::string folder_;
  Place place_;
  HostFacts host_;
  RootFs root_;
  FakeMeter meter_{SystemClock()};
  std::unique_ptr<Ledger> ledger_;
  Uuid run_;              // of the last fit
  FitEvidence evidence_;  // of the last fit
  std::function<void(uint64_t, uint64_t, std::string_view)> progress_;
};

TEST_F(FitTest, ChoosesAModelThatWorksAndHandsItOver) {
  WriteData(600, 60);
  const auto result =
      RunFit(Make("families = [\"majority\", \"linear, hinge\", \"linear, "
                  "bigrams\"]\nvolume = 1000000\n"
                  "[[reference]]\nname = \"LLM\"\njoules_per_1000 = 12000\n"
                  "source = \"x\"\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(Row(*result, result->chosen).family, "linear");
  EXPECT_GT(Row(*result, result->chosen).quality->mid, 0.95);
  EXPECT_EQ(Row(*result, result->chosen).quality->split, "test");
  EXPECT_EQ(Row(*result, "majority").quality->split, "validation");
  EXPECT_FALSE(Row(*result, "majority").feasible);
  EXPECT_TRUE(Row(*result, "LLM").reference);
  EXPECT_FALSE(Row(*result, "LLM").feasible);
  EXPECT_GT(result->search_joules.mid, Joules(0));
  EXPECT_EQ(result->items, result->train_items + result->validation_items +
                               result->test_items);

  NullSink sink;
  const auto loaded = LoadArtifact(folder_ + "/t.modicum", sink);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->card.family, "linear");
  EXPECT_EQ(loaded->card.train_items,
            result->train_items + result->validation_items);
}

TEST_F(FitTest, AnEncoderCompetesWhenNamed) {
  WriteData(300, 60);
  const auto result =
      RunFit(Make("families = [\"majority\", \"encoder, 1 layer of 64\"]\n"));
  if (!result && result.error().code == ErrorCode::kUnavailable)
    GTEST_SKIP() << result.error().message;
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_THAT(result->chosen, HasSubstr("encoder, 1 layer of 64"));
  EXPECT_GT(Row(*result, result->chosen).quality->mid, 0.9);
  NullSink sink;
  const auto loaded = LoadArtifact(folder_ + "/t.modicum", sink);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->card.family, "encoder");
  std::vector<Item> items(1);
  items[0].payload = Text{"s1 s2 s3 n4 S5"};
  const auto outputs = loaded->model->Predict(items, {}, sink);
  ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
  const auto index =
      static_cast<size_t>(std::get<Label>(outputs->front()).index);
  EXPECT_EQ(loaded->card.labels[index], "spam");
  CallOptions explain;
  explain.explain = 3;
  const auto reasons = loaded->model->Predict(items, explain, sink);
  ASSERT_FALSE(reasons.has_value());
  EXPECT_EQ(reasons.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reasons.error().message,
              HasSubstr("encoder cannot explain its answers"));
}

TEST_F(FitTest, EveryTrialIsInTheLedgerAndASecondFitResumes) {
  WriteData(400, 60);
  const Task task = Make(
      "families = [\"majority\", \"linear, hinge\", \"linear, bigrams\"]\n");
  const auto first = RunFit(task);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto trials = ledger_->Trials(first->run);
  ASSERT_TRUE(trials.has_value());
  // One row per candidate that was tried, one per finalist.
  EXPECT_GE(trials->size(), 3U);
  const auto second = RunFit(task);
  ASSERT_TRUE(second.has_value());
  // Costs are measured anew and may choose another finalist; what was tried
  // on validation is not tried again.
  const auto redone = ledger_->Trials(second->run);
  ASSERT_TRUE(redone.has_value());
  for (const Trial& trial : *redone)
    EXPECT_EQ(trial.key.repeat, 1U) << trial.name << trial.cause;
  EXPECT_EQ(second->rows.size(), first->rows.size());
  for (size_t i = 0; i < first->rows.size(); ++i) {
    if (first->rows[i].reference) continue;
    EXPECT_EQ(first->rows[i].name, second->rows[i].name);
    if (!first->rows[i].validation) continue;
    EXPECT_EQ(first->rows[i].validation->mid, second->rows[i].validation->mid);
  }
  // The earlier trials are still charged.
  Joules tried;
  for (const Trial& trial : *trials)
    if (trial.key.repeat == 0) tried += trial.cost.mid;
  EXPECT_GT(tried, Joules(0));
  EXPECT_GE(second->search_joules.mid, tried);
}

TEST_F(FitTest, ItsEvidenceGivesTheSameResultAgain) {
  WriteData(400, 60);
  const auto result = RunFit(
      Make("families = [\"majority\", \"linear, hinge\"]\nvolume = 1000\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  auto again = Derive(evidence_);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  again->artifact = result->artifact;
  EXPECT_EQ(ToJsonText(*again), ToJsonText(*result));
  // The parts of the search are all of it.
  Joules sum;
  for (const CandidateRow& row : result->rows) sum += row.search_joules.mid;
  for (const SearchPart& part : result->search_parts) sum += part.joules.mid;
  EXPECT_NEAR(sum.value(), result->search_joules.mid.value(),
              1e-9 * sum.value());
}

TEST_F(FitTest, ALargeSpaceIsWalkedByTheLadderAndSaysWhatItLeft) {
  WriteData(900, 60);
  const auto result = RunFit(Make("families = [\"linear\"]\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->space, 24U);
  size_t left = 0;
  for (const CandidateRow& row : result->rows)
    left += row.reason.starts_with("not followed: on ") ? 1 : 0;
  EXPECT_GT(left, 0U) << "characters cost many times as much";
  EXPECT_FALSE(result->chosen.empty());
}

TEST_F(FitTest, StoppedInTheMiddleItGoesOnFromThere) {
  WriteData(400, 60);
  const Task task = Make(
      "families = [\"majority\", \"linear, hinge\", \"linear, bigrams\"]\n");
  std::stop_source stop;
  progress_ = [&stop](uint64_t done, uint64_t, std::string_view) {
    if (done == 2) stop.request_stop();
  };
  const auto stopped = RunFit(task, stop.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  EXPECT_FALSE(fs::exists(folder_ + "/t.modicum"));
  std::vector<std::string> steps;
  progress_ = [&steps](uint64_t, uint64_t, std::string_view what) {
    steps.emplace_back(what);
  };
  const auto resumed = RunFit(task);
  ASSERT_TRUE(resumed.has_value()) << resumed.error().message;
  const auto trials = ledger_->Trials(resumed->run);
  for (const Trial& trial : *trials) EXPECT_NE(trial.name, "majority");
}

TEST_F(FitTest, TheHumblestModelMayBeEnough) {
  WriteData(600, 60, 3);
  const auto result =
      RunFit(Make("families = [\"majority\", \"linear, hinge\", \"linear, "
                  "bigrams\"]\nfloor = 0.9\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->chosen, "majority");
  EXPECT_THAT(result->verdict,
              HasSubstr("No model is needed: answering 'ham' every time"));
}

TEST_F(FitTest, AnImpossibleFloorSaysTheBestReachable) {
  WriteData(300, 0);
  const auto result =
      RunFit(Make("families = [\"majority\", \"linear, hinge\", \"linear, "
                  "bigrams\"]\nfloor = 0.99\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_TRUE(result->chosen.empty());
  EXPECT_THAT(result->verdict, HasSubstr("No candidate is good enough"));
  EXPECT_THAT(result->verdict, HasSubstr("The best reachable was "));
  EXPECT_FALSE(fs::exists(folder_ + "/t.modicum"));
}

TEST_F(FitTest, CurrentNamesTheBaselineAndATypoIsRefused) {
  WriteData(400, 60);
  const auto named =
      RunFit(Make("families = [\"majority\", \"linear, hinge\", \"linear, "
                  "bigrams\"]\ncurrent = \"linear\"\n"));
  ASSERT_TRUE(named.has_value()) << named.error().message;
  EXPECT_EQ(Row(*named, named->baseline).family, "linear");
  EXPECT_EQ(named->baseline_rule, "named by current");
  const auto typo =
      RunFit(Make("families = [\"majority\", \"linear, hinge\", \"linear, "
                  "bigrams\"]\ncurrent = \"majorty\"\n"));
  ASSERT_FALSE(typo.has_value());
  EXPECT_THAT(typo.error().message,
              HasSubstr("current = \"majorty\" names no candidate, family or "
                        "reference, did you mean 'majority'?"));
}

TEST_F(FitTest, ATrialThatCannotPayIsNotRun) {
  WriteData(400, 60);
  const auto result = RunFit(Make(
      "families = [\"linear, hinge\", \"linear, bigrams\"]\nvolume = 1\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  bool skipped = false;
  for (const CandidateRow& row : result->rows)
    skipped = skipped || row.reason.starts_with("not tried: a trial costs");
  EXPECT_TRUE(skipped);
}

TEST_F(FitTest, ASpentBudgetEndsTheSearch) {
  WriteData(400, 60);
  const auto result =
      RunFit(Make("families = [\"linear, hinge\", \"linear, bigrams\"]\n"
                  "published = false\n[budget]\njoules = 0.000001\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->rows.back().reason,
            "not tried: the task's budget is spent");
}

// The trial that runs is stopped too; what was tried before is handed over.
TEST_F(FitTest, ABudgetOfTimeEndsTheTrialThatRuns) {
  WriteData(600, 60);
  const auto result =
      RunFit(Make("families = [\"linear, hinge\", \"encoder, 4 layers of "
                  "256\"]\npublished = false\n[budget]\nseconds = 3\n"));
  if (!result && result.error().code == ErrorCode::kUnavailable)
    GTEST_SKIP() << result.error().message;
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->chosen, "linear, hinge");
  EXPECT_THAT(Row(*result, "encoder, 4 layers of 256").reason,
              HasSubstr("the task's budget is spent"));
}

TEST_F(FitTest, BadDataIsRefusedBeforeAnythingIsTried) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/data.jsonl", ""));
  EXPECT_FALSE(RunFit(Make("")).has_value());
  ASSERT_TRUE(WriteFileAtomically(
      folder_ + "/data.jsonl",
      "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", "
      "\"label\": \"x\"}\n"));
  EXPECT_FALSE(RunFit(Make("")).has_value());
}

TEST_F(FitTest, ACachedModelThatWasAlteredIsTrainedAgain) {
  WriteData(400, 60);
  const Task task = Make("families = [\"majority\"]\n");
  const auto first = RunFit(task);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  size_t altered = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder_ + "/fit-cache"))
    if (entry.is_regular_file()) {
      const std::string content = *ReadFile(entry.path().string());
      ASSERT_TRUE(WriteFileAtomically(entry.path().string(),
                                      content.substr(0, content.size() / 2)));
      ++altered;
    }
  ASSERT_EQ(altered, 2U) << "on validation and test";
  const auto second = RunFit(task);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(ledger_->Trials(second->run)->size(), altered);
  EXPECT_EQ(second->chosen, first->chosen);
}

TEST_F(FitTest, WhatAStoppedFitSpentBesideItsTrialsIsCharged) {
  WriteData(400, 60);
  const Task task = Make(
      "families = [\"majority\", \"linear, hinge\", \"linear, bigrams\"]\n");
  std::stop_source stop;
  progress_ = [&stop](uint64_t, uint64_t, std::string_view what) {
    if (what.starts_with("measuring")) stop.request_stop();
  };
  ASSERT_FALSE(RunFit(task, stop.get_token()).has_value());
  progress_ = nullptr;
  const auto trials = ledger_->Trials(run_);
  ASSERT_TRUE(trials && !trials->empty());
  EXPECT_EQ(trials->back().name, "stopped search");
  Joules spent;
  for (const Trial& trial : *trials) spent += trial.cost.mid;
  const auto resumed = RunFit(task);
  ASSERT_TRUE(resumed.has_value()) << resumed.error().message;
  EXPECT_GT(resumed->search_joules.mid, spent);
}

TEST_F(FitTest, ABaselineThatWasNotMeasuredHasNoPayback) {
  WriteData(400, 60);
  const auto result = RunFit(Make(
      "families = [\"linear, hinge\", \"linear, characters\"]\nvolume = 1\n"
      "current = \"linear, characters\"\n"));
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->baseline, "linear, characters");
  EXPECT_FALSE(result->payback);
  EXPECT_EQ(result->payback_reason, "not computed: it was not measured");
}

TEST_F(FitTest, WhatCannotBeReplacedIsSaidBeforeTheSearch) {
  WriteData(400, 60);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/t.modicum/letter", "mine"));
  bool began = false;
  progress_ = [&began](uint64_t, uint64_t, std::string_view) { began = true; };
  const auto result = RunFit(Make("families = [\"majority\"]\n"));
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, HasSubstr("is not an artifact"));
  EXPECT_FALSE(began);
  EXPECT_EQ(*ReadFile(folder_ + "/t.modicum/letter"), "mine");
}

}  // namespace
}  // namespace modicum
