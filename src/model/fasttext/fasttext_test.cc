// SPDX-License-Identifier: Apache-2.0
// The fastText family through its module, and the check of its files.
#include <gmock/gmock.h>

#include "base/file.h"
#include "model/bytes.h"
#include "model/engine.h"
#include "model/fasttext/fasttext_file.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

constexpr char kRefused[] = "not a fastText model this program wrote: ";

const Params& SmallParams() {
  static const Params params{
      {"dim", int64_t{8}}, {"buckets", int64_t{200}}, {"epochs", int64_t{20}}};
  return params;
}

Result<TrainedModel> TrainInto(const std::string& folder, const Dataset& data,
                               const Params& params, uint64_t seed = 1) {
  NullSink sink;
  Budget budget;
  budget.seed = seed;
  MODICUM_TRY(Trainer * trainer, FindTrainer("fasttext"));
  return trainer->Train(data, AllRowsOf(data), params, budget, nullptr, folder,
                        sink);
}

std::string TrainBytes(const Dataset& data, uint64_t seed = 1) {
  const TestFolder folder;
  const auto trained = TrainInto(folder.path(), data, SmallParams(), seed);
  EXPECT_TRUE(trained) << trained.error().message;
  // The text it trained on is gone.
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/train.tmp"));
  return *ReadWholeFile(folder.path() + "/" + kFastTextFile, 1 << 24);
}

TEST(FastText, LearnsAndReportsPhases) {
  const Dataset train = MakeTopics(3, 60, 1);
  const Dataset test = MakeTopics(3, 20, 2);
  const TestFolder folder;
  ASSERT_TRUE(TrainInto(folder.path(), train, SmallParams()));
  PhaseList phases;
  const auto model = LoadModel("fasttext", folder.path(), train.labels, phases);
  ASSERT_TRUE(model) << model.error().message;
  const auto outputs = (*model)->Predict(test.items, {}, phases);
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_GE(AccuracyOf(*outputs, test.items), 0.95);
  for (const Output& output : *outputs) {
    float sum = 0;
    for (const float p : std::get<Label>(output).probabilities) sum += p;
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(phases.seen[0], Phase::kLoad);
  EXPECT_EQ(phases.seen[1], Phase::kPrepare);
  EXPECT_EQ(phases.seen[2], Phase::kPrefill);
  EXPECT_EQ((*model)->info().labels, train.labels);
  EXPECT_GT((*model)->info().parameters, 200U * 8);
}

TEST(FastText, EqualSeedsGiveEqualBytes) {
  const Dataset data = MakeTopics(2, 40);
  const std::string once = TrainBytes(data, 1);
  EXPECT_EQ(TrainBytes(data, 1), once);
  EXPECT_NE(TrainBytes(data, 2), once);
}

TEST(FastText, ATextWithoutWordsGetsAnAnswer) {
  const Dataset data = MakeTopics(2, 40);
  const TestFolder folder;
  ASSERT_TRUE(TrainInto(folder.path(), data, SmallParams()));
  NullSink sink;
  const auto model = LoadModel("fasttext", folder.path(), data.labels, sink);
  const std::vector<Item> items{TextItem(""), TextItem("\n\n"),
                                TextItem("__LABEL__1 </s> never seen")};
  const auto outputs = (*model)->Predict(items, {}, sink);
  ASSERT_TRUE(outputs) << outputs.error().message;
  for (const Output& output : *outputs)
    EXPECT_THAT(std::get<Label>(output).probabilities, testing::SizeIs(2));
}

TEST(FastText, BlanksAndCaseDoNotMatter) {
  const Dataset data = MakeTopics(2, 40);
  const TestFolder folder;
  ASSERT_TRUE(TrainInto(folder.path(), data, SmallParams()));
  NullSink sink;
  const auto model = LoadModel("fasttext", folder.path(), data.labels, sink);
  const std::vector<Item> items{TextItem("t0w1 w3 t0w5"),
                                TextItem(" T0W1\r\nw3\t\tT0w5 ")};
  const auto outputs = (*model)->Predict(items, {}, sink);
  EXPECT_EQ(std::get<Label>((*outputs)[0]).probabilities,
            std::get<Label>((*outputs)[1]).probabilities);
}

TEST(FastText, StopsWhileTraining) {
  const Dataset data = MakeTopics(2, 40);
  const TestFolder folder;
  NullSink sink;
  std::stop_source stop;
  stop.request_stop();
  Budget budget;
  budget.stop = stop.get_token();
  const auto trained = (*FindTrainer("fasttext"))
                           ->Train(data, AllRowsOf(data), SmallParams(), budget,
                                   nullptr, folder.path(), sink);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FastText, RefusesBadParameters) {
  const Dataset data = MakeTopics(2, 5);
  const TestFolder folder;
  const auto message = [&](const Params& params) {
    return TrainInto(folder.path(), data, params).error().message;
  };
  EXPECT_EQ(message({{"dims", int64_t{3}}}),
            "family fasttext has no parameter 'dims', did you mean 'dim'?");
  EXPECT_EQ(message({{"dim", int64_t{0}}}),
            "parameter dim = 0: a whole number from 1 to 1000 expected");
  EXPECT_EQ(message({{"dim", int64_t{1000}}, {"buckets", int64_t{10000000}}}),
            "fastText's buckets need 40000 MB, more than the budget");
}

TEST(FastTextFile, EveryTruncationIsRefusedBeforeTheLibrarySeesIt) {
  const std::string bytes = TrainBytes(MakeTopics(2, 10));
  const auto shape = CheckFastTextFile(bytes, 2);
  ASSERT_TRUE(shape) << shape.error().message;
  EXPECT_EQ(shape->dim, 8U);
  EXPECT_EQ(shape->buckets, 200U);
  EXPECT_EQ(shape->labels, 2U);
  for (size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(CheckFastTextFile(std::string_view(bytes).substr(0, n), 2))
        << n;
  EXPECT_EQ(CheckFastTextFile(bytes + "x", 2).error().message,
            std::string(kRefused) + "it is longer than its header says");
}

TEST(FastTextFile, AlteredFieldsAreRefused) {
  const std::string bytes = TrainBytes(MakeTopics(2, 10));
  const auto altered = [&](size_t at, int32_t value) {
    std::string copy = bytes;
    std::memcpy(copy.data() + at, &value, sizeof(value));
    const auto shape = CheckFastTextFile(copy, 2);
    return shape ? "accepted" : shape.error().message;
  };
  // Magic, version; dim, word n-grams, loss, model, bucket, minn; sizes.
  EXPECT_THAT(altered(0, 1), StartsWith(kRefused));
  EXPECT_THAT(altered(4, 11), StartsWith(kRefused));
  EXPECT_THAT(altered(8, 1 << 30), StartsWith(kRefused));
  EXPECT_THAT(altered(8 + 5 * 4, 0), StartsWith(kRefused));
  EXPECT_THAT(altered(8 + 6 * 4, 1), StartsWith(kRefused));
  EXPECT_THAT(altered(8 + 7 * 4, 1), StartsWith(kRefused));
  EXPECT_THAT(altered(8 + 8 * 4, 0), StartsWith(kRefused));
  EXPECT_THAT(altered(8 + 9 * 4, -1), StartsWith(kRefused));
  EXPECT_THAT(altered(64, -1), StartsWith(kRefused));
  EXPECT_THAT(altered(68, INT32_MAX), StartsWith(kRefused));
  // One class more in the file than the card has.
  EXPECT_FALSE(CheckFastTextFile(bytes, 1));
}

TEST(FastTextFile, LoaderRefusesWhatTheCheckRefuses) {
  const TestFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() + "/" + kFastTextFile, "x"));
  NullSink sink;
  const auto model = LoadModel("fasttext", folder.path(), {"a", "b"}, sink);
  ASSERT_FALSE(model);
  EXPECT_EQ(
      model.error().message,
      std::string(kRefused) + "its first bytes are not those of version 12");
}

TEST(CleanForFastText, OneLineLowerCasePunctuationApart) {
  EXPECT_EQ(CleanForFastText("Buy NOW!\nÉté_9"), "buy now !  été_9");
  EXPECT_EQ(CleanForFastText("__LABEL__0 </s>"), "__label__0  <  / s > ");
}

}  // namespace
}  // namespace modicum
