// SPDX-License-Identifier: Apache-2.0
// Heads for tags and answers: their gradients against the reference, whole
// trainings through the engine, used as they are afterwards.
#include "model/ggml/head_training.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.h"
#include "model/bytes.h"
#include "model/checkpoint.h"
#include "model/ggml/encoder_file.h"
#include "model/ggml/encoder_sample.h"
#include "model/ggml/reference_gradients.h"
#include "model/ggml/vocabulary.h"
#include "model/head_answers.h"
#include "model/test_data.h"

namespace modicum {
namespace {

using testing::HasSubstr;

EncoderShape With(EncoderShape shape, HeadKind kind, uint32_t labels) {
  shape.head = kind;
  shape.labels = labels;
  return shape;
}

// Of each text every other token is asked about.
EncoderBatch TagBatch(const EncoderShape& shape) {
  EncoderBatch batch = SomeBatch(kTwoLayers, 9);
  batch.targets.clear();
  for (size_t text = 0; text < batch.texts(); ++text)
    for (size_t at = text % 2; at < batch.lengths[text]; at += 2) {
      batch.asked.push_back(static_cast<int32_t>(text * batch.length + at));
      batch.wanted.push_back(static_cast<int32_t>(at % shape.labels));
    }
  return batch;
}

// Texts of three tokens or more, the second of each from token 1 or 2 on.
EncoderBatch AnswerBatch() {
  EncoderBatch batch = SomeBatch(kTwoLayers, 7);
  batch.targets.clear();
  for (size_t text = 0; text < batch.texts(); ++text) {
    batch.lengths[text] = std::max(batch.lengths[text], 3U);
    const auto second =
        static_cast<uint32_t>(batch.lengths[text] > 3 ? 1 + text % 2 : 1);
    batch.seconds.push_back(second);
    batch.wanted.push_back(static_cast<int32_t>(second));
    batch.wanted.push_back(static_cast<int32_t>(batch.lengths[text] - 2));
  }
  return batch;
}

// The same numbers, of which only those of the head learn.
std::unique_ptr<EncoderWeights> HeadOfThem(const EncoderWeights& whole) {
  auto weights = std::make_unique<EncoderWeights>(whole.shape(), Learns::kHead);
  for (size_t i = 0; i < whole.parameters().size(); ++i)
    std::ranges::copy(whole.parameters()[i].values(),
                      weights->parameters()[i].values().begin());
  return weights;
}

TEST(TagGraph, GradientsAreThoseOfTheReference) {
  for (const EncoderShape& of : {kTwoLayers, kImported}) {
    const auto shape = With(of, HeadKind::kTokenClassification, 3);
    const EncoderBatch batch = TagBatch(shape);
    ExpectGradientsOfTheReference(*SomeWeights(shape), batch, batch);
  }
}

TEST(AnswerGraph, GradientsAreThoseOfTheReference) {
  for (const EncoderShape& of : {kTwoLayers, kImported}) {
    const auto shape = With(of, HeadKind::kQuestionAnswering, 0);
    const EncoderBatch batch = AnswerBatch();
    ExpectGradientsOfTheReference(*SomeWeights(shape), batch, batch);
  }
}

// The body has read every token before.
TEST(TagGraph, AHeadAloneHasTheGradientsOfTheReference) {
  const auto shape = With(kImported, HeadKind::kTokenClassification, 3);
  const auto whole = SomeWeights(shape);
  const EncoderBatch batch = TagBatch(shape);
  const auto read = EncoderGraph(*whole, 1, {}).Read(batch);
  ASSERT_TRUE(read);
  EncoderBatch of_head;
  of_head.lengths = {1};
  of_head.length = 1;
  of_head.wanted = batch.wanted;
  for (const int32_t at : batch.asked)
    of_head.read.insert(of_head.read.end(), read->begin() + at * 8,
                        read->begin() + (at + 1) * 8);
  const auto weights = HeadOfThem(*whole);
  EXPECT_EQ(weights->learnt().size(), 2U);
  ExpectGradientsOfTheReference(*weights, of_head, batch);
}

TEST(AnswerGraph, AHeadAloneHasTheGradientsOfTheReference) {
  const auto shape = With(kImported, HeadKind::kQuestionAnswering, 0);
  const auto whole = SomeWeights(shape);
  EncoderBatch batch = AnswerBatch();
  const auto read = EncoderGraph(*whole, 1, {}).Read(batch);
  ASSERT_TRUE(read);
  EncoderBatch of_head = batch;
  of_head.tokens.clear();
  of_head.read = *read;
  ExpectGradientsOfTheReference(*HeadOfThem(*whole), of_head, batch);
}

// Names follow "mr", places follow "in"; some names are places elsewhere.
std::vector<TaggedExample> Sentences(size_t count, uint64_t seed) {
  static const char* const kNames[] = {"paris", "jordan", "lee", "kim"};
  static const char* const kOther[] = {"saw", "the", "red", "house", "again"};
  Rng rng(seed);
  std::vector<TaggedExample> sentences;
  for (size_t i = 0; i < count; ++i) {
    TaggedExample& one = sentences.emplace_back();
    const auto add = [&](const char* word, uint32_t label) {
      one.words.emplace_back(word);
      one.labels.push_back(label);
    };
    for (uint32_t n = 2 + rng.Below(3); n > 0; --n) {
      const bool place = rng.Below(2) == 1;
      add(kOther[rng.Below(5)], 2);
      add(place ? "in" : "mr", 2);
      add(kNames[rng.Below(4)], place ? 0 : 1);
    }
  }
  return sentences;
}

// "who" asks for the only name, "where" for the only place.
std::vector<AnswerExample> Questions(size_t count, uint64_t seed) {
  static const char* const kNames[] = {"lee", "kim", "ada"};
  static const char* const kPlaces[] = {"paris", "rome", "oslo"};
  static const char* const kOther[] = {"saw", "the", "red", "house", "again"};
  Rng rng(seed);
  std::vector<AnswerExample> questions(count);
  for (AnswerExample& one : questions) {
    const bool who = rng.Below(2) == 1;
    std::vector<std::string> words = {kNames[rng.Below(3)],
                                      kPlaces[rng.Below(3)]};
    const std::string wanted = words[who ? 0 : 1];
    for (uint32_t n = 3 + rng.Below(4); n > 0; --n)
      words.emplace_back(kOther[rng.Below(5)]);
    rng.Shuffle(words);
    one.pair = {who ? "who was it" : "where was it",
                fmt::format("{}.", fmt::join(words, " "))};
    const auto at = static_cast<uint32_t>(one.pair.second.find(wanted));
    one.answer = {at, at + static_cast<uint32_t>(wanted.size())};
  }
  return questions;
}

const std::vector<std::string> kLabels = {"B-LOC", "B-PER", "O"};

class TrainHeadTest : public testing::Test {
 protected:
  TrainHeadTest() {
    HeadSettings& settings = job_.settings;
    settings.layers = 1;
    settings.width = 32;
    settings.vocabulary = 120;
    settings.context = 32;
    settings.epochs = 20;
    settings.patience = 100;
    settings.batch = 16;
    settings.rate = 5e-3;
    settings.dropout = 0.1;
    job_.path = Path("net.gguf");
    job_.on_epoch = [this](const HeadEpoch& epoch) {
      epochs_.push_back(epoch);
      if (on_epoch_) on_epoch_();
    };
  }

  std::string Path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  static Result<double> TagAccuracy(HeadedEncoder& encoder,
                                    std::span<const TaggedExample> examples) {
    std::vector<Tokens> texts;
    for (const TaggedExample& example : examples)
      texts.push_back({example.words});
    NullSink sink;
    MODICUM_TRY(const auto tags, TagWords(encoder, texts, {}, sink));
    double right = 0, all = 0;
    for (size_t i = 0; i < tags.size(); ++i)
      for (size_t k = 0; k < tags[i].size(); ++k, ++all)
        right += tags[i][k] == examples[i].labels[k] ? 1 : 0;
    return right / all;
  }
  static Result<double> AnswerAccuracy(
      HeadedEncoder& encoder, std::span<const AnswerExample> examples) {
    std::vector<TextPair> pairs;
    for (const AnswerExample& example : examples) pairs.push_back(example.pair);
    NullSink sink;
    MODICUM_TRY(const auto answers, AnswerQuestions(encoder, pairs, {}, sink));
    double right = 0;
    for (size_t i = 0; i < answers.size(); ++i)
      right += answers[i].range == examples[i].answer ? 1 : 0;
    return right / static_cast<double>(answers.size());
  }

  void BeTags() {
    job_.kind = HeadKind::kTokenClassification;
    job_.labels = kLabels;
    job_.tagged = sentences_;
    job_.judge = [this](HeadedEncoder& encoder) {
      return TagAccuracy(encoder, held_out_);
    };
  }
  void BeAnswers() {
    job_.kind = HeadKind::kQuestionAnswering;
    job_.labels = {};
    job_.answers = questions_;
    job_.judge = [this](HeadedEncoder& encoder) {
      return AnswerAccuracy(encoder, asked_);
    };
  }

  Status Train() {
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    return engine->TrainHead(job_, sink_);
  }
  Result<std::unique_ptr<HeadedEncoder>> Open() {
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    return engine->OpenHeaded(job_.path, {}, {}, sink_);
  }
  // Of body and head.
  std::string Bytes(const std::string& path) const {
    return *ReadWholeFile(path, 1 << 24) +
           *ReadWholeFile(HeadPathOf(path), 1 << 24);
  }

  const TestFolder folder_;
  const std::vector<TaggedExample> sentences_ = Sentences(200, 1);
  const std::vector<TaggedExample> held_out_ = Sentences(40, 2);
  const std::vector<AnswerExample> questions_ = Questions(300, 1);
  const std::vector<AnswerExample> asked_ = Questions(60, 2);
  HeadJob job_;
  PhaseList sink_;
  std::vector<HeadEpoch> epochs_;
  std::function<void()> on_epoch_;
};

TEST_F(TrainHeadTest, LearnsTagsThatTheContextTells) {
  BeTags();
  const Status trained = Train();
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_EQ(sink_.seen, (std::vector<Phase>{Phase::kPrepare, Phase::kTrain}));
  const auto encoder = Open();
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ((*encoder)->info().labels, kLabels);
  const double accuracy = *TagAccuracy(**encoder, held_out_);
  EXPECT_GE(accuracy, 0.98);
  // What is kept is what was judged best, to the last number.
  double best = 0;
  for (const HeadEpoch& epoch : epochs_) best = std::max(best, epoch.quality);
  EXPECT_EQ(accuracy, best);
}

TEST_F(TrainHeadTest, LearnsAnswers) {
  BeAnswers();
  job_.settings.epochs = 40;
  const Status trained = Train();
  ASSERT_TRUE(trained) << trained.error().message;
  const auto encoder = Open();
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_GE(*AnswerAccuracy(**encoder, asked_), 0.95);
}

TEST_F(TrainHeadTest, EqualSeedsGiveEqualFiles) {
  job_.settings.epochs = 2;
  for (const bool tags : {true, false}) {
    tags ? BeTags() : BeAnswers();
    const auto bytes = [&](uint64_t seed) {
      job_.budget.seed = seed;
      EXPECT_TRUE(Train());
      return Bytes(job_.path);
    };
    const std::string once = bytes(1);
    EXPECT_TRUE(bytes(1) == once);
    EXPECT_FALSE(bytes(2) == once);
  }
}

// Stopped after the second pass, and again while the third is judged.
TEST_F(TrainHeadTest, GoesOnWhereItWasStopped) {
  BeTags();
  job_.settings.epochs = 4;
  ASSERT_TRUE(Train());
  const std::string whole = Bytes(job_.path);
  Checkpoint checkpoint(Path("state"), Seconds(0));
  job_.checkpoint = &checkpoint;
  job_.path = Path("resumed.gguf");
  std::stop_source stop;
  job_.budget.stop = stop.get_token();
  epochs_.clear();
  on_epoch_ = [&] {
    if (epochs_.size() == 2) stop.request_stop();
  };
  EXPECT_EQ(Train().error().code, ErrorCode::kInterrupted);
  EXPECT_FALSE(std::filesystem::exists(job_.path));
  job_.budget.stop = {};
  const auto judge = job_.judge;
  job_.judge = [](HeadedEncoder&) -> Result<double> {
    return Fail(ErrorCode::kInterrupted, "stopped");
  };
  EXPECT_EQ(Train().error().message, "stopped");
  job_.judge = judge;
  const Status resumed = Train();
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(epochs_.size(), 4U);
  EXPECT_TRUE(Bytes(job_.path) == whole);
  // Done is done: nothing is trained again.
  ASSERT_TRUE(Train());
  EXPECT_EQ(epochs_.size(), 4U);
  EXPECT_TRUE(Bytes(job_.path) == whole);
  // Another training does not take its state.
  job_.budget.seed = 2;
  ASSERT_TRUE(Train());
  EXPECT_EQ(epochs_.size(), 8U);
}

// On a body that was trained before: as it is, or with it.
TEST_F(TrainHeadTest, LearnsOnATrainedBody) {
  BeTags();
  ASSERT_TRUE(Train());
  const std::string base = Path("base.gguf");
  std::filesystem::rename(job_.path, base);
  job_.settings.base = base;
  job_.settings.epochs = 8;
  for (const bool frozen : {true, false}) {
    job_.settings.frozen = frozen;
    ASSERT_TRUE(Train());
    EXPECT_EQ(
        *ReadWholeFile(base, 1 << 24) == *ReadWholeFile(job_.path, 1 << 24),
        frozen);
    const auto encoder = Open();
    ASSERT_TRUE(encoder) << encoder.error().message;
    EXPECT_GE(*TagAccuracy(**encoder, held_out_), 0.95);
  }
  BeAnswers();
  for (const bool frozen : {true, false}) {
    job_.settings.frozen = frozen;
    job_.settings.epochs = 2;
    const Status trained = Train();
    ASSERT_TRUE(trained) << trained.error().message;
    const auto encoder = Open();
    ASSERT_TRUE(encoder) << encoder.error().message;
    EXPECT_EQ((*encoder)->kind(), HeadKind::kQuestionAnswering);
    EXPECT_LT(epochs_.back().loss, epochs_[epochs_.size() - 2].loss);
  }
}

TEST_F(TrainHeadTest, ReadsLongSentencesInParts) {
  BeTags();
  std::vector<TaggedExample> joined(1);
  for (const TaggedExample& one : sentences_) {
    joined[0].words.insert(joined[0].words.end(), one.words.begin(),
                           one.words.end());
    joined[0].labels.insert(joined[0].labels.end(), one.labels.begin(),
                            one.labels.end());
  }
  job_.tagged = joined;
  job_.settings.context = 16;
  job_.settings.epochs = 30;
  const Status trained = Train();
  ASSERT_TRUE(trained) << trained.error().message;
  const auto encoder = Open();
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_GE(*TagAccuracy(**encoder, held_out_), 0.9);
}

// The context is longer than a window; the answer is in some of them.
TEST_F(TrainHeadTest, LearnsFromWindows) {
  BeAnswers();
  job_.settings.context = 16;
  job_.settings.epochs = 1;
  const Status trained = Train();
  ASSERT_TRUE(trained) << trained.error().message;
  const auto encoder = Open();
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ((*encoder)->info().context, 16U);
}

TEST_F(TrainHeadTest, RefusesWhatTeachesNothing) {
  BeTags();
  const std::vector<TaggedExample> none(3);
  job_.tagged = none;
  EXPECT_EQ(Train().error().message, "there is nothing to learn from");
  BeTags();
  job_.budget.wall = Seconds(0);
  EXPECT_THAT(Train().error().message, HasSubstr("not one pass over"));
  job_.budget.wall = Seconds(3600);
  job_.budget.memory = modicum::Bytes(1e4);
  EXPECT_THAT(Train().error().message,
              HasSubstr("more than the budget of 10 kB"));
  EXPECT_FALSE(std::filesystem::exists(job_.path));
}

}  // namespace
}  // namespace modicum
