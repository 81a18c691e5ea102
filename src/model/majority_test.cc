// SPDX-License-Identifier: Apache-2.0
#include "model/majority.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/file.h"
#include "model/test_data.h"
#include "model/test_tables.h"

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

TEST(Majority, TakesTablesToo) {
  const TestFolder folder;
  const Dataset data = MakeTable(2, 5, 3);
  NullSink sink;
  Trainer& trainer = **FindTrainer("majority");
  ASSERT_TRUE(trainer.Accepts(data));
  ASSERT_TRUE(trainer.Train(data, AllRowsOf(data), {}, {}, nullptr,
                            folder.path(), sink));
  const auto model = trainer.Load(folder.path(), data.labels, sink);
  const auto outputs = (*model)->Predict(data.items, {}, sink);
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_EQ(AccuracyOf(*outputs, data.items), 0.5);
}

TEST(Majority, ExplainsByTheLogOddsOfItsShare) {
  const TestFolder folder;
  const Dataset data = MakeTopics(2, 20);  // 30 against 20
  NullSink sink;
  Trainer& trainer = **FindTrainer("majority");
  ASSERT_TRUE(trainer.Train(data, AllRowsOf(data), {}, {}, nullptr,
                            folder.path(), sink));
  const auto model = trainer.Load(folder.path(), data.labels, sink);
  CallOptions options;
  options.explain = 3;
  const auto outputs = (*model)->Predict(data.items, options, sink).value();
  const auto& label = std::get<Label>(outputs[0]);
  ASSERT_EQ(label.reasons.size(), 1U);
  EXPECT_EQ(label.reasons[0].feature, "prior share");
  EXPECT_NEAR(label.reasons[0].effect, std::log(30.0 / 20), 1e-6);
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
