// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "dataset/temp_folder.h"
#include "meter/fake_meter.h"
#include "model/artifact.h"
#include "record/fake_runs.h"

namespace modicum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Artifacts of the family that needs no module, on 40 texts of two classes.
class BenchTest : public ::testing::Test {
 protected:
  BenchTest() {
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += i % 4 == 0
                   ? "tool a steel hammer number " + std::to_string(i) + "\n"
                   : "fruit a ripe apple number " + std::to_string(i) + "\n";
    data_ = folder_.Write("shop.txt", lines);
    settings_.task = *FindBenchTask("text-classification");
    settings_.data = {data_};
    protocol_.inferences = 20;
    protocol_.shortest = Seconds(0);
    host_.boot = "boot";
    host_.cpu_model = "Fake CPU";
  }

  std::string Majority(const std::string& name) {
    NullSink sink;
    const auto data = LoadDataset(data_, {});
    std::vector<uint32_t> rows(data->items.size());
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    const std::string trained = folder_.path() + "/trained-" + name;
    std::filesystem::create_directories(trained);
    const auto model = (*FindTrainer("majority"))
                           ->Train(*data, rows, {}, {}, nullptr, trained, sink);
    MODICUM_CHECK(model.has_value());
    Card card;
    card.name = name;
    card.kind = "text-classification";
    card.family = "majority";
    card.labels = data->labels;
    card.data = data->hash;
    const std::string path = folder_.path() + "/" + name + ".modicum";
    MODICUM_CHECK(WriteArtifact(path, card, trained, model->files).has_value());
    return path;
  }

  Result<BenchResult> Bench(Shard shard = {}) {
    BenchConfig config;
    config.name = "shop";
    config.protocol = protocol_;
    config.tasks = {settings_};
    const BenchParts parts{ledger_.get(),
                           meter_,
                           place_,
                           host_,
                           clock_,
                           stop_.get_token(),
                           folder_.path(),
                           "0.1",
                           run_,
                           shard,
                           reference_ ? &*reference_ : nullptr,
                           {}};
    return RunBench(config, parts);
  }

  TempFolder folder_;
  std::string data_;
  TaskSettings settings_;
  BenchProtocol protocol_;
  FakeClock clock_;
  FakeMeter meter_{clock_};
  Place place_ = *FindPlace({.region = "PL"});
  HostFacts host_;
  std::stop_source stop_;
  Uuid run_ = NewUuid();
  std::unique_ptr<Ledger> ledger_;
  std::optional<StarReference> reference_;
};

TEST_F(BenchTest, AnArtifactIsMeasuredAndScored) {
  settings_.models = {Majority("shop")};
  const auto result = Bench();
  ASSERT_TRUE(result.has_value()) << result.error().message;
  ASSERT_EQ(result->rows.size(), 1U);
  const BenchRow& row = result->rows[0];
  EXPECT_EQ(row.failure, "");
  EXPECT_EQ(row.model, "shop.modicum");
  EXPECT_EQ(row.family, "majority");
  EXPECT_EQ(row.data, "shop.txt");
  EXPECT_EQ(row.items, 20U);
  EXPECT_EQ(row.runs.size(), 5U);
  EXPECT_EQ(row.runs[0].repeat.predictions, 20U);
  EXPECT_NE(row.model_hash, Hash{});
  ASSERT_TRUE(row.quality.has_value());
  EXPECT_EQ(row.quality->items, 20U);
  EXPECT_GT(row.quality->mid, 0.5);
  EXPECT_TRUE(row.joules_per_1000.has_value());
  // The test's own data is what it was trained on.
  EXPECT_THAT(row.notes, ElementsAre(HasSubstr("trained on items of this")));
  EXPECT_THAT(row.unrated, HasSubstr("only 1 row of its workload"));
  EXPECT_EQ(result->place, "Poland");
  EXPECT_FALSE(result->published.empty());
  EXPECT_EQ(result->run, run_);
}

TEST_F(BenchTest, WhatIsNoModelIsARowWithItsCause) {
  folder_.Write("broken.modicum/card.json", "{");
  settings_.models = {Majority("shop"), folder_.path() + "/broken.modicum"};
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->rows.size(), 2U);
  EXPECT_EQ(result->rows[0].failure, "");
  EXPECT_THAT(result->rows[1].failure, HasSubstr("card.json"));
}

TEST_F(BenchTest, MissingModelsAndDataAreSaidBeforeAnythingIsMeasured) {
  settings_.models = {"nowhere.modicum"};
  EXPECT_EQ(Bench().error().message, "there is no model nowhere.modicum");
  settings_.models = {Majority("shop")};
  settings_.data = {"nowhere.jsonl"};
  EXPECT_THAT(Bench().error().message, HasSubstr("nowhere.jsonl"));
}

TEST_F(BenchTest, SweepsGiveRowsOfTheirOwn) {
  settings_.models = {Majority("shop")};
  settings_.batches = {1, 8};
  settings_.lengths = {0, 2};
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  std::vector<std::string> names;
  for (const BenchRow& row : result->rows) names.push_back(RowName(row));
  EXPECT_THAT(names, ElementsAre("shop.modicum", "shop.modicum, batch 8",
                                 "shop.modicum, 2 words",
                                 "shop.modicum, batch 8, 2 words"));
}

TEST_F(BenchTest, ShardsAreDisjointAndCoverEveryRow) {
  settings_.models = {Majority("a"), Majority("b"), Majority("c"),
                      Majority("d")};
  std::vector<std::string> names;
  for (uint64_t i = 0; i < 3; ++i) {
    const auto part = Bench({i, 3});
    if (!part) {  // a shard may be empty
      EXPECT_THAT(part.error().message, HasSubstr("none of the 4 rows"));
      continue;
    }
    EXPECT_EQ(part->protocol.shard, std::to_string(i) + "/3");
    for (const BenchRow& row : part->rows) names.push_back(row.model);
  }
  std::sort(names.begin(), names.end());
  EXPECT_THAT(names,
              ElementsAre("a.modicum", "b.modicum", "c.modicum", "d.modicum"));
}

TEST_F(BenchTest, TwoFilesOfOneNameAreToldApartByTheirPaths) {
  const std::string one = Majority("shop");
  const std::string two = folder_.path() + "/other/shop.modicum";
  std::filesystem::create_directories(folder_.path() + "/other");
  std::filesystem::copy(one, two, std::filesystem::copy_options::recursive);
  settings_.models = {one, two};
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->rows[0].model, one);
  EXPECT_EQ(result->rows[1].model, two);
}

TEST_F(BenchTest, AStopLeavesOutWhatWasNotMeasured) {
  settings_.models = {Majority("shop")};
  stop_.request_stop();
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->interrupted);
  EXPECT_TRUE(result->rows.empty());
  EXPECT_THAT(result->notes, ElementsAre("interrupted: 0 of 1 rows are here"));
}

TEST_F(BenchTest, EveryReadingIsInTheLedgerUnderTheRun) {
  auto opened = Ledger::Open(folder_.path() + "/ledger.db");
  ASSERT_TRUE(opened.has_value());
  ledger_ = *std::move(opened);
  modicum::Run run = ExampleRun();
  run.id = run_;
  run.kind = "bench";
  ASSERT_TRUE(ledger_->Put(run).has_value());
  settings_.models = {Majority("shop")};
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  const auto rows = ledger_->Measurements(run_);
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 2 + result->rows[0].runs.size());
  EXPECT_EQ((*rows)[0].phase, Phase::kLoad);
  EXPECT_EQ((*rows)[0].name,
            "text-classification, shop.txt, shop.modicum: load");
  EXPECT_EQ((*rows)[2].name,
            "text-classification, shop.txt, shop.modicum: run 1, 20 "
            "inferences");
}

TEST_F(BenchTest, AReferenceOfEarlierRowsGivesStarsToOne) {
  for (const char* name : {"a", "b", "c", "d", "e"})
    settings_.models.push_back(Majority(name));
  const auto before = Bench();
  ASSERT_TRUE(before.has_value());
  reference_ = StarReference{before->rows, "reference before.json"};
  settings_.models.resize(1);
  const auto result = Bench();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->rows[0].stars_quintile.has_value());
  EXPECT_EQ(result->star_sets[0].source, "reference before.json");
}

}  // namespace
}  // namespace modicum
