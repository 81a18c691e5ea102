// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dataset/dataset.h"

namespace modicum {
namespace {

Dataset Labelled(std::vector<std::string> labels, std::vector<int> counts) {
  Dataset data;
  data.name = "mail";
  data.labels = std::move(labels);
  for (size_t label = 0; label < counts.size(); ++label)
    for (int i = 0; i < counts[label]; ++i) {
      Item item;
      item.id = item.group = data.items.size();
      item.label = static_cast<LabelIndex>(label);
      item.payload = Text{"one two\nthree"};
      data.items.push_back(std::move(item));
    }
  return data;
}

std::string ErrorOf(const Dataset& data, size_t min_per_class = 2) {
  const Status status = CheckTrainable(data, min_per_class);
  return status ? "" : status.error().message;
}

TEST(CheckTrainable, NamesTheClassAtFault) {
  EXPECT_EQ(ErrorOf(Labelled({"ham", "spam"}, {5, 2})), "");
  EXPECT_EQ(ErrorOf(Labelled({}, {})), "mail: no labels");
  EXPECT_EQ(ErrorOf(Labelled({"ham"}, {5})),
            "mail: one class only, 'ham' (5 rows)");
  EXPECT_EQ(ErrorOf(Labelled({"ham", "spam"}, {5, 1})),
            "mail: class 'spam' has 1 row, at least 2 are needed");
}

TEST(CheckTrainable, LabelsThatDifferInCaseOrSpaceOnly) {
  EXPECT_EQ(ErrorOf(Labelled({"Spam", "ham", "spam"}, {1, 9, 9})),
            "mail: classes 'Spam' (1 row) and 'spam' (9 rows) differ only in "
            "case or space");
  EXPECT_EQ(ErrorOf(Labelled({"not spam", "notspam "}, {3, 3})),
            "mail: classes 'not spam' (3 rows) and 'notspam ' (3 rows) differ "
            "only in case or space");
}

TEST(Summarize, CountsClassesWordsBytesAndNearDuplicates) {
  Dataset data = Labelled({"ham", "spam"}, {3, 1});
  data.items[0].payload = Text{""};
  data.items[1].payload = Text{"a b c d e f g h i j"};
  data.items[3].group = data.items[2].group;
  const DatasetSummary summary = Summarize(data);
  EXPECT_EQ(summary.items, 4U);
  EXPECT_EQ(summary.near_duplicates, 2U);
  ASSERT_EQ(summary.classes.size(), 2U);
  EXPECT_EQ(summary.classes[0].label, "ham");
  EXPECT_EQ(summary.classes[0].items, 3U);
  EXPECT_EQ(summary.words_p50, 3U);
  EXPECT_EQ(summary.words_max, 10U);
  EXPECT_EQ(summary.bytes, 13U + 13U + 19U);
}

TEST(Summarize, NothingIsZero) {
  const DatasetSummary summary = Summarize(Dataset{});
  EXPECT_EQ(summary.items, 0U);
  EXPECT_EQ(summary.words_max, 0U);
}

}  // namespace
}  // namespace modicum
