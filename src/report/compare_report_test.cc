// SPDX-License-Identifier: Apache-2.0
#include "report/compare_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "record/fake_receipts.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

NamedReceipt Named(const std::string& name, double joules) {
  NamedReceipt named{name, {}};
  named.receipt.evidence = FakeEvidence({});
  FitResult& result = named.receipt.result;
  result.task = "spam";
  result.metric = "accuracy";
  result.machine = "2 vCPU VM";
  result.place = "Poland";
  result.chosen = "linear";
  result.search_joules = internal::FakeJoules(900);
  CandidateRow row;
  row.name = "linear";
  row.quality = QualityFigure{"accuracy", "test", 0.986, 0.98, 0.991, 60};
  row.joules_per_1000 = internal::FakeJoules(joules);
  row.cpu_seconds_per_1000 = {
      Seconds(joules / 20), 0.001, {}, Origin::kCounter, Scope::kProcess};
  result.rows = {row};
  return named;
}

nlohmann::json Compared(const std::vector<NamedReceipt>& receipts) {
  return nlohmann::json::parse(FormatComparisonJson(receipts));
}

TEST(CompareReport, RatiosAreToTheFirst) {
  const auto json = Compared({Named("a", 2), Named("b", 6), Named("c", 1)});
  EXPECT_TRUE(json[0]["joules_ratio"].is_null());
  EXPECT_DOUBLE_EQ(json[1]["joules_ratio"]["mid"].get<double>(), 3);
  EXPECT_DOUBLE_EQ(json[2]["cpu_ratio"]["mid"].get<double>(), 0.5);
  EXPECT_EQ(json[0]["quality"]["low"], 0.98);
}

TEST(CompareReport, AModelsErrorCancelsOnTheSameChipOnly) {
  const auto same = Compared({Named("a", 2), Named("b", 6)});
  EXPECT_GT(same[1]["joules_ratio"]["low"].get<double>(), 2.8);
  NamedReceipt other = Named("b", 6);
  other.receipt.evidence.host.cpu_model = "another chip";
  const auto apart = Compared({Named("a", 2), other});
  EXPECT_LT(apart[1]["joules_ratio"]["low"].get<double>(), 1.5);
  EXPECT_GT(apart[1]["joules_ratio"]["high"].get<double>(), 6);
}

TEST(CompareReport, TextHasEveryFigureWithIntervalAndOrigin) {
  const std::vector<NamedReceipt> receipts{Named("a.json", 2),
                                           Named("b.json", 6)};
  const std::string text = FormatComparison(receipts);
  EXPECT_THAT(text, HasSubstr("98.6 % [98.0, 99.1]"));
  EXPECT_THAT(text, HasSubstr("6.0 J [3.1, 12] modelled"));
  EXPECT_THAT(text, HasSubstr("3x [2.9, 3.1]"));
  EXPECT_THAT(text, HasSubstr("2 vCPU VM"));
  EXPECT_THAT(FormatComparisonMarkdown(receipts), HasSubstr("| b.json"));
}

TEST(CompareReport, CsvHasOneColumnPerHeading) {
  const std::vector<NamedReceipt> receipts{Named("a", 2), Named("b", 6)};
  const std::string csv = FormatComparisonCsv(receipts);
  std::vector<std::ptrdiff_t> commas;
  size_t at = 0;
  while (at < csv.size()) {
    const size_t end = csv.find('\n', at);
    commas.push_back(std::count(csv.begin() + static_cast<ptrdiff_t>(at),
                                csv.begin() + static_cast<ptrdiff_t>(end),
                                ','));
    at = end + 1;
  }
  EXPECT_THAT(commas, ::testing::ElementsAre(26, 26, 26));
  EXPECT_THAT(csv, HasSubstr("\nb,"));
}

}  // namespace
}  // namespace modicum
