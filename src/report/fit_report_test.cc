// SPDX-License-Identifier: Apache-2.0
#include "report/fit_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/terminal.h"
#include "report/sample_fit.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CandidateRow Measured(std::string name, double joules) {
  CandidateRow row;
  row.name = std::move(name);
  row.quality = QualityFigure{"accuracy", "validation", 0.985, 0.978, 0.991, 9};
  row.joules_per_1000 =
      Exactly(Joules(joules), Origin::kModelled, Scope::kPackage);
  row.cpu_seconds_per_1000 =
      Exactly(Seconds(joules / 10), Origin::kCounter, Scope::kProcess);
  row.reason = "good enough";
  return row;
}

FitResult SomeResult() {
  FitResult result;
  result.task = "t";
  result.metric = "accuracy";
  result.rows = {Measured("majority", 0.00017), Measured("linear", 0.053)};
  CandidateRow reference;
  reference.name = "LLM";
  reference.reference = true;
  reference.scope_note = "GPU only";
  reference.reason = "not run: published";
  reference.joules_per_1000 =
      Exactly(Joules(120'000), Origin::kAssumed, Scope::kDevice);
  result.rows.push_back(reference);
  result.verdict = "None.";
  return result;
}

TEST(FitReport, AColumnHasOneUnitAndAReferenceItsOwn) {
  const std::string text = FormatFit(SomeResult());
  EXPECT_THAT(text, HasSubstr("mJ per 1,000 [90 %]"));
  EXPECT_THAT(text, HasSubstr("CPU ms per 1,000"));
  EXPECT_THAT(text, HasSubstr(" 0.17 [0.17, 0.17] "));
  EXPECT_THAT(text, HasSubstr(" 53 [53, 53] "));
  EXPECT_THAT(text, HasSubstr("120 kJ PUBLISHED"));
  EXPECT_THAT(text, HasSubstr("reference  LLM; scope GPU only\n"));
  // For a file the unit is the same whatever was measured.
  EXPECT_THAT(FormatFitCsv(SomeResult()), HasSubstr("J per 1,000 [90 %]"));
}

TEST(FitReport, LinesAreWrappedAndManyClassesAreCut) {
  FitResult result = SomeResult();
  for (int i = 0; i < 30; ++i)
    result.classes.push_back("class number " + std::to_string(i) + " 100");
  const std::string text = FormatFit(result);
  EXPECT_THAT(text, HasSubstr("30 classes: class number 0 100, "));
  EXPECT_THAT(text, HasSubstr("and 22 more"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(DisplayWidth(line), 100U) << line;
}

TEST(FitReport, AClassNameCannotBreakALineOrMoveTheCursor) {
  FitResult result = SomeResult();
  result.classes = {"a\nb\x1b[2J 3"};
  const std::string text = FormatFit(result);
  EXPECT_THAT(text, HasSubstr("(a b [2J 3)"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(FitReport, ALongSearchShowsTheRowsThatMatterAndSaysHowManyMore) {
  const FitResult result = SampleReceiptOf(60).result;
  const std::string text = FormatFit(result);
  EXPECT_THAT(text, HasSubstr("  • linear "));
  EXPECT_THAT(text, HasSubstr("    forest, 100 trees "));
  EXPECT_THAT(text, HasSubstr("  BLOOMz-7B, zero-shot "));
  EXPECT_THAT(text, Not(HasSubstr("boosted, 20 trees")));
  EXPECT_THAT(text,
              HasSubstr("\n  • no other model is both better and cheaper; 63 "
                        "more in the report\n"));
  EXPECT_THAT(text, HasSubstr("; 71 of 148 candidates tried; repaid"));
  EXPECT_THAT(text, HasSubstr("\nchanges    at ten times the volume "));
  // What is not shown does not decide the unit either.
  EXPECT_THAT(text, HasSubstr("mJ per 1,000 [90 %]"));
  for (const CandidateRow& row : result.rows) {
    EXPECT_THAT(FormatFitCsv(result), HasSubstr(row.name));
    EXPECT_THAT(FormatFitMarkdown(result), HasSubstr(row.name));
    EXPECT_THAT(FormatFitJson(result), HasSubstr('"' + row.name + '"'));
  }
}

TEST(FitReport, AnEndpointThatFailedIsShownHoweverLongTheSearch) {
  FitResult result = SampleReceiptOf(60).result;
  for (const char* name : {"remote, good", "remote, refusing"}) {
    CandidateRow row;
    row.name = name;
    row.family = "remote";
    row.reason = "answered HTTP 401";
    result.rows.insert(result.rows.begin(), row);
  }
  const std::string text = FormatFit(result);
  EXPECT_THAT(text, HasSubstr("    remote, good "));
  EXPECT_THAT(text, HasSubstr("    remote, refusing "));
}

TEST(FitReport, PassesAndStagesAreSaid) {
  FitResult result = SampleFit();
  result.chosen = result.rows[1].name;
  EXPECT_THAT(FormatFit(result),
              HasSubstr("chosen     linear, pruned to 5 %, 8 bits, passes "
                        "prune keep=0.05; 8-bit weights, 320 kB;"));
  const std::string csv = FormatFitCsv(result);
  EXPECT_THAT(csv, HasSubstr(",passes,Pareto,J to try it [90 %],verdict\n"));
  EXPECT_THAT(csv, HasSubstr(",prune keep=0.05; 8-bit weights,yes,"));
  const std::string json = FormatFitJson(result);
  for (const char* key :
       {"\"pareto\"", "\"search_joules\"", "\"stages\"", "\"search_parts\"",
        "\"changes\"", "\"candidate_space\": 148"})
    EXPECT_THAT(json, HasSubstr(key));
}

}  // namespace
}  // namespace modicum
