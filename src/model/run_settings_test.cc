// SPDX-License-Identifier: Apache-2.0
#include "model/run_settings.h"

#include <gmock/gmock.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "model/test_data.h"

namespace modicum {
namespace {

// What the instances of one model saw.
struct Seen {
  std::atomic<int> calls{0};
  std::atomic<size_t> largest{0};
};

// Answers with the item's number; fails at one item, or throws.
class Echo final : public Model {
 public:
  explicit Echo(Seen& seen, uint64_t fails_at = UINT64_MAX, bool throws = false)
      : seen_(seen), fails_at_(fails_at), throws_(throws) {
    info_.family = "echo";
  }
  const ModelInfo& info() const override { return info_; }
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    if (options.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "prediction interrupted");
    ++seen_.calls;
    size_t largest = seen_.largest;
    while (items.size() > largest &&
           !seen_.largest.compare_exchange_weak(largest, items.size())) {
    }
    sink.Begin(Phase::kPrefill);
    std::vector<Output> outputs;
    for (const Item& item : items) {
      if (item.id >= fails_at_ && throws_) throw std::runtime_error("broken");
      if (item.id >= fails_at_)
        return Fail(ErrorCode::kInvalidInput, std::to_string(item.id));
      Label label;
      label.index = static_cast<LabelIndex>(item.id);
      outputs.emplace_back(label);
    }
    return outputs;
  }

 private:
  Seen& seen_;
  const uint64_t fails_at_;
  const bool throws_;
  ModelInfo info_;
};

std::vector<Item> Items(size_t count) {
  std::vector<Item> items(count);
  for (size_t i = 0; i < count; ++i) items[i].id = i;
  return items;
}

std::unique_ptr<Model> Echoes(Seen& seen, int threads, int batch,
                              uint64_t fails_at = UINT64_MAX,
                              bool throws = false) {
  std::vector<std::unique_ptr<Model>> instances;
  for (int i = 0; i < threads; ++i)
    instances.push_back(std::make_unique<Echo>(seen, fails_at, throws));
  return WithRunSettings(std::move(instances), batch).value();
}

TEST(RunSettings, EveryThreadsAndBatchGiveTheSameOutputsInOrder) {
  NullSink sink;
  for (const int threads : {1, 2, 5}) {
    for (const int batch : {1, 7, 64, 1000}) {
      for (const size_t count : {0U, 1U, 7U, 129U}) {
        Seen seen;
        const auto model = Echoes(seen, threads, batch);
        const auto outputs = model->Predict(Items(count), {}, sink).value();
        ASSERT_EQ(outputs.size(), count);
        for (size_t i = 0; i < count; ++i)
          ASSERT_EQ(std::get<Label>(outputs[i]).index,
                    static_cast<LabelIndex>(i));
        const auto size = static_cast<size_t>(batch);
        EXPECT_EQ(static_cast<size_t>(seen.calls), (count + size - 1) / size);
        EXPECT_LE(seen.largest, size);
        EXPECT_EQ(model->info().family, "echo");
      }
    }
  }
}

// Whatever thread fails first in time, the first item's failure is told.
TEST(RunSettings, TheFirstFailureInOrderIsReturned) {
  NullSink sink;
  for (int round = 0; round < 50; ++round) {
    Seen seen;
    const auto model = Echoes(seen, 4, 3, 40);
    const auto outputs = model->Predict(Items(300), {}, sink);
    ASSERT_FALSE(outputs);
    EXPECT_EQ(outputs.error().message, "40");
    EXPECT_LT(seen.calls, 100);
  }
}

TEST(RunSettings, AnExceptionInAThreadIsAnError) {
  NullSink sink;
  Seen seen;
  const auto model = Echoes(seen, 3, 1, 0, true);
  const auto outputs = model->Predict(Items(20), {}, sink);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::kInternal);
  EXPECT_EQ(outputs.error().message, "prediction failed: broken");
}

TEST(RunSettings, StopsWhenAsked) {
  NullSink sink;
  Seen seen;
  // On the heap: GCC 12 takes one on the stack for uninitialised at -Og.
  const auto stop = std::make_unique<std::stop_source>();
  stop->request_stop();
  CallOptions options;
  options.stop = stop->get_token();
  const auto outputs = Echoes(seen, 2, 8)->Predict(Items(100), options, sink);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(seen.calls, 0);
}

// A sink hears from one thread only: the one that called.
class OneThread final : public PhaseSink {
 public:
  void Begin(Phase) override {
    EXPECT_EQ(std::this_thread::get_id(), caller_);
    ++begun;
  }
  void Step(Phase, std::span<const SeqWork>) override {}
  int begun = 0;

 private:
  const std::thread::id caller_ = std::this_thread::get_id();
};

TEST(RunSettings, PhasesComeFromTheCallersThread) {
  OneThread sink;
  Seen seen;
  ASSERT_TRUE(Echoes(seen, 4, 1)->Predict(Items(200), {}, sink));
  EXPECT_LE(sink.begun, 200);
  ASSERT_TRUE(Echoes(seen, 1, 1)->Predict(Items(3), {}, sink));
  EXPECT_GE(sink.begun, 3);
}

TEST(RunSettings, RefusesNonsense) {
  EXPECT_EQ(WithRunSettings({}, 1).error().message,
            "a model needs at least one thread");
  Seen seen;
  std::vector<std::unique_ptr<Model>> one;
  one.push_back(std::make_unique<Echo>(seen));
  EXPECT_EQ(WithRunSettings(std::move(one), 0).error().message,
            "batch = 0: a whole number of 1 or more expected");
}

}  // namespace
}  // namespace modicum
