// SPDX-License-Identifier: Apache-2.0
#include "report/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/csv.h"
#include "base/terminal.h"
#include "record/sample_bench.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BenchResult Rated() {
  BenchResult result = SampleBench();
  for (size_t i = 0; i < 5; ++i) {
    result.rows[i].stars_equal_width = i == 4 ? 1 : 5;
    result.rows[i].stars_quintile = 5 - static_cast<int>(i);
    result.rows[i].star_set = std::string(64, 'c');
  }
  result.star_sets = {{std::string(64, 'c'),
                       "text-classification, sst2.test, scope package, "
                       "modelled, idle proportional",
                       "these rows", 5, 1}};
  result.notes = {"published figures are not rated with these rows"};
  return result;
}

TEST(BenchReport, TheTableHasTheStudysFiguresAndMore) {
  const std::string text = FormatBench(Rated());
  EXPECT_THAT(text, HasSubstr("joules MODELLED, x/÷ 2.4 (90"));
  EXPECT_THAT(text, HasSubstr("scope package; idle charged proportional"));
  EXPECT_THAT(text, HasSubstr("text-classification, sst2.test, 1,000 items\n"));
  EXPECT_THAT(text, HasSubstr("1.2e-08 (1.9e-10)"));
  EXPECT_THAT(text, HasSubstr("43 mJ [18, 100] modelled, package"));
  EXPECT_THAT(text, HasSubstr("81.0 % [79.0, 82.0]  "));
  EXPECT_THAT(text, HasSubstr("5 / 4"));
  EXPECT_THAT(text, HasSubstr("km by car"));
  EXPECT_THAT(text, HasSubstr("2.0 mJ [0.84, 4.8] modelled, read"));
  EXPECT_THAT(text, HasSubstr("per correct answer"));
}

TEST(BenchReport, PublishedRowsAreMarkedWithTheirScope) {
  const std::string text = FormatBench(Rated());
  EXPECT_THAT(text, HasSubstr("8.3 kJ [4.4 kJ, 16 kJ] PUBLISHED"));
  EXPECT_THAT(text, HasSubstr("18 kJ [14 kJ, 23 kJ] COMPUTED"));
  EXPECT_THAT(text,
              HasSubstr("published  8 fine-tuned classifiers, mean; scope "
                        "node of 8 A100"));
  EXPECT_THAT(text, HasSubstr("published figures are not rated"));
}

TEST(BenchReport, WhatWasSetAsideShortOrFailedIsSaid) {
  const std::string text = FormatBench(Rated());
  EXPECT_THAT(text,
              HasSubstr("failed     broken.gguf (sst2.test): broken.gguf: "
                        "not a GGUF file"));
  EXPECT_THAT(text,
              HasSubstr("contended  tiny.gguf (sst2.test) 1 of 5 runs set "
                        "aside (with them 41 J ["));
  EXPECT_THAT(text, HasSubstr("fewer than ten updates of a counter in "
                              "tiny.gguf (sst2.test) 2 of 5 runs"));
  EXPECT_THAT(text, HasSubstr("note       tiny.gguf (sst2.test): runs of 400 "
                              "inferences"));
  EXPECT_THAT(text, HasSubstr("set cccccccccccc of 5 rows, these rows"));
  EXPECT_THAT(text, HasSubstr("equal-width: the range"));
  EXPECT_THAT(text, HasSubstr("missing    DRAM, NOT COUNTED"));
}

TEST(BenchReport, TheVerdictNamesTheCheapestAndTheBest) {
  const std::string text = FormatBench(Rated());
  EXPECT_THAT(text, HasSubstr("majority.modicum needs the least energy"));
  EXPECT_THAT(text, HasSubstr("The best is tiny.gguf"));
  BenchResult none = SampleBench();
  none.rows = {none.rows.back()};
  EXPECT_THAT(FormatBench(none), HasSubstr("nothing could be measured"));
  EXPECT_THAT(FormatBench(BenchResult{}), Not(HasSubstr("nan")));
}

TEST(BenchReport, RowsThatShareAReasonShareALine) {
  BenchResult result = SampleBench();
  for (size_t i = 0; i < 3; ++i) result.rows[i].unrated = "only 3 rows";
  EXPECT_THAT(FormatBench(result),
              HasSubstr("no stars   majority.modicum (sst2.test); "
                        "linear.modicum (sst2.test); fasttext.modicum"));
  EXPECT_THAT(FormatBench(result), HasSubstr("(sst2.test):\n"));
}

TEST(BenchReport, CsvHasOneLineARowAndAsManyCellsAsColumns) {
  const std::string csv = FormatBenchCsv(Rated());
  CsvReader reader(csv);
  const auto head = reader.Next();
  ASSERT_TRUE(head && *head);
  size_t rows = 0;
  while (true) {
    const auto row = reader.Next();
    ASSERT_TRUE(row.has_value());
    if (!*row) break;
    EXPECT_EQ((*row)->size(), (*head)->size());
    ++rows;
  }
  EXPECT_EQ(rows, 8U);
  EXPECT_THAT(csv, HasSubstr("\ntext-classification,sst2.test,linear.modicum,1,"
                             "0,no,"));
  EXPECT_THAT(csv, HasSubstr(",published,"));
}

TEST(BenchReport, MarkdownHasEveryRow) {
  const BenchResult result = Rated();
  const std::string text = FormatBenchMarkdown(result);
  for (const BenchRow& row : result.rows)
    EXPECT_THAT(text, HasSubstr(RowName(row)));
  for (const PublishedRow& row : result.published)
    EXPECT_THAT(text, HasSubstr(row.figure.name));
}

TEST(BenchReport, NamesCannotBreakALineOrMoveTheCursor) {
  BenchResult result = Rated();
  result.name = result.rows[0].model = result.rows[0].data = "a\nb\x1b[2J";
  result.rows[5].failure = result.notes[0] = "c\nd\x1b[2J";
  EXPECT_THAT(FormatBench(result), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace modicum
