// SPDX-License-Identifier: Apache-2.0
// From data to figures, with an engine that learns nothing: whose tags are
// right where the first letter of a word is a vowel.
#include "train/train_head.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "dataset/temp_folder.h"
#include "model/fake_headed_encoder.h"

namespace modicum {
namespace {

class FakeTrainer final : public NeuralEngine {
 public:
  void SetGuard(NetworkGuard) override {}
  [[noreturn]] void TryAndEnd(std::span<const std::string>) override {
    std::abort();
  }
  Status CheckEncoderBase(const std::string&) override { return {}; }
  std::string_view name() const override { return "fake"; }
  std::string_view version() const override { return "1"; }
  Result<std::unique_ptr<NeuralModel>> Open(const std::string&,
                                            const NeuralSettings&,
                                            const std::function<void(double)>&,
                                            const CallOptions&,
                                            PhaseSink&) override {
    return Fail(ErrorCode::kUnavailable, "not here");
  }
  Status Quantize(const std::string&, const std::string&,
                  const QuantizeOptions&) override {
    return Fail(ErrorCode::kUnavailable, "not here");
  }
  Result<std::unique_ptr<HeadedEncoder>> OpenHeaded(const std::string&,
                                                    const NeuralSettings&,
                                                    const CallOptions&,
                                                    PhaseSink&) override {
    return std::unique_ptr<HeadedEncoder>(Tagger());
  }
  Status TrainHead(const HeadJob& job, PhaseSink&) override {
    const auto tagger = Tagger();
    for (uint32_t epoch = 0; epoch < 2; ++epoch) {
      MODICUM_TRY(const double quality, job.judge(*tagger));
      job.on_step(epoch + 1, 2);
      job.on_epoch({epoch, 0.5, quality});
    }
    MODICUM_RETURN_IF_ERROR(job.checkpoint->Save(Hash{}, "state"));
    if (stops) return Fail(ErrorCode::kInterrupted, "training interrupted");
    return {};
  }

  bool stops = false;

 private:
  // Label 0, "B-V", for a vowel, else 1, "O".
  static std::unique_ptr<FakeHeadedEncoder> Tagger() {
    auto tagger = std::make_unique<FakeHeadedEncoder>(
        HeadKind::kTokenClassification,
        [](const AskedText& text, uint32_t place) -> std::vector<float> {
          const auto first = static_cast<char>(text.tokens[place]);
          const bool vowel =
              std::string_view("AEIOU").find(first) != std::string_view::npos;
          return {vowel ? 1.0F : 0.0F, vowel ? 0.0F : 1.0F};
        });
    tagger->facts().labels = {"B-V", "O"};
    return tagger;
  }
};

class TrainHeadFlow : public testing::Test {
 protected:
  TrainHeadFlow() {
    task_.name = "vowels";
    task_.train = folder_.Write("train.jsonl",
                                Line("a b", "B-V O") + Line("b e", "O B-V"));
    task_.validation = folder_.Write("validation.jsonl", Line("o u", "B-V O"));
    std::string test;
    for (int i = 0; i < 20; ++i) test += Line("a i c", "B-V B-V O");
    task_.test = folder_.Write("test.jsonl", test);
  }
  static std::string Line(const std::string& words, const std::string& tags) {
    const auto list = [](std::string text) {
      for (size_t at = 0; (at = text.find(' ', at)) != text.npos; at += 3)
        text.replace(at, 1, "\",\"");
      return "[\"" + text + "\"]";
    };
    return "{\"tokens\":" + list(words) + ",\"tags\":" + list(tags) + "}\n";
  }
  Result<TrainResult> Run() {
    MODICUM_TRY(const HeadData data, LoadHeadData(task_));
    TrainParts parts{engine_, "v.gguf", checkpoint_, {}, 1, sink_};
    parts.progress = [this](uint64_t done, uint64_t all, std::string_view) {
      steps_ += std::to_string(done) + "/" + std::to_string(all) + " ";
    };
    return TrainHead(task_, data, parts);
  }

  TempFolder folder_;
  HeadTask task_;
  FakeTrainer engine_;
  Checkpoint checkpoint_{folder_.path() + "/state"};
  NullSink sink_;
  std::string steps_;
};

TEST_F(TrainHeadFlow, HasFiguresBesideATableOfWords) {
  const auto result = Run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->kind, "token-classification");
  EXPECT_EQ(result->epochs.size(), 2U);
  EXPECT_EQ(steps_, "1/2 2/2 ");
  // Of two tags one is right, and one too many: F1 is 2/3.
  EXPECT_NEAR(result->epochs[1].quality, 2.0 / 3, 1e-12);
  EXPECT_NEAR(result->validation.network.mid, 2.0 / 3, 1e-12);
  EXPECT_EQ(result->test->network.mid, 1);
  // The table knows "a" alone; "i" has the tag that is first among equals.
  EXPECT_EQ(result->test->baseline.mid, 1.0 * 2 * 2 / (2 + 3));
  EXPECT_NEAR(result->test->difference, 0.2, 1e-12);
  EXPECT_TRUE(result->test->beats_baseline());
  EXPECT_FALSE(std::filesystem::exists(checkpoint_.path()));
}

TEST_F(TrainHeadFlow, SaysHowToGoOn) {
  engine_.stops = true;
  const auto result = Run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(result.error().message,
            "training interrupted; its state is in " + checkpoint_.path());
  EXPECT_EQ(result.error().hint,
            "run the same command again to go on from there");
}

}  // namespace
}  // namespace modicum
