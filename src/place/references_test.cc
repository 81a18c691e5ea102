// SPDX-License-Identifier: Apache-2.0
#include "place/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/csv.h"
#include "data/power_hungry.h"
#include "data/published_energy.h"

namespace modicum {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Reference Find(std::string_view kind, std::string_view name) {
  for (const Reference& row : ReferencesFor(kind))
    if (row.name == name) return row;
  ADD_FAILURE() << "no reference " << name << " of " << kind;
  return {};
}

std::set<std::string> Kinds() {
  const EmbeddedTable table(kPowerHungryCsv);
  std::set<std::string> kinds = {"tabular-classification"};
  for (size_t i = 0; i < table.size(); ++i) kinds.insert(table.at(i, "task"));
  return kinds;
}

TEST(References, EveryRowOfEveryKindIsWhole) {
  for (const std::string& kind : Kinds()) {
    std::set<std::string> names;
    for (const Reference& row : ReferencesFor(kind)) {
      SCOPED_TRACE(kind + ": " + row.name);
      EXPECT_TRUE(names.insert(row.name).second);
      EXPECT_GT(row.joules_per_1000, 0);
      if (row.high > 0) {
        EXPECT_LT(row.low, row.joules_per_1000);
        EXPECT_GT(row.high, row.joules_per_1000);
        EXPECT_GT(row.low, 0);
        // Symmetric on a log scale, as an Estimate's interval is.
        EXPECT_NEAR(row.low * row.high,
                    row.joules_per_1000 * row.joules_per_1000,
                    1e-6 * row.low * row.high);
      }
      EXPECT_FALSE(row.scope.empty());
      EXPECT_FALSE(row.source.empty());
      EXPECT_EQ(row.date.size(), 4U);
      EXPECT_FALSE(row.quality.has_value());  // of other data than the task's
    }
  }
}

// Published: 2.3 Wh a thousand for text classification; 4.67 g for BLOOMz-7B
// at the logs' 138.7 g/kWh are 33.7 Wh.
TEST(References, TextClassificationAsPublished) {
  const Reference mean =
      Find("text-classification", "8 fine-tuned classifiers, mean");
  EXPECT_DOUBLE_EQ(mean.joules_per_1000, 2.3 * 3600);
  EXPECT_NEAR(mean.high / mean.joules_per_1000, std::exp(1.645 * 0.9 / 2.3),
              1e-3);
  EXPECT_EQ(mean.scope,
            "node of 8 A100, RAM as a constant 431 W, CPU as 42.5 W; about "
            "15 % of it the GPU that worked");
  EXPECT_FALSE(mean.planned);

  const Reference bloomz = Find("text-classification", "BLOOMz-7B, zero-shot");
  EXPECT_NEAR(bloomz.joules_per_1000, 121200, 50);
  EXPECT_THAT(bloomz.source, EndsWith("; accuracy 0.944 on SST-2"));

  const Reference gpu =
      Find("text-classification", "BLOOMz-7B, zero-shot, its GPU alone");
  EXPECT_NEAR(gpu.joules_per_1000, 0.15 * bloomz.joules_per_1000, 1e-6);
  EXPECT_TRUE(gpu.planned);  // computed, not measured
  EXPECT_THAT(gpu.scope, HasSubstr("one A100"));
  // The shares of all tasks but image generation lie inside the interval.
  EXPECT_LT(gpu.low, 0.12 * bloomz.joules_per_1000);
  EXPECT_GT(gpu.high, 0.185 * bloomz.joules_per_1000);
}

TEST(References, AGeneralModelTakesTenTimesATrainedOne) {
  EXPECT_GT(Find("text-classification", "BLOOMz-7B, zero-shot").joules_per_1000,
            10 * Find("text-classification", "DistilBERT SST-2, fine-tuned")
                     .joules_per_1000);
}

TEST(References, AKindThatNobodyMeasuredHasTheAssistantsOnly) {
  const auto rows = ReferencesFor("tabular-classification");
  ASSERT_EQ(rows.size(), EmbeddedTable(kPublishedEnergyCsv).size());
  EXPECT_DOUBLE_EQ(rows[0].joules_per_1000, 0.24 * 3600 * 1000);
  EXPECT_EQ(rows[0].low, rows[0].high);  // its spread is not published
  for (const Reference& row : rows)
    EXPECT_THAT(row.scope, EndsWith("not a prediction"));
}

TEST(References, QuartilesBecomeA90PercentInterval) {
  const Reference row = Find("any", "LLM over 200B parameters, median query");
  // ln(0.60 / 0.16) is 2 x 0.6745 sd; 90 % is 1.645 to each side.
  const double sd = std::log(0.60 / 0.16) / (2 * 0.67449);
  EXPECT_NEAR(row.high / row.joules_per_1000, std::exp(1.64485 * sd), 1e-3);
  EXPECT_TRUE(row.planned);
}

// The study's own statement: carbon is energy at one intensity, so the mean
// rows' grams and watt-hours agree to their printed digits.
TEST(PowerHungry, GramsAndWattHoursAgree) {
  const EmbeddedTable table(kPowerHungryCsv);
  for (size_t i = 0; i < table.size(); ++i) {
    const auto g = table.number(i, "g");
    const auto wh = table.number(i, "wh");
    if (g && wh) {
      EXPECT_NEAR(*g / *wh * 1000, 138.7, 2.5) << table.at(i, "name");
    }
    EXPECT_TRUE(g || wh) << table.at(i, "name");
  }
}

TEST(PowerHungry, EveryTaskBeginsWithItsMean) {
  const EmbeddedTable table(kPowerHungryCsv);
  std::map<std::string, std::string> first;
  for (size_t i = 0; i < table.size(); ++i) {
    first.try_emplace(table.at(i, "task"), table.at(i, "way"));
    EXPECT_THAT(table.at(i, "way"),
                testing::AnyOf("mean", "fine-tuned", "zero-shot"));
    EXPECT_THAT(table.at(i, "shown"), testing::AnyOf("", "node", "gpu"));
    const auto share = table.number(i, "gpu_share");
    EXPECT_EQ(share.has_value(), table.at(i, "way") == "mean");
    if (share) {
      EXPECT_GE(*share, 0.12);
      EXPECT_LE(*share, 0.28);
    }
    const auto quality = table.number(i, "quality");
    if (quality) {
      EXPECT_GT(*quality, 0);
      EXPECT_LT(*quality, 1);
      EXPECT_FALSE(table.at(i, "dataset").empty());
    }
  }
  for (const auto& [task, way] : first) EXPECT_EQ(way, "mean") << task;
}

}  // namespace
}  // namespace modicum
