// SPDX-License-Identifier: Apache-2.0
#include "model/cascade.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace modicum {
namespace {

// Answers `label` with the probability that the item's text states, in per
// cent, and remembers what it was asked.
class Sure final : public Model {
 public:
  Sure(LabelIndex label, std::vector<uint64_t>* asked)
      : label_(label), asked_(asked) {
    info_.engine = "sure";
    info_.engine_version = "1";
    info_.parameters = 10;
    info_.bytes = Bytes(100);
  }
  const ModelInfo& info() const override { return info_; }
  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions&, PhaseSink&) override {
    std::vector<Output> outputs;
    for (const Item& item : items) {
      asked_->push_back(item.id);
      const float p = std::stof(std::get<Text>(item.payload).text) / 100;
      outputs.emplace_back(Label{label_, {p, 1 - p}, {}});
    }
    return outputs;
  }

 private:
  LabelIndex label_;
  std::vector<uint64_t>* asked_;
  ModelInfo info_;
};

class CascadeTest : public ::testing::Test {
 protected:
  std::unique_ptr<Model> Three(double first, double second) {
    std::vector<std::unique_ptr<Model>> models;
    for (size_t i = 0; i < 3; ++i)
      models.push_back(
          std::make_unique<Sure>(static_cast<LabelIndex>(i), &asked_[i]));
    return MakeCascade({{"a", "1", first}, {"b", "2", second}, {"c", "3", 0}},
                       std::move(models));
  }
  static std::vector<Item> Items(std::initializer_list<const char*> percents) {
    std::vector<Item> items;
    for (const char* percent : percents) {
      Item item;
      item.id = items.size();
      item.payload = Text{percent};
      items.push_back(std::move(item));
    }
    return items;
  }
  std::vector<uint64_t> asked_[3];
  NullSink sink_;
};

TEST_F(CascadeTest, EveryItemIsAnsweredByTheFirstThatIsSure) {
  const auto model = Three(0.9, 0.7);
  const auto items = Items({"95", "80", "60", "91", "65", "71"});
  const auto outputs = model->Predict(items, {}, sink_);
  ASSERT_TRUE(outputs.has_value());
  std::vector<LabelIndex> labels;
  for (const Output& output : *outputs)
    labels.push_back(std::get<Label>(output).index);
  EXPECT_EQ(labels, (std::vector<LabelIndex>{0, 1, 2, 0, 2, 1}));
  EXPECT_EQ(asked_[1], (std::vector<uint64_t>{1, 2, 4, 5}));
  EXPECT_EQ(asked_[2], (std::vector<uint64_t>{2, 4}));
}

TEST_F(CascadeTest, ThresholdsZeroAndOneAskTheFirstAndAllOthers) {
  const auto items = Items({"95", "80"});
  ASSERT_TRUE(Three(0, 0)->Predict(items, {}, sink_));
  EXPECT_TRUE(asked_[1].empty());
  ASSERT_TRUE(Three(1, 1)->Predict(items, {}, sink_));
  EXPECT_EQ(asked_[2].size(), 2U);
}

TEST_F(CascadeTest, AnotherCallForgetsWhatWasFinalBefore) {
  const auto model = Three(0.9, 0.7);
  ASSERT_TRUE(model->Predict(Items({"95", "95"}), {}, sink_));
  ASSERT_TRUE(model->Predict(Items({"50", "50"}), {}, sink_));
  EXPECT_EQ(asked_[2].size(), 2U);
  EXPECT_TRUE(model->Predict({}, {}, sink_)->empty());
}

TEST_F(CascadeTest, SaysWhatItIsMadeOf) {
  const auto model = Three(0.9, 0.7);
  EXPECT_EQ(model->info().family, "cascade");
  EXPECT_EQ(model->info().engine, "sure");
  EXPECT_EQ(model->info().parameters, 30U);
  EXPECT_EQ(model->info().bytes, Bytes(300));
}

TEST(CascadeFile, IsReadBack) {
  const std::vector<CascadeStage> stages{{"linear", "1", 0.93},
                                         {"boosted", "2", 0}};
  const auto read = DecodeCascade(EncodeCascade(stages));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].family, "linear");
  EXPECT_EQ((*read)[0].threshold, 0.93);
  EXPECT_EQ((*read)[1].folder, "2");
}

TEST(CascadeFile, NothingElseIsRead) {
  const auto message = [](const std::string& text) {
    const auto read = DecodeCascade(text);
    return read ? std::string("read") : read.error().message;
  };
  const std::string good =
      EncodeCascade({{"linear", "1", 0.93}, {"boosted", "2", 0}});
  auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return message(text);
  };
  EXPECT_EQ(message(""), "cascade.json: is not a cascade of this version");
  EXPECT_EQ(message("[]"), "cascade.json: is not a cascade of this version");
  EXPECT_EQ(with("cascade-1", "cascade-2"),
            "cascade.json: is not a cascade of this version");
  EXPECT_EQ(with("\"1\"", "\"../1\""),
            "cascade.json: a stage's folder is no number");
  EXPECT_EQ(with("0.93", "1.93"),
            "cascade.json: a threshold is outside [0, 1]");
  EXPECT_EQ(with("linear", "cascade"),
            "cascade.json: a cascade within a cascade");
  EXPECT_EQ(with("\"threshold\": 0.93", "\"threshold\": \"x\""),
            "cascade.json: a stage lacks family, folder or threshold");
  EXPECT_EQ(message(EncodeCascade({{"linear", "1", 0}})),
            "cascade.json: needs two to eight stages");
}

TEST(CascadeFile, AMissingStageIsAnError) {
  const std::string folder = ::testing::TempDir() + "modicum-cascade-test";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(WriteFileAtomically(
      folder + "/cascade.json",
      EncodeCascade({{"linear", "1", 0.9}, {"linear", "2", 0}})));
  NullSink sink;
  EXPECT_FALSE(LoadCascade(folder, {"a", "b"}, sink));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace modicum
