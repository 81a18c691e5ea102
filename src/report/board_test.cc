// SPDX-License-Identifier: Apache-2.0
#include "report/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_fit.h"
#include "report/tag_check.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The sample with another energy of its chosen model.
Receipt With(double joules, double quality = 0.985) {
  Receipt receipt = SampleReceipt();
  receipt.result.rows[2].joules_per_1000 = SampleJoules(joules);
  receipt.result.rows[2].quality = SampleQuality(quality, 1814, "test");
  receipt.sha256 = Sha256Of(std::to_string(joules));
  return receipt;
}

std::vector<Receipt> Several(int count) {
  std::vector<Receipt> receipts;
  for (int i = 0; i < count; ++i)
    receipts.push_back(With(std::pow(2, (i * 7) % count), 0.98 + 0.001 * i));
  return receipts;
}

std::string Classes(const std::vector<double>& joules, ClassRule rule) {
  const std::vector<char> classes = ClassesOf(joules, rule);
  return {classes.begin(), classes.end()};
}

TEST(Board, QuintilesAreAFifthOfTheReceiptsEach) {
  EXPECT_EQ(Classes({1, 2, 3, 4, 1000}, ClassRule::kQuintile), "ABCDE");
  EXPECT_EQ(Classes({10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, ClassRule::kQuintile),
            "EEDDCCBBAA");
  EXPECT_EQ(Classes({1, 1, 1, 1, 2}, ClassRule::kQuintile), "AAAAE");
}

// The two rules differ wherever energies are skewed: hence their names.
TEST(Board, EqualWidthCutsTheLogarithm) {
  EXPECT_EQ(Classes({1, 2, 3, 4, 1e5}, ClassRule::kEqualWidth), "AAAAE");
  EXPECT_EQ(Classes({1, 10.1, 100.1, 1001, 1e5}, ClassRule::kEqualWidth),
            "ABCDE");
  EXPECT_EQ(Classes({3, 3, 3, 3, 3}, ClassRule::kEqualWidth), "AAAAA");
}

TEST(Board, FewReceiptsHaveNoClasses) {
  EXPECT_EQ(Classes({1, 2, 3, 4}, ClassRule::kQuintile), "");
  const std::string page = FormatBoardHtml(Several(3), ClassRule::kQuintile);
  EXPECT_THAT(page, HasSubstr("No classes: 3 ranked receipts of the 5"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"cls\"")));
}

TEST(Board, ARuleIsKnownByItsName) {
  EXPECT_EQ(*ParseClassRule("quintile"), ClassRule::kQuintile);
  EXPECT_EQ(*ParseClassRule("equal-width"), ClassRule::kEqualWidth);
  const auto unknown = ParseClassRule("stars");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "unknown class rule 'stars'");
  EXPECT_EQ(unknown.error().hint, "the rules are quintile and equal-width");
}

TEST(Board, TheSetsHashIsOfItsSortedLinesWhateverTheOrder) {
  const Receipt a = With(1);
  const Receipt b = With(2);
  std::string first = ToHex(a.sha256);
  std::string second = ToHex(b.sha256);
  if (second < first) std::swap(first, second);
  EXPECT_EQ(ReferenceSetHash({&a, &b}), Sha256Of(first + "\n" + second + "\n"));
  EXPECT_EQ(ReferenceSetHash({&b, &a}), ReferenceSetHash({&a, &b}));
}

TEST(Board, AClassNeverAppearsWithoutItsRuleAndItsSet) {
  const std::vector<Receipt> receipts = Several(9);
  const std::string page = FormatBoardHtml(receipts, ClassRule::kEqualWidth);
  std::vector<const Receipt*> all;
  for (const Receipt& receipt : receipts) all.push_back(&receipt);
  const std::string set = ToHex(ReferenceSetHash(all));
  EXPECT_THAT(page, HasSubstr("equal-width: five bands"));
  EXPECT_THAT(page, HasSubstr(set));
  EXPECT_EQ(CountOf(page, "class=\"cls\""), 9U);
  EXPECT_EQ(CountOf(page, "</span><small>equal-width, set " + set.substr(0, 8) +
                              "</small>"),
            9U);
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, Not(HasSubstr("http")));
}

TEST(Board, TheCheapestStandsFirst) {
  const std::vector<Receipt> receipts = Several(6);
  const auto groups = GroupReceipts(receipts);
  ASSERT_EQ(groups.size(), 1U);
  double before = 0;
  for (const Receipt* receipt : groups[0].receipts) {
    const double joules = receipt->result.rows[2].joules_per_1000->mid.value();
    EXPECT_GT(joules, before);
    before = joules;
  }
}

TEST(Board, WhatCannotBeComparedStandsApartWithTheReason) {
  std::vector<Receipt> receipts = Several(3);
  receipts[1].result.rows[2].joules_per_1000->scope = Scope::kHost;
  receipts[2].evidence.metric = "macro-f1";
  receipts[2].result.metric = "<macro>";
  const auto groups = GroupReceipts(receipts);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].apart, "");
  EXPECT_THAT(groups[1].apart, HasSubstr("the scope of the energy differs"));
  EXPECT_THAT(groups[2].apart, HasSubstr("the metric differs"));
  const std::string page = FormatBoardHtml(receipts, ClassRule::kQuintile);
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page,
              HasSubstr("Not comparable with the first group: the metric"));
}

TEST(Board, WithoutAChoiceThereIsNoRank) {
  std::vector<Receipt> receipts = Several(1);
  receipts[0].result.chosen.clear();
  const std::string page = FormatBoardHtml(receipts, ClassRule::kQuintile);
  EXPECT_EQ(TagFault(page), "");
  EXPECT_THAT(page, HasSubstr("no model is good enough"));
}

}  // namespace
}  // namespace modicum
