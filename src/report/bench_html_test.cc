// SPDX-License-Identifier: Apache-2.0
#include "report/bench_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/sample_bench.h"
#include "report/tag_check.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void ExpectSound(const std::string& page) {
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_EQ(CountOf(page, "<h1"), 1U);
  EXPECT_LT(page.size(), 300'000U);
}

TEST(BenchHtml, IsOneSoundFileWithEveryPart) {
  const BenchResult result = SampleBench();
  const std::string page = FormatBenchHtml(result);
  ExpectSound(page);
  EXPECT_EQ(CountOf(page, "role=\"img\""), 3U);
  for (const BenchRow& row : result.rows)
    EXPECT_THAT(page, HasSubstr(RowName(row)));
  EXPECT_THAT(page, HasSubstr("43 mJ"));
  EXPECT_THAT(page, HasSubstr("[18, 100] modelled, package"));
  EXPECT_THAT(page, HasSubstr("<td>node of 8 A100"));
  EXPECT_THAT(page, HasSubstr("Published, not run and not rated"));
  EXPECT_THAT(page, HasSubstr("failed: broken.gguf: not a GGUF file"));
  EXPECT_THAT(page, HasSubstr("href=\"#m3\""));  // published: hollow
  EXPECT_THAT(page, HasSubstr(ToHex(Sha256Of("sst2"))));
}

TEST(BenchHtml, StarsStandWithTheirRulesAndTheirSet) {
  BenchResult result = SampleBench();
  result.rows[1].stars_equal_width = 5;
  result.rows[1].stars_quintile = 4;
  result.rows[1].star_set = std::string(64, 'c');
  result.star_sets = {{std::string(64, 'c'), "about", "these rows", 5, 1}};
  const std::string page = FormatBenchHtml(result);
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("equal-width, quintile</small><small>set "
                              "cccccccc</small>"));
  EXPECT_THAT(page, HasSubstr("five equal bands"));
}

TEST(BenchHtml, NamesCannotLeaveTheirPlace) {
  const std::string hostile = "<script>alert('x')</script>\"&\x01";
  BenchResult result = SampleBench();
  result.name = result.place = hostile;
  result.notes = result.missing = {hostile};
  for (BenchRow& row : result.rows) {
    row.model = row.data = row.engine = row.family = row.machine = hostile;
    row.idle_policy = row.unit = row.unrated = hostile;
    row.notes = {hostile};
    if (row.quality) row.quality->metric = hostile;
  }
  result.published[0].figure.name = result.published[0].figure.scope = hostile;
  result.star_sets = {{hostile, hostile, hostile, 5, 1}};
  const std::string page = FormatBenchHtml(result);
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_EQ(page.find('\x01'), std::string::npos);
}

TEST(BenchHtml, AnEmptyResultStillMakesAPage) {
  ExpectSound(FormatBenchHtml(BenchResult{}));
  BenchResult failed = SampleBench();
  failed.rows = {failed.rows.back()};
  ExpectSound(FormatBenchHtml(failed));
}

TEST(BenchHtml, ManyRowsStayUnderTheLimit) {
  BenchResult result = SampleBench();
  for (int i = 0; i < 60; ++i) {
    BenchRow row = SampleBenchRow("model " + std::to_string(i), 0.1 + i, 0.8);
    row.batch = static_cast<uint64_t>(1 + i % 3);
    result.rows.push_back(row);
  }
  ExpectSound(FormatBenchHtml(result));
}

}  // namespace
}  // namespace modicum
