// SPDX-License-Identifier: Apache-2.0
#include "model/embed_linear.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/letter_network.h"
#include "model/table_linear.h"

namespace modicum {
namespace {

using ::testing::HasSubstr;

// A head that answers "z" when there is more z than a.
std::string Head(uint32_t columns) {
  TableWeights weights;
  for (uint32_t c = 0; c < columns; ++c)
    weights.columns.push_back("component " + std::to_string(c + 1));
  weights.bias = {0};
  weights.mean.assign(columns, 0);
  weights.scale.assign(columns, 1);
  weights.weights.assign(columns, 0);
  weights.weights.front() = -4;
  weights.weights.back() = 4;
  return EncodeTableLinear(weights);
}

TEST(EmbedLinearModel, ReadsTheNetworksVectors) {
  auto model =
      MakeEmbedLinear(std::make_unique<LetterNetwork>(), Head(26), {"a", "z"});
  ASSERT_TRUE(model) << model.error().message;
  std::vector<Item> items(700);  // more than one call of the network
  for (size_t i = 0; i < items.size(); ++i)
    items[i].payload = Text{i % 3 == 0 ? "zzz" : "banana"};
  NullSink sink;
  const auto outputs = (*model)->Predict(items, {}, sink);
  ASSERT_TRUE(outputs) << outputs.error().message;
  ASSERT_EQ(outputs->size(), items.size());
  for (size_t i = 0; i < items.size(); ++i)
    EXPECT_EQ(std::get<Label>((*outputs)[i]).index, i % 3 == 0 ? 1 : 0);
  EXPECT_EQ((*model)->info().family, "embed+linear");
  EXPECT_GT((*model)->info().parameters, 1000U);
}

TEST(EmbedLinearModel, RefusesAHeadOfAnotherNetwork) {
  const auto model =
      MakeEmbedLinear(std::make_unique<LetterNetwork>(), Head(8), {"a", "z"});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message,
              HasSubstr("the head reads 8 components, the network fake.gguf "
                        "makes 26"));
}

TEST(EmbedLinearModel, RefusesAnItemThatIsNoText) {
  auto model =
      MakeEmbedLinear(std::make_unique<LetterNetwork>(), Head(26), {"a", "z"});
  ASSERT_TRUE(model);
  Item item;
  item.payload = Numbers{{1, 2}};
  NullSink sink;
  EXPECT_FALSE((*model)->Predict({&item, 1}, {}, sink));
}

TEST(EmbedLinearTrainer, SaysWhatItLacks) {
  Dataset data;
  data.labels = {"a", "z"};
  for (int i = 0; i < 4; ++i) {
    Item item;
    item.payload = Text{"text"};
    item.label = i % 2;
    data.items.push_back(item);
  }
  const uint32_t rows[] = {0, 1, 2, 3};
  const auto trainer = FindTrainer(kEmbedLinear);
  ASSERT_TRUE(trainer);
  NullSink sink;
  const auto none =
      (*trainer)->Train(data, rows, {}, Budget{}, nullptr, "/tmp", sink);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "family embed+linear needs a network");
  const auto missing = (*trainer)->Train(
      data, rows,
      {{"model", std::string("no.gguf")}, {"sha256", std::string("00")}},
      Budget{}, nullptr, "/tmp", sink);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace modicum
