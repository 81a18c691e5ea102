// SPDX-License-Identifier: Apache-2.0
#include "report/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "report/fit_plots.h"
#include "report/sample_fit.h"
#include "report/tag_check.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What holds of every page, whatever is in it.
void ExpectSound(const std::string& page) {
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, HasSubstr("<html lang=\"en\">"));
  EXPECT_EQ(CountOf(page, "<h1"), 1U);
  EXPECT_EQ(CountOf(page, "role=\"img\""),
            CountOf(page, "role=\"img\" height"));
  EXPECT_LT(page.size(), 300'000U);
}

// Every picture is read aloud by its title and description.
void ExpectTitled(const std::string& page) {
  const std::regex picture(
      "<svg role=\"img\" height=\"[0-9.]+\" style=\"height:[0-9.]+px\">"
      "<title>[^<]+</title><desc>[^<]+</desc>");
  const auto titled = std::distance(
      std::sregex_iterator(page.begin(), page.end(), picture), {});
  EXPECT_EQ(static_cast<size_t>(titled), CountOf(page, "role=\"img\""));
  // The others are decoration: the marks and the key's samples.
  EXPECT_EQ(CountOf(page, "<svg"),
            CountOf(page, "role=\"img\"") + CountOf(page, "aria-hidden"));
}

// "93.2%" of a plot's width; none may lie outside of it.
void ExpectInside(const std::string& page) {
  const std::regex position(" (?:x|x1|x2)=\"(-?[0-9.]+)%\"");
  for (std::sregex_iterator it(page.begin(), page.end(), position), end;
       it != end; ++it) {
    const double percent = std::stod((*it)[1]);
    EXPECT_GE(percent, 0) << it->str();
    EXPECT_LE(percent, 100) << it->str();
  }
}

TEST(HtmlReport, IsOneSoundFileWithEveryPart) {
  const std::string page = FormatFitHtml(SampleReceipt());
  ExpectSound(page);
  ExpectTitled(page);
  ExpectInside(page);
  EXPECT_LT(page.size(), 60'000U);
  EXPECT_EQ(CountOf(page, "role=\"img\""), 4U);
  EXPECT_EQ(CountOf(page, "<details>"), 4U);  // a table behind every plot
  for (const char* heading :
       {"Quality against energy", "Energy by model", "What the search cost",
        "The deployment's whole cost", "The chosen model",
        "What would change the answer", "All candidates", "Notes",
        "Not counted", "Factors", "Check it"})
    EXPECT_THAT(page, HasSubstr("<h2>" + std::string(heading) + "</h2>"));
  EXPECT_THAT(page, HasSubstr("modicum verify spam.receipt.json"));
  EXPECT_THAT(page, HasSubstr(ToHex(Sha256Of("receipt"))));
  EXPECT_THAT(page, HasSubstr(ToHex(Sha256Of("mails"))));
}

TEST(HtmlReport, TheVerdictComesFirst) {
  const std::string page = FormatFitHtml(SampleReceipt());
  const size_t verdict =
      page.find("<p class=\"lead\">linear is the cheapest that is good enough");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_LT(verdict, page.find("<svg role"));
  EXPECT_THAT(page, HasSubstr("energy (modelled).</p>"));
}

TEST(HtmlReport, ModelledPublishedAndMeasuredLookAndReadDifferently) {
  const std::string page = FormatFitHtml(SampleReceipt());
  EXPECT_THAT(page, HasSubstr("class=\"wa ds\""));  // dashed interval
  EXPECT_THAT(page, HasSubstr("class=\"bh\""));     // hatched bar
  EXPECT_THAT(page, HasSubstr("href=\"#m3\""));     // hollow diamond
  EXPECT_THAT(page, HasSubstr("href=\"#m4\""));     // hollow triangle
  EXPECT_THAT(page, HasSubstr("43 mJ [18, 100] modelled"));
  EXPECT_THAT(page, HasSubstr("120 kJ published, node of 8 A100"));
  EXPECT_THAT(page, HasSubstr("12 kJ planned, GPU only"));
  EXPECT_THAT(page, HasSubstr("[14, 15] measured"));  // CPU time
  Receipt receipt = SampleReceipt();
  for (CandidateRow& row : receipt.result.rows)
    if (row.joules_per_1000) row.joules_per_1000->origin = Origin::kCounter;
  const std::string measured = FormatFitHtml(receipt);
  EXPECT_THAT(measured, HasSubstr("class=\"wa\""));
  EXPECT_THAT(measured, HasSubstr("43 mJ [18, 100] measured (counter)"));
}

TEST(HtmlReport, SixtyCandidatesAreAllInTheTables) {
  const Receipt receipt = SampleReceiptOf(60);
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  ExpectInside(page);
  for (const CandidateRow& row : receipt.result.rows)
    EXPECT_THAT(page, HasSubstr(row.name));
  EXPECT_THAT(page, HasSubstr("71 of 148 candidates were tried"));
  EXPECT_THAT(page, HasSubstr("failed: over the budget of 1.0 GB"));
}

TEST(HtmlReport, NamesCannotLeaveTheirPlace) {
  const std::string hostile = "<script>alert('x')</script>\"&\x01";
  Receipt receipt = SampleReceipt();
  FitResult& result = receipt.result;
  result.task = result.data = result.machine = result.place = hostile;
  result.metric = result.verdict = result.requirement = hostile;
  result.classes = result.notes = result.missing = result.changes = {hostile};
  result.chosen = hostile;
  for (CandidateRow& row : result.rows) {
    row.name = row.params = row.engine = row.reason = row.source = hostile;
    row.passes = row.stages = {hostile};
    row.scope_note = row.not_deterministic = hostile;
  }
  result.search_parts[0].name = hostile;
  result.factors[0] = {hostile, 1, hostile, hostile, hostile};
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert('x')&lt;/script&gt;&quot;"
                              "&amp; "));
  EXPECT_EQ(page.find('\x01'), std::string::npos);
}

TEST(HtmlReport, AnEmptyResultStillMakesAPage) {
  const std::string page = FormatFitHtml(Receipt{});
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("there is nothing to plot"));
  EXPECT_THAT(page, HasSubstr("No volume was given"));
}

TEST(HtmlReport, WithoutAChoiceThereIsNoCard) {
  Receipt receipt = SampleReceipt();
  receipt.result.chosen.clear();
  receipt.result.verdict = "No candidate is good enough (floor 99.5 %).";
  receipt.result.predict_month.reset();
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("<title>spam: no model is good enough</title>"));
  EXPECT_THAT(page, Not(HasSubstr("The chosen model")));
}

TEST(HtmlReport, OneCandidateAlone) {
  Receipt receipt = SampleReceipt();
  receipt.result.rows = {receipt.result.rows[2]};
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  ExpectTitled(page);
  ExpectInside(page);
}

TEST(HtmlReport, WithoutEnergyTheTablesStay) {
  Receipt receipt = SampleReceipt();
  for (CandidateRow& row : receipt.result.rows) row.joules_per_1000.reset();
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("not measured"));
}

TEST(HtmlReport, LogLossIsBetterBelowAndStillUp) {
  Receipt receipt = SampleReceipt();
  receipt.result.metric = "log-loss";
  for (CandidateRow& row : receipt.result.rows)
    for (auto* figure : {&row.quality, &row.validation})
      if (*figure) {
        (*figure)->metric = "log-loss";
        (*figure)->mid = 1 - (*figure)->mid;
        std::swap((*figure)->low, (*figure)->high);
        (*figure)->low = 1 - (*figure)->low;
        (*figure)->high = 1 - (*figure)->high;
      }
  const std::string page = FormatFitHtml(receipt);
  ExpectSound(page);
  EXPECT_THAT(page, HasSubstr("log-loss [95 %], better is up"));
  EXPECT_THAT(page, HasSubstr("majority ↓ 0.3130"));
}

TEST(HtmlReport, TheSearchSharesSumToItsJoules) {
  const FitResult fit = SampleFit();
  double sum = 0;
  double before = std::numeric_limits<double>::infinity();
  for (const SearchShare& share : SearchShares(fit)) {
    sum += share.joules.mid.value();
    EXPECT_LE(share.joules.mid.value(), before);
    before = share.joules.mid.value();
  }
  EXPECT_NEAR(sum, fit.search_joules.mid.value(), 1e-9);
}

// A figure of a table without its unit would be a riddle.
TEST(HtmlReport, EveryFigureOfATableHasItsUnit) {
  const std::string page = FormatFitHtml(SampleReceipt());
  const std::regex cell("<td( class=\"r\")?>([^<]*[0-9][^<]*)<");
  const std::regex unit(
      "(J|s|B|%|gCO2e|Wh|gCO2e/kWh|pt|EUR|predictions)(\\]| |,|$)|[0-9]+ (of|"
      "[a-z])|20[0-9][0-9]|A100|1\\.56");
  for (std::sregex_iterator it(page.begin(), page.end(), cell), end; it != end;
       ++it)
    EXPECT_TRUE(std::regex_search((*it)[2].str(), unit)) << it->str();
}

}  // namespace
}  // namespace modicum
