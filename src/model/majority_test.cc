// SPDX-License-Identifier: Apache-2.0
#include "model/majority.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "model/test_data.h"

namespace modicum {
namespace {

TEST(Majority, AnswersTheMostFrequentWithItsShare) {
  const TestFolder folder;
  const Dataset data = MakeTopics(3, 20);  // 30, 20, 20
  PhaseList phases;
  Trainer& trainer = **FindTrainer("majority");
  const auto trained = trainer.Train(data, AllRowsOf(data), {}, {}, nullptr,
                                     folder.path(), phases);
  ASSERT_TRUE(trained) << trained.error().message;
  const auto model = trainer.Load(folder.path(), data.labels, phases);
  ASSERT_TRUE(model) << model.error().message;
  const auto outputs = (*model)->Predict(data.items, {}, phases);
  ASSERT_EQ(outputs->size(), data.items.size());
  for (const Output& output : *outputs) {
    EXPECT_EQ(std::get<Label>(output).index, 0);
    EXPECT_THAT(std::get<Label>(output).probabilities,
                testing::ElementsAre(testing::FloatEq(30.0F / 70),
                                     testing::FloatEq(20.0F / 70),
                                     testing::FloatEq(20.0F / 70)));
  }
  EXPECT_EQ(phases.seen,
            (std::vector{Phase::kPrepare, Phase::kTrain, Phase::kLoad,
                         Phase::kPrepare, Phase::kPrefill}));
  EXPECT_EQ((*model)->info().parameters, 3U);
}

TEST(Majority, RefusesWhatItDidNotWrite) {
  const TestFolder folder;
  NullSink sink;
  for (const char* text :
       {"", "MODMAJ1\n", "MODMAJ1\n5\n", "MODMAJ1\n5\n-1\n", "MODMAJ1\n5\n3",
        "MODMAJ1\n0\n0\n", "MODMAJ1\n5\n99999999999999999999\n"}) {
    ASSERT_TRUE(WriteFileAtomically(folder.path() + "/majority.txt", text));
    const auto model =
        (*FindTrainer("majority"))->Load(folder.path(), {"a", "b"}, sink);
    ASSERT_FALSE(model) << text;
    EXPECT_EQ(model.error().code, ErrorCode::kInvalidInput);
  }
}

}  // namespace
}  // namespace modicum
