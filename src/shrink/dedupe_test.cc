// SPDX-License-Identifier: Apache-2.0
#include "shrink/passes.h"
#include "shrink/test_passes.h"

namespace modicum {
namespace {

using testing::ElementsAre;

// Ids from 0, each a group of its own.
Dataset Texts(std::vector<std::pair<std::string, LabelIndex>> items) {
  Dataset data;
  data.labels = {"a", "b"};
  for (auto& [text, label] : items) {
    data.items.push_back(TextItem(text, label));
    data.items.back().id = data.items.back().group = data.items.size() - 1;
  }
  return data;
}

std::vector<uint32_t> Selected(const Dataset& data,
                               std::vector<uint32_t> rows) {
  const PassInput input{data, rows, "", {}, "", {}};
  return DedupePass().SelectRows(input, {}, Budget{}).value();
}

TEST(Dedupe, OneOfEachGroupAndOfExactCopiesPerLabel) {
  Dataset data = Texts({{"one", 0},
                        {"two", 1},
                        {"one", 0},
                        {"one", 1},
                        {"near two", 1},
                        {"near two", 0}});
  data.items[4].group = data.items[1].group;
  EXPECT_THAT(Selected(data, {0, 1, 2, 3, 4, 5}), ElementsAre(0, 1, 3, 5));
  // In ascending order whatever the order of the rows.
  EXPECT_THAT(Selected(data, {5, 4, 3, 2, 1, 0}), ElementsAre(0, 1, 3, 5));
  // Rows not given are not looked at.
  EXPECT_THAT(Selected(data, {2, 4}), ElementsAre(2, 4));
}

TEST(Dedupe, RowsOfNumbersAreCompared) {
  Dataset data;
  data.labels = {"a", "b"};
  data.columns = {"x", "y"};
  for (const float y : {1.0F, 2.0F, 1.0F}) {
    Item item;
    item.payload = Numbers{{0.5F, y}};
    item.label = 0;
    item.id = item.group = data.items.size();
    data.items.push_back(item);
  }
  EXPECT_THAT(Selected(data, {0, 1, 2}), ElementsAre(0, 1));
}

TEST(Dedupe, DoingItTwiceIsDoingItOnce) {
  Dataset data = MakeZipfTexts(3, 200);
  for (Item& item : data.items) item.group = item.id % 60;
  const auto once = Selected(data, AllRowsOf(data));
  EXPECT_LT(once.size(), 200U);
  EXPECT_EQ(Selected(data, once), once);
  EXPECT_FALSE(DedupePass().Accepts({data, once, "", {}, "", {}}));
}

TEST(Dedupe, SaysWhyNot) {
  const Dataset data = Texts({{"one", 0}, {"two", 1}});
  const std::vector<uint32_t> rows{0, 1};
  const PassInput input{data, rows, "", {}, "", {}};
  EXPECT_EQ(DedupePass().Accepts(input).error().message,
            "no two of the 2 rows are near-duplicates");
  EXPECT_EQ(DedupePass().SelectRows(input, {{"keep", 1.0}}, {}).error().message,
            "pass dedupe has no parameter 'keep'");
  EXPECT_TRUE(DedupePass().on_data());
  NullSink sink;
  EXPECT_EQ(DedupePass().Apply(input, {}, {}, "", sink).error().message,
            "pass dedupe does not rewrite models");
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  EXPECT_EQ(DedupePass().SelectRows(input, {}, budget).error().code,
            ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace modicum
