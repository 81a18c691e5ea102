// SPDX-License-Identifier: Apache-2.0
#include "record/comparable.h"

#include <gtest/gtest.h>

#include <functional>

#include "record/fake_receipts.h"

namespace modicum {
namespace {

Receipt ComparedExample() {
  Receipt receipt;
  receipt.evidence = FakeEvidence({});
  CandidateRow row;
  row.name = "linear";
  row.joules_per_1000 = internal::FakeJoules(2);
  receipt.result.rows = {row};
  receipt.result.chosen = "linear";
  receipt.result.baseline = "fasttext";
  return receipt;
}

std::string Refusal(const std::function<void(Receipt&)>& change) {
  Receipt other = ComparedExample();
  change(other);
  const Status forth = Comparable(ComparedExample(), other);
  const Status back = Comparable(other, ComparedExample());
  EXPECT_EQ(forth.has_value(), back.has_value());
  if (forth) return "";
  EXPECT_FALSE(forth.error().hint.empty());
  return forth.error().message;
}

TEST(Comparable, WhatMayDiffer) {
  EXPECT_EQ(Refusal([](Receipt&) {}), "");
  EXPECT_EQ(Refusal([](Receipt& r) {
              r.evidence.host.cpu_model = "another";
              r.evidence.place.name = "Sweden";
              r.evidence.seed = 7;
              r.evidence.validation.ids.pop_back();
              r.result.rows[0].joules_per_1000->origin = Origin::kAssumed;
            }),
            "");
}

TEST(Comparable, WhatMayNotIsNamed) {
  EXPECT_EQ(Refusal([](Receipt& r) { r.evidence.kind = "regression"; }),
            "not comparable: the kind of task differs, 'text-classification' "
            "and 'regression'");
  EXPECT_EQ(Refusal([](Receipt& r) { r.evidence.metric = "macro-f1"; }),
            "not comparable: the metric differs, 'accuracy' and 'macro-f1'");
  EXPECT_EQ(Refusal([](Receipt& r) { r.evidence.data_hash = {}; }),
            "not comparable: the data (SHA-256) differs, 'f3faffe96909' and "
            "'000000000000'");
  EXPECT_EQ(Refusal([](Receipt& r) { r.evidence.test.ids.pop_back(); }),
            "not comparable: the test items differ (60 and 59 items)");
  EXPECT_EQ(Refusal([](Receipt& r) { r.evidence.test.ids[3] = 1; }),
            "not comparable: the test items differ (60 and 60 items)");
  EXPECT_EQ(
      Refusal([](Receipt& r) { r.evidence.idle_policy = "marginal"; }),
      "not comparable: the idle policy differs, 'proportional' and 'marginal'");
  EXPECT_EQ(Refusal([](Receipt& r) { r.result.baseline = "forest"; }),
            "not comparable: the baseline differs, 'fasttext' and 'forest'");
  EXPECT_EQ(Refusal([](Receipt& r) {
              r.result.rows[0].joules_per_1000->scope = Scope::kHost;
            }),
            "not comparable: the scope of the energy differs, 'package' and "
            "'host'");
  EXPECT_EQ(Refusal([](Receipt& r) {
              r.result.rows[0].joules_per_1000->origin = Origin::kCounter;
            }),
            "not comparable: the origin of the energy differs, 'modelled' and "
            "'measured'");
  EXPECT_EQ(Refusal([](Receipt& r) { r.result.chosen = ""; }),
            "not comparable: the second receipt has no chosen model with a "
            "cost");
}

}  // namespace
}  // namespace modicum
