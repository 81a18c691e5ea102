// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

// Two classes of clouds: most rows in a few dense ones, the rest far apart.
Dataset Clouds(size_t rows, uint64_t seed = 1) {
  Dataset data;
  data.labels = {"a", "b"};
  data.columns = {"x", "y", "same"};
  Rng rng(seed);
  for (size_t i = 0; i < rows; ++i) {
    const bool dense = rng.Below(10) != 0;
    const double cloud = dense ? rng.Below(3) : rng.Below(40);
    Item item;
    item.id = item.group = i;
    item.label = static_cast<LabelIndex>(rng.Below(2));
    item.payload = Numbers{{static_cast<float>(cloud * 10 + rng.Unit()),
                            static_cast<float>(rng.Unit()), 4.0F}};
    data.items.push_back(item);
  }
  return data;
}

std::vector<uint32_t> Selected(const Dataset& data, double share,
                               uint64_t seed = 1) {
  const std::vector<uint32_t> rows = AllRowsOf(data);
  Budget budget;
  budget.seed = seed;
  return CoresetPass()
      .SelectRows({data, rows, "", {}, "", {}}, Keep(share), budget)
      .value();
}

double Far(const Dataset& data, uint32_t a, uint32_t b) {
  const auto& x = std::get<Numbers>(data.items[a].payload).values;
  const auto& y = std::get<Numbers>(data.items[b].payload).values;
  return std::hypot(x[0] - y[0], x[1] - y[1]);
}

// The distance of the worst covered row from its class's nearest chosen one.
double Radius(const Dataset& data, const std::vector<uint32_t>& chosen) {
  double radius = 0;
  for (uint32_t row = 0; row < data.items.size(); ++row) {
    double nearest = INFINITY;
    for (const uint32_t center : chosen)
      if (data.items[center].label == data.items[row].label)
        nearest = std::min(nearest, Far(data, row, center));
    radius = std::max(radius, nearest);
  }
  return radius;
}

TEST(Coreset, CoversBetterThanRandomRows) {
  const Dataset data = Clouds(800);
  for (const double share : {0.5, 0.25, 0.1}) {
    const auto chosen = Selected(data, share);
    const double radius = Radius(data, chosen);
    Rng rng(9);
    for (int i = 0; i < 10; ++i) {
      std::vector<uint32_t> random = AllRowsOf(data);
      rng.Shuffle(random);
      random.resize(chosen.size());
      EXPECT_LT(radius, Radius(data, random)) << share;
    }
  }
}

TEST(Coreset, TextsToo) {
  // Nine texts of ten are one of three templates with a number; the rest have
  // words of their own.
  Dataset data;
  data.labels = {"a", "b"};
  for (size_t i = 0; i < 400; ++i) {
    const std::string n = std::to_string(i);
    const std::string text =
        i % 10 == 0 ? "only" + n + " other" + n + " rare" + n
                    : "template " + std::to_string(i % 3) + " says hello";
    data.items.push_back(TextItem(text, static_cast<LabelIndex>(i / 10 % 2)));
    data.items.back().id = data.items.back().group = i;
  }
  const auto chosen = Selected(data, 0.15);
  const auto rare = std::count_if(chosen.begin(), chosen.end(),
                                  [](uint32_t row) { return row % 10 == 0; });
  EXPECT_GE(rare, 36);  // 40 there are; at random it would be 6
}

TEST(Coreset, TheShareOfEveryClassAscendingAndSeeded) {
  Dataset data = Clouds(3000);
  data.items[7].label = 1;
  for (Item& item : data.items)
    if (item.id != 7 && item.label == 1 && item.id % 50 != 0) item.label = 0;
  const auto chosen = Selected(data, 0.1);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(std::adjacent_find(chosen.begin(), chosen.end()), chosen.end());
  EXPECT_EQ(Selected(data, 0.1), chosen);
  EXPECT_NE(Selected(data, 0.1, 2), chosen);
  for (const LabelIndex label : {0, 1}) {
    const auto of = [&](uint32_t row) {
      return data.items[row].label == label;
    };
    const auto all = AllRowsOf(data);
    const auto n = std::count_if(all.begin(), all.end(), of);
    const auto kept = std::count_if(chosen.begin(), chosen.end(), of);
    EXPECT_GE(kept, 1);
    EXPECT_NEAR(static_cast<double>(kept), 0.1 * static_cast<double>(n), 3);
  }
}

TEST(Coreset, OneRowOfAClassIsKeptAndAllOfItWhenAsked) {
  Dataset data = Clouds(40);
  for (Item& item : data.items) item.label = item.id == 3 ? 1 : 0;
  const auto few = Selected(data, 0.001);
  ASSERT_EQ(few.size(), 2U);
  EXPECT_EQ(few[0] == 3 || few[1] == 3, true);
  EXPECT_EQ(Selected(data, 1), AllRowsOf(data));
}

// Missing values, constant columns and equal rows are no trouble.
TEST(Coreset, DegenerateTables) {
  Dataset data = Clouds(50);
  for (Item& item : data.items)
    item.payload = Numbers{{NAN, 1.0F, static_cast<float>(item.id % 2)}};
  EXPECT_EQ(Selected(data, 0.5).size() >= 25, true);
}

TEST(Coreset, SaysWhyNot) {
  Dataset data = Clouds(4);
  const std::vector<uint32_t> rows = AllRowsOf(data);
  const PassInput input{data, rows, "", {}, "", {}};
  EXPECT_TRUE(CoresetPass().Accepts(input));
  data.items[2].payload = Audio{};
  EXPECT_EQ(CoresetPass().Accepts(input).error().message,
            "coreset compares texts and rows of numbers; item 2 is neither");
  EXPECT_EQ(CoresetPass().SelectRows(input, Keep(0), {}).error().message,
            "parameter keep = 0: a number from 0.001 to 1 expected");
  data.items[2].payload = data.items[1].payload;
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  EXPECT_EQ(CoresetPass().SelectRows(input, Keep(0.5), budget).error().code,
            ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace modicum
