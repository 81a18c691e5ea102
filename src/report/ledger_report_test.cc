// SPDX-License-Identifier: Apache-2.0
#include "report/ledger_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "record/fake_runs.h"
#include "record/json.h"
#include "record/same.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using RunRow = Run;  // in a TEST, Run is the test's own

std::vector<RunRow> ExampleAndUnfinished() {
  std::vector<RunRow> runs = {ExampleRun(), ExampleRun()};
  runs[1].status = RunStatus::kRunning;
  runs[1].bill.reset();
  runs[1].name = "sh -c 'a\nb | c' and a tail that is far too long to show";
  return runs;
}

TEST(LedgerReport, TheTableHasALinePerRun) {
  EXPECT_EQ(
      FormatRunsTable(ExampleAndUnfinished()),
      "run       started (UTC)     kind  status   time  energy [90 %]    "
      "         carbon [90 %]               name\n"
      "0b3c1f2a  2026-01-01 00:00  run   ok       12 s  120 J [53, 270] "
      "modelled  30 mgCO2e [13, 69] assumed  python3 train.py --epochs 3\n"
      "0b3c1f2a  2026-01-01 00:00  run   running     -  -               "
      "          -                           sh -c 'a b | c' and a tail "
      "that is far …\n");
  EXPECT_EQ(FormatRunsTable({}), "");
}

TEST(LedgerReport, MarkdownEscapesWhatWouldBreakTheTable) {
  EXPECT_THAT(FormatRunsMarkdown(ExampleAndUnfinished()),
              HasSubstr("| running | - | - | - | sh -c 'a b \\| c' and "));
}

TEST(LedgerReport, CsvHasEveryFigureExactly) {
  const std::vector<RunRow> runs = {ExampleRun()};
  const std::string text = FormatRunsCsv(runs);
  CsvReader reader(text);
  const auto header = **reader.Next();
  const auto row = **reader.Next();
  ASSERT_EQ(header.size(), row.size());
  const auto cell = [&](std::string_view name) {
    const auto at = std::find(header.begin(), header.end(), name);
    return at == header.end() ? "no such column"
                              : row[static_cast<size_t>(at - header.begin())];
  };
  EXPECT_EQ(cell("id"), runs[0].id.text);
  EXPECT_EQ(cell("tags"), "team=search");
  EXPECT_EQ(cell("energy_j"), "120");
  EXPECT_EQ(std::stod(cell("energy_low_j")),
            runs[0].bill->energy.low().value());
  EXPECT_EQ(cell("energy_origin"), "modelled");
  EXPECT_EQ(cell("energy_scope"), "package");
  EXPECT_EQ(std::stod(cell("carbon_high_g")),
            runs[0].bill->operational.high().value());
  EXPECT_EQ(cell("embodied_g"), "");
  EXPECT_EQ(cell("money_amount"), "1.1e-05");
  EXPECT_EQ(cell("currency"), "PLN");
}

TEST(LedgerReport, JsonOfRunsIsLossless) {
  FakeRecords fake(13);
  std::vector<RunRow> runs;
  for (int i = 0; i < 20; ++i) runs.push_back(fake.RandomRun());
  const auto json = nlohmann::json::parse(FormatRunsJson(runs));
  ASSERT_EQ(json.size(), runs.size());
  for (size_t i = 0; i < runs.size(); ++i)
    EXPECT_TRUE(Same(*FromJson<RunRow>(json[i]), runs[i]));
  EXPECT_EQ(FormatRunsJson({}), "[\n]\n");
}

TEST(LedgerReport, JsonOfRecordsHasTheEvidenceToo) {
  FakeRecords fake(14);
  const RunRecord record{fake.RandomRun(),
                         {fake.RandomMeasurement(fake.Id(), 0),
                          fake.RandomMeasurement(fake.Id(), 1)},
                         {fake.RandomTrial()}};
  const auto json = nlohmann::json::parse(FormatRecordsJson({{record}}));
  ASSERT_EQ(json.size(), 1U);
  EXPECT_TRUE(Same(*FromJson<RunRow>(json[0]["run"]), record.run));
  ASSERT_EQ(json[0]["measurements"].size(), 2U);
  EXPECT_TRUE(Same(*FromJson<Measurement>(json[0]["measurements"][1]),
                   record.measurements[1]));
  EXPECT_TRUE(Same(*FromJson<Trial>(json[0]["trials"][0]), record.trials[0]));
}

TEST(LedgerReport, ARecordShowsMachineBillAndEvidence) {
  Measurement m;
  m.name = "repeat 1";
  m.phase = Phase::kPrefill;
  m.domain = "package-0";
  m.probe = "rapl";
  m.wall = Seconds(2);
  m.cpu = Seconds(1.5);
  m.energy = {Joules(50), 5, {}, Origin::kCounter, Scope::kPackage};
  Trial trial;
  trial.name = "linear";
  trial.outcome = "failed";
  trial.cause = "out of memory";
  trial.wall = Seconds(3);
  const std::string text = FormatRecordText({ExampleRun(), {m}, {trial}});
  EXPECT_THAT(text, HasSubstr("id        0b3c1f2a-5d6e-4f70-8a91-b2c3d4e5f607\n"
                              "name      python3 train.py --epochs 3\n"
                              "project   search\n"
                              "tags      team=search\n"
                              "started   2026-01-01T00:00:00Z\n"
                              "ended     2026-01-01T00:00:12Z\n"
                              "machine   node7, AMD EPYC 7763, 2 logical CPUs, "
                              "8.0 GB RAM, Linux-6.1.0-x86_64, virtual machine "
                              "KVM, H100, H100\n"
                              "run 0b3c1f2a  ok, exit 0\n"
                              "time "));
  EXPECT_THAT(text, HasSubstr("factor    PUE, typical: 1.50 (Example survey, "
                              "2024)\n"));
  EXPECT_THAT(text, HasSubstr("repeat 1     prefill  package-0  rapl   2.0 s  "
                              "1.5 s  50 J [42, 59] counter "));
  EXPECT_THAT(text, HasSubstr("linear       0  3.0 s  0 J assumed  failed: out "
                              "of memory\n"));
}

}  // namespace
}  // namespace modicum
