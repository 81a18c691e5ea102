// SPDX-License-Identifier: Apache-2.0
#include "report/ledger_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/fake_runs.h"
#include "report/sample_runs.h"
#include "report/tag_check.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Inside of a test, Run is a function of the test.
using Runs = std::vector<Run>;

TEST(LedgerHtml, TotalsDaysRunsAndFactors) {
  const std::string page = FormatRunsHtml(SampleRuns(), "project p");
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, HasSubstr("<h1>project p</h1>"));
  EXPECT_THAT(page, HasSubstr("1 running, 1 ok, 1 failed, 1 interrupted"));
  EXPECT_THAT(page, HasSubstr(">2026-01-31, 3 runs<"));
  EXPECT_THAT(page, HasSubstr(">2026-02-01, 1 run<"));
  EXPECT_THAT(page, HasSubstr("not metered"));
  EXPECT_THAT(page, HasSubstr("grid intensity, Poland"));
  EXPECT_THAT(page, HasSubstr("class=\"bh\""));  // modelled: hatched
}

TEST(LedgerHtml, ManyDaysAreSummedByMonthAndManyRunsCut) {
  Runs runs;
  for (int day = 0; day < 600; ++day)
    runs.push_back(
        SampleRun("0", "run", RunStatus::kOk, int64_t{86'400} * day, 10));
  const std::string page = FormatRunsHtml(runs, "");
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, HasSubstr(">2026-02, 28 runs<"));
  EXPECT_THAT(page, HasSubstr("100 older runs are in the sums"));
  EXPECT_LT(page.size(), 300'000U);
}

TEST(LedgerHtml, NoRunsAndAwkwardRuns) {
  EXPECT_EQ(TagFault(FormatRunsHtml({}, "")), "");
  FakeRecords fake(7);
  Runs runs;
  for (int i = 0; i < 50; ++i) {
    runs.push_back(fake.RandomRun());
    runs.back().name = "<b onload=\"x\">";
  }
  const std::string page = FormatRunsHtml(runs, "<i>");
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<b ")));
}

TEST(LedgerHtml, TheTotalsAsText) {
  EXPECT_EQ(FormatTotalsText(SampleRuns()),
            "runs      4 (1 running, 1 ok, 1 failed, 1 interrupted); metered "
            "3\n"
            "time      2 min 55 s wall, 3 min 53 s CPU\n"
            "energy    700 J [310, 1,600] modelled\n"
            "carbon    140 mgCO2e [62, 320] assumed\n"
            "water     700 µL assumed\n"
            "place     Poland\n"
            "machine   Intel Xeon, 2 logical CPUs, VM (KVM), no GPU\n"
            "missing   DRAM, NOT COUNTED\n");
  EXPECT_EQ(FormatTotalsMarkdown({}), "- runs: 0 (); metered 0\n");
}

}  // namespace
}  // namespace modicum
