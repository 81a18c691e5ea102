// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/head_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "base/hash.h"
#include "model/ggml/encoder_file.h"
#include "model/ggml/headed_encoder.h"
#include "model/ggml/hidden_tokens.h"
#include "model/ggml/inference_graph.h"
#include "model/ggml/learning.h"
#include "model/ggml/vocabulary.h"
#include "model/training_stop.h"

namespace modicum {

namespace {

// Tokens that a body which learns nothing reads at once, about.
constexpr size_t kTokensTogether = 2048;

tl::unexpected<Error> NothingToLearn() {
  return Fail(ErrorCode::kInvalidInput, "there is nothing to learn from",
              "the training data has no words that the network can read");
}

// Texts, what is asked about each, and what is wanted of that. Where the body
// is frozen, also what it makes of what the head sees.
class HeadLessons : public Lessons {
 public:
  explicit HeadLessons(const HeadSettings& settings) : settings_(settings) {}

  std::span<const TokenIds> texts() const override { return texts_; }
  // What the head sees of each text.
  const std::vector<AskedText>& asked() const { return asked_; }
  size_t seen() const { return seen_.back(); }
  size_t seen_before(size_t text) const { return seen_[text]; }
  // `read`: of the texts one after the other.
  void SetRead(std::vector<float> read, TokenId unknown) {
    read_ = std::move(read);
    unknown_ = unknown;
  }
  void AddTo(Sha256& hash) const {
    for (size_t i = 0; i < texts_.size(); ++i) {
      AddNumbers<TokenId>(texts_[i], hash);
      AddNumbers<uint32_t>(asked_[i].places, hash);
      AddNumbers<int32_t>(wanted_[i], hash);
      hash.AddField(std::to_string(asked_[i].second));
    }
  }

 protected:
  void Add(AskedText asked, std::vector<int32_t> wanted) {
    seen_.push_back(seen_.back() + asked.rows());
    texts_.push_back(asked.tokens);
    asked_.push_back(std::move(asked));
    wanted_.push_back(std::move(wanted));
  }
  EncoderBatch Begin(std::span<const uint32_t> rows, Rng& rng) const {
    EncoderBatch batch = MakeBatch(texts_, rows, UINT32_MAX);
    for (const uint32_t row : rows)
      batch.wanted.insert(batch.wanted.end(), wanted_[row].begin(),
                          wanted_[row].end());
    if (read_.empty()) DropWords(settings_.word_dropout, unknown_, rng, batch);
    return batch;
  }
  bool is_read() const { return !read_.empty(); }
  // What the body made of what the head sees of a text.
  std::span<const float> ReadOf(uint32_t row) const {
    const size_t width = read_.size() / seen_.back();
    return std::span(read_).subspan(seen_[row] * width,
                                    (seen_[row + 1] - seen_[row]) * width);
  }
  const AskedText& asked(uint32_t row) const { return asked_[row]; }

 private:
  template <class Number>
  static void AddNumbers(std::span<const Number> numbers, Sha256& hash) {
    hash.AddField(
        {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
  }

  const HeadSettings& settings_;
  TokenId unknown_ = kUnknownToken;
  std::vector<TokenIds> texts_;
  std::vector<AskedText> asked_;
  std::vector<std::vector<int32_t>> wanted_;
  std::vector<size_t> seen_ = {0};  // before each text, and in all
  std::vector<float> read_;
};

class TagLessons final : public HeadLessons {
 public:
  using HeadLessons::HeadLessons;

  Status Read(const PieceSource& source,
              std::span<const TaggedExample> examples,
              const std::stop_token& stop) {
    std::vector<WordsRead> parts;
    for (size_t i = 0; i < examples.size(); ++i) {
      MODICUM_RETURN_IF_ERROR(CheckNotStopped(stop));
      MODICUM_RETURN_IF_ERROR(ReadWords(source, i, examples[i].words, parts));
    }
    for (WordsRead& part : parts) {
      const auto from =
          examples[part.text].labels.begin() + static_cast<int64_t>(part.first);
      const auto count = static_cast<int64_t>(part.asked.places.size());
      Add(std::move(part.asked), {from, from + count});
    }
    return {};
  }
  size_t Answers(const EncoderBatch& batch) const override {
    return batch.wanted.size();
  }
  EncoderBatch BatchOf(std::span<const uint32_t> rows,
                       Rng& rng) const override {
    EncoderBatch batch = Begin(rows, rng);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const uint32_t place : asked(rows[i]).places)
        batch.asked.push_back(static_cast<int32_t>(i * batch.length + place));
      if (!is_read()) continue;
      const auto read = ReadOf(rows[i]);
      batch.read.insert(batch.read.end(), read.begin(), read.end());
    }
    return batch;
  }
};

// Windows that have the whole answer; of others nothing is learnt.
class AnswerLessons final : public HeadLessons {
 public:
  using HeadLessons::HeadLessons;

  Status Read(const PieceSource& source,
              std::span<const AnswerExample> examples,
              const std::stop_token& stop) {
    for (const AnswerExample& example : examples) {
      MODICUM_RETURN_IF_ERROR(CheckNotStopped(stop));
      MODICUM_TRY(QuestionRead read, CutIntoWindows(source, example.pair));
      const auto [begin, end] = PiecesOf(read.context, example.answer);
      for (Window& window : read.windows) {
        if (begin >= end || begin < window.first ||
            end > window.first + window.count)
          continue;
        const auto at = [&](size_t piece) {
          return static_cast<int32_t>(piece - window.first +
                                      window.asked.second);
        };
        window.asked.places.clear();  // the head sees every token
        Add(std::move(window.asked), {at(begin), at(end - 1)});
      }
    }
    return {};
  }
  size_t Answers(const EncoderBatch& batch) const override {
    return batch.texts();
  }
  EncoderBatch BatchOf(std::span<const uint32_t> rows,
                       Rng& rng) const override {
    EncoderBatch batch = Begin(rows, rng);
    for (const uint32_t row : rows) batch.seconds.push_back(asked(row).second);
    if (!is_read()) return batch;
    for (const uint32_t row : rows) {
      const auto read = ReadOf(row);
      const size_t width = read.size() / asked(row).tokens.size();
      const size_t end = batch.read.size() + batch.length * width;
      batch.read.insert(batch.read.end(), read.begin(), read.end());
      batch.read.resize(end);
    }
    return batch;
  }

 private:
  // Of all words that the answer has a part of: from, and to before.
  static std::pair<size_t, size_t> PiecesOf(const ContextPieces& context,
                                            const TextRange& answer) {
    size_t begin = context.pieces.size(), end = 0;
    for (size_t i = 0; i < context.pieces.size(); ++i) {
      const TextRange& word = context.words[context.word_of[i]];
      if (word.end <= answer.begin || word.begin >= answer.end) continue;
      begin = std::min(begin, i);
      end = i + 1;
    }
    return {begin, end};
  }
};

// Texts whose tokens are hidden, others in every pass; one that is longer than
// the context is cut into parts.
class MaskLessons final : public HeadLessons {
 public:
  using HeadLessons::HeadLessons;

  Status Read(const HeadedEncoder& source, std::span<const std::string> texts,
              TokenId unknown, const std::stop_token& stop) {
    MODICUM_TRY(
        rule_, HidingRuleOf(source.marks(), source.info().vocabulary, unknown));
    const size_t room = RoomFor(source, kMarksOfOne);
    for (const std::string& text : texts) {
      MODICUM_RETURN_IF_ERROR(CheckNotStopped(stop));
      MODICUM_TRY(const TokenIds pieces, source.Pieces(text));
      for (size_t at = 0; at < pieces.size(); at += room) {
        const auto part =
            std::span(pieces).subspan(at, std::min(room, pieces.size() - at));
        Add({AroundPieces(source, {part.begin(), part.end()})}, {});
      }
    }
    return {};
  }
  size_t Answers(const EncoderBatch& batch) const override {
    return batch.asked.size();
  }
  EncoderBatch BatchOf(std::span<const uint32_t> rows,
                       Rng& rng) const override {
    EncoderBatch batch = Begin(rows, rng);
    HideTokens(rule_, rng, batch);
    return batch;
  }

 private:
  HidingRule rule_;
};

// What the vocabulary is learned from.
std::vector<std::string> TextsToLearn(const HeadJob& job) {
  std::vector<std::string> texts(job.texts.begin(), job.texts.end());
  for (const TaggedExample& example : job.tagged)
    texts.push_back(fmt::format("{}", fmt::join(example.words, " ")));
  std::set<std::string_view> contexts;  // many questions are about one
  for (const AnswerExample& example : job.answers) {
    texts.push_back(example.pair.first);
    if (contexts.insert(example.pair.second).second)
      texts.push_back(example.pair.second);
  }
  return texts;
}

// A question and its context are two kinds of tokens.
void SetTokenTypes(uint32_t count, GgufMetadata& vocabulary) {
  for (auto& [key, value] : vocabulary)
    if (key == "tokenizer.ggml.token_type_count") value = count;
}

EncoderShape DrawnShape(const HeadJob& job) {
  const HeadSettings& settings = job.settings;
  EncoderShape shape;
  shape.layers = settings.layers;
  shape.width = settings.width;
  shape.heads = settings.width / kDrawnHeadWidth;
  shape.feed_forward = 2 * settings.width;
  shape.context = settings.context;
  shape.token_types = job.kind == HeadKind::kQuestionAnswering ? 2 : 0;
  return shape;
}

class HeadTraining {
 public:
  HeadTraining(const EncoderBase* base, const HeadJob& job, PhaseSink& sink)
      : base_(base),
        job_(job),
        sink_(sink),
        learns_(job.settings.frozen ? Learns::kHead : Learns::kAll) {}

  Status Run() {
    sink_.Begin(Phase::kPrepare);
    MODICUM_RETURN_IF_ERROR(MakeNetwork());
    MODICUM_RETURN_IF_ERROR(LearnByKind());
    return Save();
  }

 private:
  Status LearnByKind() {
    const std::stop_token& stop = job_.budget.stop;
    switch (job_.kind) {
      case HeadKind::kTokenClassification: {
        TagLessons lessons(job_.settings);
        MODICUM_RETURN_IF_ERROR(lessons.Read(*encoder_, job_.tagged, stop));
        return Learn(lessons);
      }
      case HeadKind::kQuestionAnswering: {
        AnswerLessons lessons(job_.settings);
        MODICUM_RETURN_IF_ERROR(lessons.Read(*encoder_, job_.answers, stop));
        return Learn(lessons);
      }
      case HeadKind::kFillMask:
        break;
    }
    MaskLessons lessons(job_.settings);
    MODICUM_RETURN_IF_ERROR(
        lessons.Read(*encoder_, job_.texts, unknown_, stop));
    return Learn(lessons);
  }

  Status MakeNetwork() {
    EncoderShape shape = base_ != nullptr ? base_->shape : DrawnShape(job_);
    MODICUM_RETURN_IF_ERROR(MakeVocabulary(shape));
    shape.head = job_.kind;
    shape.labels = static_cast<uint32_t>(job_.labels.size());
    MODICUM_TRY(const auto known, KnownHead());
    if (known) shape.tied = known->tied();
    MODICUM_RETURN_IF_ERROR(CheckNumbersFit(shape, learns_, job_.budget));
    weights_ = std::make_unique<EncoderWeights>(shape, learns_);
    if (base_ != nullptr) {
      weights_->DrawHead(job_.budget.seed);
      MODICUM_RETURN_IF_ERROR(LoadBody(*base_, *weights_));
    } else {
      weights_->Draw(job_.budget.seed);
    }
    if (known) MODICUM_RETURN_IF_ERROR(LoadHead(*known, *weights_));
    MODICUM_TRY(encoder_,
                HeadedEncoderOn(*weights_, vocabulary_, unknown_, job_.labels,
                                job_.budget.threads, job_.path));
    return {};
  }

  // The base's own head where that is learned on: others are of other labels.
  Result<std::optional<HeadFile>> KnownHead() const {
    if (base_ == nullptr || job_.kind != HeadKind::kFillMask ||
        !std::filesystem::exists(HeadPathOf(base_->file.name)))
      return std::optional<HeadFile>();
    MODICUM_TRY(HeadFile head, ReadHeadOf(base_->file));
    if (head.kind != HeadKind::kFillMask) return std::optional<HeadFile>();
    return std::optional(std::move(head));
  }

  Status MakeVocabulary(EncoderShape& shape) {
    if (base_ != nullptr) {
      vocabulary_ = base_->vocabulary;
      unknown_ = base_->unknown;
      return {};
    }
    const std::vector<std::string> texts = TextsToLearn(job_);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    MODICUM_TRY(
        const auto tokens,
        LearnVocabulary(views, job_.settings.vocabulary, job_.budget.stop));
    vocabulary_ = DescribeVocabulary(tokens);
    SetTokenTypes(std::max(1U, shape.token_types), vocabulary_);
    shape.vocabulary = static_cast<uint32_t>(tokens.size());
    return {};
  }

  LearningSettings SettingsOf() const {
    const HeadSettings& wish = job_.settings;
    LearningSettings settings;
    settings.epochs = wish.epochs;
    settings.patience = wish.patience;
    settings.batch = wish.batch;
    settings.rate = wish.rate;
    settings.adamw.decay = wish.decay;
    settings.dropout.embedding = settings.dropout.hidden =
        settings.dropout.pooled = static_cast<float>(wish.dropout);
    return settings;
  }

  Status Learn(HeadLessons& lessons) {
    if (lessons.texts().empty()) return NothingToLearn();
    const MonotonicTime end = SystemClock().Now() + job_.budget.wall;
    const Bytes read(
        learns_ == Learns::kHead
            ? sizeof(float) *
                  static_cast<double>(lessons.seen() * weights_->shape().width)
            : 0);
    EncoderGraph graph(*weights_, job_.budget.threads, job_.budget.stop);
    const LearningSettings settings = SettingsOf();
    MODICUM_TRY(const uint32_t together,
                TextsAtOnce(graph, *weights_, lessons.texts(), settings.batch,
                            read, job_.budget));
    sink_.Begin(Phase::kTrain);
    if (learns_ == Learns::kHead) {
      MODICUM_TRY(auto numbers, ReadAll(lessons));
      lessons.SetRead(std::move(numbers), unknown_);
    } else {
      lessons.SetRead({}, unknown_);
    }
    Budget left = job_.budget;
    left.wall = end - SystemClock().Now();
    LearningParts parts{settings, lessons, left, together, job_.checkpoint};
    MODICUM_TRY(parts.key, KeyOf(lessons));
    parts.judge = [this]() -> Result<Judgement> {
      MODICUM_TRY(const double quality, job_.judge(*encoder_));
      sink_.Begin(Phase::kTrain);
      return Judgement{quality, 0};
    };
    parts.on_epoch = [this](uint32_t epoch, double loss,
                            const std::optional<Judgement>& judged) {
      if (job_.on_epoch) job_.on_epoch({epoch, loss, judged->quality});
    };
    parts.on_step = [this](const LearningStep& step) {
      const SeqWork work{RequestId{step.done},
                         static_cast<uint32_t>(step.tokens), 0, 0};
      sink_.Step(Phase::kTrain, std::span(&work, 1));
      if (job_.on_step) job_.on_step(step.done, step.all);
    };
    return modicum::Learn(*weights_, graph, parts);
  }

  // What the body, as it will be used, makes of what the head sees.
  Result<std::vector<float>> ReadAll(const HeadLessons& lessons) const {
    NeuralSettings settings;
    settings.threads = job_.budget.threads;
    MODICUM_TRY(const ThreadPools pools, ThreadPools::Start(settings));
    InferenceGraph graph(*weights_, pools, GeluKind::kErf);
    CallOptions call;
    call.stop = job_.budget.stop;
    call.deadline = SystemClock().Now() + job_.budget.wall;
    const size_t width = weights_->shape().width;
    std::vector<float> all(lessons.seen() * width);
    NullSink sink;
    MODICUM_RETURN_IF_ERROR(graph.Read(
        lessons.asked(), kTokensTogether, call, sink,
        [&](size_t index, std::span<const float> rows) {
          std::ranges::copy(rows, &all[lessons.seen_before(index) * width]);
        }));
    return all;
  }

  // Whose checkpoint it is.
  Result<Hash> KeyOf(const HeadLessons& lessons) const {
    const HeadSettings& s = job_.settings;
    Sha256 hash;
    hash.AddField(HeadKindName(job_.kind));
    for (const std::string& label : job_.labels) hash.AddField(label);
    hash.AddField(fmt::format(
        "{} {} {} {} {} {} {} {} {} {} {} {} {}", s.layers, s.width,
        s.vocabulary, s.context, s.frozen, s.epochs, s.patience, s.batch,
        s.rate, s.decay, s.dropout, s.word_dropout, job_.budget.seed));
    if (base_ != nullptr) {
      MODICUM_TRY(const Hash base, Sha256OfFile(base_->file.name));
      hash.AddField(ToHex(base));
    }
    lessons.AddTo(hash);
    return hash.Finish();
  }

  Status Save() const {
    MODICUM_RETURN_IF_ERROR(job_.settings.frozen
                                ? CopyWhole(base_->file.name, job_.path)
                                : SaveBody(*weights_, vocabulary_, job_.path));
    const Status with_head =
        SaveHead(*weights_, job_.labels, job_.path, HeadPathOf(job_.path));
    if (!with_head) std::filesystem::remove(job_.path);  // both or none
    return with_head;
  }

  const EncoderBase* const base_;
  const HeadJob& job_;
  PhaseSink& sink_;
  const Learns learns_;
  GgufMetadata vocabulary_;
  TokenId unknown_ = kUnknownToken;
  std::unique_ptr<EncoderWeights> weights_;
  std::unique_ptr<HeadedEncoder> encoder_;  // of those
};

}  // namespace

Status TrainHeadOn(const EncoderBase* base, const HeadJob& job,
                   PhaseSink& sink) {
  return HeadTraining(base, job, sink).Run();
}

}  // namespace modicum
