// SPDX-License-Identifier: Apache-2.0
#include "fit/verdict.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() {
    result_.metric = "accuracy";
    result_.requirement = "accuracy within 1.0 pt of the best";
    result_.established = true;
    for (const char* name : {"majority", "linear", "fasttext"}) {
      CandidateRow row;
      row.name = row.family = name;
      row.validation =
          QualityFigure{"accuracy", "validation", 0.7, 0.6, 0.8, 900};
      result_.rows.push_back(row);
    }
    result_.rows[1].validation->mid = 0.981;
    result_.chosen = "linear";
    result_.baseline = "fasttext";
    result_.baseline_rule = "the most accurate";
  }
  static Estimate<Scalar> Ratio(double mid, double relative, Origin origin) {
    return {Scalar(mid), relative * mid, {}, origin, Scope::kProcess};
  }
  FitResult result_;
};

TEST_F(VerdictTest, CheaperThanTheBaselineWithPayback) {
  result_.cpu_ratio = Ratio(7.7, 0.01, Origin::kCounter);
  result_.energy_ratio = Ratio(7.7, 0.2, Origin::kModelled);
  result_.payback = Payback{310'000, 200'000, 480'000};
  result_.volume = 1'000'000;
  EXPECT_EQ(VerdictText(result_, ""),
            "linear is the cheapest that is good enough (accuracy within 1.0 "
            "pt of the best): fasttext needs 7.7x [7.6, 7.8] its CPU time "
            "(measured) and 7.7x [5.5, 11] its energy (modelled). The search "
            "is repaid after 310,000 predictions [200,000, 480,000], 9 d 10 h "
            "at this volume.");
}

TEST_F(VerdictTest, WhyNothingCheaperWillDo) {
  auto joules = [](double value) {
    return Exactly(Joules(value), Origin::kModelled, Scope::kPackage);
  };
  result_.rows[0].joules_per_1000 = joules(0.01);
  result_.rows[0].reason = "fails: 28.1 pt worse";
  result_.rows[1].joules_per_1000 = joules(1);
  result_.rows[2].joules_per_1000 = joules(5);
  result_.rows[2].reason = "fails: too dear to be asked";
  result_.payback_reason = "not computed";
  EXPECT_EQ(VerdictText(result_, ""),
            "linear is the cheapest that is good enough (accuracy within 1.0 "
            "pt of the best). The best of the cheaper ones, majority, fails: "
            "28.1 pt worse. Payback against fasttext: not computed.");
}

TEST_F(VerdictTest, WhatTakesMoreThanAYearIsBestLeftAlone) {
  result_.payback = Payback{31e6, 20e6, 48e6};
  result_.volume = 1'000'000;
  EXPECT_EQ(VerdictText(result_, ""),
            "linear is the cheapest that is good enough (accuracy within 1.0 "
            "pt of the best). The search is repaid after 31,000,000 "
            "predictions [20,000,000, 48,000,000], which takes 31 months at "
            "this volume: where fasttext already runs, nothing pays back and "
            "it is best left alone.");
}

TEST_F(VerdictTest, NoPaybackSaysWhy) {
  result_.payback_reason =
      "not established, from 5,000 predictions, possibly never";
  result_.established = false;
  EXPECT_EQ(VerdictText(result_, ""),
            "linear is the cheapest that is good enough (accuracy within 1.0 "
            "pt of the best). Payback against fasttext: not established, "
            "from 5,000 predictions, possibly never. The claim is not "
            "established on the test items; the notes say what would be "
            "needed.");
}

TEST_F(VerdictTest, LeaveItAlone) {
  result_.baseline = "linear";
  result_.baseline_rule = "named by current";
  EXPECT_EQ(VerdictText(result_, ""),
            "Leave it alone: linear is the cheapest that is good enough.");
}

TEST_F(VerdictTest, TheMostAccurateIsTheCheapest) {
  result_.baseline = "linear";
  EXPECT_EQ(VerdictText(result_, ""),
            "linear is the most accurate and the cheapest that is good "
            "enough.");
}

TEST_F(VerdictTest, NoModelIsNeeded) {
  result_.chosen = "majority";
  result_.baseline = "majority";
  EXPECT_EQ(VerdictText(result_, "ham"),
            "No model is needed: answering 'ham' every time is good enough "
            "(accuracy within 1.0 pt of the best).");
}

TEST_F(VerdictTest, NothingIsGoodEnough) {
  result_.chosen.clear();
  result_.requirement = "accuracy at least 99.9 %";
  EXPECT_EQ(VerdictText(result_, ""),
            "No candidate is good enough (accuracy at least 99.9 %). The best "
            "reachable was linear with 98.1 % [60.0, 80.0] on 900 validation "
            "items.");
  result_.rows.clear();
  EXPECT_EQ(VerdictText(result_, ""),
            "No candidate could be trained and measured; the table says why.");
}

}  // namespace
}  // namespace modicum
