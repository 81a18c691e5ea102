// SPDX-License-Identifier: Apache-2.0
// The encoder family through its module: trained, loaded, asked, refused.
#include <gmock/gmock.h>

#include <stop_token>

#include "base/file.h"
#include "model/bytes.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "model/network_file.h"
#include "model/neural_classifier.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::HasSubstr;

Params SmallParams() {
  return {{"width", int64_t{32}},   {"vocabulary", int64_t{150}},
          {"epochs", int64_t{20}},  {"batch", int64_t{16}},
          {"context", int64_t{24}}, {"rate", 5e-3}};
}

// Each text a group of its own.
Dataset Topics(size_t per_class, uint64_t seed) {
  Dataset data = MakeTopics(3, per_class, seed);
  for (Item& item : data.items) item.group = item.id;
  return data;
}

Result<TrainedModel> TrainInto(const std::string& folder, const Dataset& data,
                               const Params& params,
                               const Budget& budget = {}) {
  NullSink sink;
  MODICUM_TRY(Trainer * trainer, FindTrainer("encoder"));
  MODICUM_RETURN_IF_ERROR(trainer->Accepts(data));
  return trainer->Train(data, AllRowsOf(data), params, budget, nullptr, folder,
                        sink);
}

TEST(Encoder, LearnsAndReportsPhases) {
  const Dataset train = Topics(60, 1), test = Topics(20, 2);
  const TestFolder folder;
  const auto trained = TrainInto(folder.path(), train, SmallParams());
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_EQ(trained->files, std::vector<std::string>{kNetworkFile});
  PhaseList phases;
  const auto model = LoadModel("encoder", folder.path(), train.labels, phases);
  ASSERT_TRUE(model) << model.error().message;
  const auto outputs = (*model)->Predict(test.items, {}, phases);
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_GE(AccuracyOf(*outputs, test.items), 0.95);
  for (const Output& output : *outputs) {
    float sum = 0;
    for (const float p : std::get<Label>(output).probabilities) sum += p;
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(phases.seen, (std::vector<Phase>{Phase::kLoad, Phase::kPrepare,
                                             Phase::kPrefill}));
  EXPECT_EQ((*model)->info().engine, "llama.cpp");
  EXPECT_GT((*model)->info().parameters, 150U * 32U);
  EXPECT_TRUE((*model)->Predict({}, {}, phases)->empty());
}

TEST(Encoder, EqualSeedsGiveEqualFiles) {
  const Dataset data = Topics(20, 1);
  Params params = SmallParams();
  params["epochs"] = int64_t{2};
  const auto bytes = [&](uint64_t seed) {
    const TestFolder folder;
    Budget budget;
    budget.seed = seed;
    EXPECT_TRUE(TrainInto(folder.path(), data, params, budget));
    return *ReadWholeFile(folder.path() + "/" + kNetworkFile, 1 << 24);
  };
  const std::string once = bytes(1);
  EXPECT_TRUE(bytes(1) == once);
  EXPECT_FALSE(bytes(2) == once);
}

// Texts without labels beside its own.
TEST(Encoder, LearnsTheLanguageFirst) {
  const Dataset data = Topics(20, 1);
  const TestFolder folder;
  std::string lines;
  for (const Item& item : Topics(10, 3).items)
    lines += "{\"body\":\"" + std::get<Text>(item.payload).text + "\"}\n";
  const std::string texts = folder.path() + "/texts.jsonl";
  ASSERT_TRUE(WriteFileAtomically(texts, lines));
  Params params = SmallParams();
  params["epochs"] = int64_t{2};
  const auto bytes = [&] {
    const TestFolder own;
    const auto trained = TrainInto(own.path(), data, params);
    EXPECT_TRUE(trained) << trained.error().message;
    return *ReadWholeFile(own.path() + "/" + kNetworkFile, 1 << 24);
  };
  const std::string plain = bytes();
  params["pretrain"] = int64_t{2};
  const std::string pretrained = bytes();
  EXPECT_TRUE(bytes() == pretrained);
  EXPECT_FALSE(plain == pretrained);
  params["unlabelled"] = texts;
  params["unlabelled_text"] = std::string("body");
  EXPECT_FALSE(bytes() == pretrained);
  params["unlabelled_sha256"] = std::string(64, '0');
  EXPECT_EQ(TrainInto(folder.path(), data, params).error().message,
            texts + " changed while it was used");
  params["unlabelled_text"] = std::string("txt");
  EXPECT_THAT(TrainInto(folder.path(), data, params).error().message,
              HasSubstr(texts + ":1: "));
}

// Asks to stop when it is asked the time for the nth time, which a checkpoint
// does after each step.
class StoppingClock final : public Clock {
 public:
  void StopAt(int count, std::stop_source stop) {
    left_ = count;
    stop_ = std::move(stop);
  }
  MonotonicTime Now() const override {
    if (--left_ == 0) stop_.request_stop();
    return {};
  }
  WallTime WallNow() const override { return {}; }
  void SleepUntil(MonotonicTime) override {}

 private:
  mutable int left_ = 0;
  mutable std::stop_source stop_;
};

// Stopped in the second step, then while it learns its task: that does not
// begin with the language again.
TEST(Encoder, GoesOnAfterPretraining) {
  const Dataset data = Topics(20, 1);
  Params params = SmallParams();
  params["epochs"] = int64_t{3};
  params["pretrain"] = int64_t{1};
  const TestFolder folder;
  ASSERT_TRUE(TrainInto(folder.path(), data, params));
  const std::string path = folder.path() + "/" + kNetworkFile;
  const std::string whole = *ReadWholeFile(path, 1 << 24);
  StoppingClock clock;
  Checkpoint checkpoint(folder.path() + "/state", Seconds(0), clock);
  const auto train = [&](int stop_at) {
    std::stop_source stop;
    clock.StopAt(stop_at, stop);
    Budget budget;
    budget.stop = stop.get_token();
    NullSink sink;
    return (*FindTrainer("encoder"))
        ->Train(data, AllRowsOf(data), params, budget, &checkpoint,
                folder.path(), sink);
  };
  for (const int stop_at : {2, 12}) {
    const auto stopped = train(stop_at);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
  }
  ASSERT_TRUE(train(-1));
  EXPECT_TRUE(*ReadWholeFile(path, 1 << 24) == whole);
  EXPECT_FALSE(std::filesystem::exists(checkpoint.path()));
}

TEST(Encoder, RefusesParametersItCannotUse) {
  const Dataset data = Topics(5, 1);
  const TestFolder folder;
  const auto message = [&](const Params& params) {
    return TrainInto(folder.path(), data, params).error().message;
  };
  EXPECT_EQ(message({{"widht", int64_t{64}}}),
            "family encoder has no parameter 'widht', did you mean 'width'?");
  EXPECT_EQ(message({{"width", int64_t{50}}}),
            "parameter width = 50: a multiple of 32 expected");
  EXPECT_THAT(message({{"layers", int64_t{0}}}), HasSubstr("layers = 0"));
}

TEST(Encoder, ReadsNoTables) {
  Dataset data = Topics(5, 1);
  data.columns = {"x"};
  const auto trained = TrainInto(TestFolder().path(), data, SmallParams());
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::kUnavailable);
}

TEST(Encoder, NeedsItsMemory) {
  const TestFolder folder;
  Budget budget;
  budget.memory = Bytes(1e6);
  Params params = SmallParams();
  params["width"] = int64_t{1024};
  const auto trained = TrainInto(folder.path(), Topics(20, 1), params, budget);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(trained.error().message, HasSubstr("the budget of 1.0 MB"));
}

TEST(Encoder, StopsAndLeavesNothing) {
  const TestFolder folder;
  const auto stop = std::make_unique<std::stop_source>();
  stop->request_stop();
  Budget budget;
  budget.stop = stop->get_token();
  const auto trained =
      TrainInto(folder.path(), Topics(20, 1), SmallParams(), budget);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::kInterrupted);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Encoder, RefusesFilesItDidNotWrite) {
  const Dataset data = Topics(20, 1);
  const TestFolder folder;
  Params params = SmallParams();
  params["epochs"] = int64_t{1};
  ASSERT_TRUE(TrainInto(folder.path(), data, params));
  NullSink sink;
  const auto other = LoadModel("encoder", folder.path(), {"a", "b", "c"}, sink);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(other.error().message,
              HasSubstr("its labels are not the model's: class-0, class-1, "
                        "class-2 instead of a, b, c"));
  const std::string path = folder.path() + "/" + kNetworkFile;
  const std::string bytes = *ReadWholeFile(path, 1 << 24);
  ASSERT_TRUE(WriteFileAtomically(path, bytes.substr(0, bytes.size() / 2)));
  EXPECT_EQ(LoadModel("encoder", folder.path(), data.labels, sink).error().code,
            ErrorCode::kInvalidInput);
}

TEST(Encoder, SaysThatItCannotExplain) {
  const Dataset data = Topics(20, 1);
  const TestFolder folder;
  Params params = SmallParams();
  params["epochs"] = int64_t{1};
  ASSERT_TRUE(TrainInto(folder.path(), data, params));
  NullSink sink;
  const auto model = LoadModel("encoder", folder.path(), data.labels, sink);
  ASSERT_TRUE(model);
  CallOptions options;
  options.explain = 3;
  const auto outputs = (*model)->Predict(data.items, options, sink);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(outputs.error().message, HasSubstr("cannot explain"));
}

}  // namespace
}  // namespace modicum
