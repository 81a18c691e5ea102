// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "model/bytes.h"
#include "model/ggml/training_steps.h"

namespace modicum {

namespace {

// Copies of each number that learns beside its value: gradient, AdamW's two,
// the mean, the best.
constexpr double kCopies = 5;
// Tokens that a body which learns nothing reads at once, about.
constexpr size_t kReadTogether = 2048;

Bytes NumbersOf(const EncoderShape& shape, Learns learns) {
  return Bytes(sizeof(float) *
               (static_cast<double>(ParametersOf(shape)) +
                kCopies * static_cast<double>(ParametersOf(shape, learns))));
}

tl::unexpected<Error> TooLittleMemory(Bytes needed, const Budget& budget) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("training this encoder needs {}, more than the "
                          "budget of {}",
                          FormatBytes(needed), FormatBytes(budget.memory)),
              "lower width, layers or vocabulary, or raise the budget");
}

struct Score {
  double accuracy = -1;
  double loss = 0;
  bool operator>(const Score& other) const {
    return accuracy != other.accuracy ? accuracy > other.accuracy
                                      : loss < other.loss;
  }
};

class Training {
 public:
  Training(EncoderWeights& weights, const EncoderParts& parts)
      : weights_(weights),
        parts_(parts),
        settings_(parts.settings),
        graph_(weights, parts.budget.threads, parts.budget.stop),
        adamw_(ParametersOf(settings_.shape, weights.learns()),
               settings_.adamw),
        mean_(settings_.average),
        steps_an_epoch_((parts.examples.size() + settings_.batch - 1) /
                        settings_.batch),
        end_(parts.clock->Now() + parts.budget.wall) {}

  Status Run() {
    MODICUM_RETURN_IF_ERROR(FitIntoMemory());
    if (weights_.learns() == Learns::kHead) {
      MODICUM_TRY(read_, ReadAll(parts_.examples));
      MODICUM_TRY(read_held_out_, ReadAll(parts_.held_out));
    }
    MODICUM_RETURN_IF_ERROR(Resume());
    for (; epoch_ < settings_.epochs && !Exhausted(); ++epoch_) {
      MODICUM_TRY(const bool whole, RunEpoch());
      if (!whole) break;  // out of time
      MODICUM_RETURN_IF_ERROR(EndEpoch());
    }
    if (best_.empty()) return OutOfTime();
    weights_.Set(best_);
    if (parts_.checkpoint != nullptr) parts_.checkpoint->Remove();
    return {};
  }

 private:
  tl::unexpected<Error> OutOfTime() const {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("not one pass over {} texts fits into {:.0f} s "
                            "of training",
                            parts_.examples.size(), parts_.budget.wall.value()),
                "take fewer texts, a smaller encoder, or more time");
  }

  bool Exhausted() const {
    return !parts_.held_out.texts.empty() && !best_.empty() &&
           epoch_ > best_epoch_ + settings_.patience;
  }

  Status FitIntoMemory() {
    Bytes read;
    if (weights_.learns() == Learns::kHead)
      read =
          Bytes(sizeof(float) * static_cast<double>(settings_.shape.width *
                                                    (parts_.examples.size() +
                                                     parts_.held_out.size())));
    MODICUM_TRY(part_, TextsAtOnce(graph_, weights_, parts_.examples.texts,
                                   settings_.batch, read, parts_.budget));
    return {};
  }

  // What the body makes of each text, in their order.
  Result<std::vector<float>> ReadAll(const EncoderExamples& examples) {
    const size_t width = settings_.shape.width;
    std::vector<float> read(width * examples.size());
    const StepRows order = ShortestFirst(examples.texts);
    for (size_t at = 0; at < order.size();) {
      if (parts_.clock->Now() >= end_) return OutOfTime();
      size_t texts = 1;
      while (at + texts < order.size() &&
             (texts + 1) * examples.texts[order[at + texts]].size() <=
                 kReadTogether)
        ++texts;
      const auto rows = std::span(order).subspan(at, texts);
      MODICUM_TRY(const auto vectors,
                  graph_.Read(MakeBatch(examples.texts, rows,
                                        settings_.shape.context)));
      for (size_t i = 0; i < rows.size(); ++i)
        std::copy_n(&vectors[i * width], width, &read[rows[i] * width]);
      at += rows.size();
    }
    return read;
  }

  EncoderBatch BatchOf(const EncoderExamples& examples,
                       const std::vector<float>& read,
                       std::span<const uint32_t> rows) const {
    if (weights_.learns() != Learns::kHead)
      return MakeBatch(examples.texts, rows, settings_.shape.context);
    EncoderBatch batch;
    batch.length = 1;
    batch.lengths.assign(rows.size(), 1);
    const size_t width = settings_.shape.width;
    for (const uint32_t row : rows) {
      const auto from = read.begin() + static_cast<int64_t>(row * width);
      batch.read.insert(batch.read.end(), from,
                        from + static_cast<int64_t>(width));
    }
    return batch;
  }

  // False when the time was up before the epoch was.
  Result<bool> RunEpoch() {
    const std::vector<StepRows> steps =
        StepsOf(parts_.examples.texts, settings_.batch,
                StreamSeed(parts_.budget.seed, kOrderStream, epoch_));
    const uint64_t before = epoch_ * steps_an_epoch_;
    while (done_ < before + steps_an_epoch_) {
      if (parts_.clock->Now() >= end_) return false;
      auto loss = Step(steps[done_ - before]);
      if (!loss) {
        if (loss.error().code == ErrorCode::kInterrupted)
          MODICUM_RETURN_IF_ERROR(Save());
        return Fail(std::move(loss).error());
      }
      loss_ += *loss;
      if (parts_.checkpoint != nullptr && parts_.checkpoint->Due())
        MODICUM_RETURN_IF_ERROR(Save());
    }
    return true;
  }

  // Learns from `rows`, in parts that fit into the memory.
  Result<double> Step(const StepRows& rows) {
    Rng rng(StreamSeed(parts_.budget.seed, kStepStream, done_));
    weights_.ClearGradients();
    double loss = 0;
    for (size_t at = 0; at < rows.size(); at += part_) {
      const std::span<const uint32_t> part = std::span(rows).subspan(
          at, std::min<size_t>(part_, rows.size() - at));
      const float share =
          static_cast<float>(part.size()) / static_cast<float>(rows.size());
      const EncoderBatch batch = Noisy(Targeted(part), rng);
      MODICUM_TRY(const double mean,
                  graph_.Gradients(batch, settings_.dropout, share, rng));
      loss += mean * double{share};
    }
    if (!std::isfinite(loss))
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("training diverged in step {}: the loss is no "
                              "number",
                              done_ + 1),
                  "lower rate");
    ClipGradients(weights_.learnt(), settings_.clip);
    adamw_.Step(weights_.learnt(),
                LearningRate(done_, steps_an_epoch_ * settings_.epochs,
                             settings_.warm_up, settings_.rate));
    mean_.Add(weights_.learnt());
    ++done_;
    return loss;
  }

  EncoderBatch Targeted(std::span<const uint32_t> rows) const {
    EncoderBatch batch = BatchOf(parts_.examples, read_, rows);
    const size_t labels = settings_.shape.labels;
    const auto spread = static_cast<float>(settings_.label_smoothing);
    batch.targets.assign(rows.size() * labels,
                         spread / static_cast<float>(labels));
    for (size_t i = 0; i < rows.size(); ++i)
      batch.targets[i * labels + parts_.examples.labels[rows[i]]] += 1 - spread;
    return batch;
  }

  // Some tokens are made unknown, but for the first and the last.
  EncoderBatch Noisy(EncoderBatch batch, Rng& rng) const {
    if (settings_.word_dropout <= 0) return batch;
    for (size_t i = 0; i < batch.texts(); ++i)
      for (size_t at = 1; at + 1 < batch.lengths[i]; ++at)
        if (rng.Unit() < settings_.word_dropout)
          batch.tokens[i * batch.length + at] = settings_.unknown;
    return batch;
  }

  // What counts is the mean, not where the last step ended.
  Status EndEpoch() {
    mean_.Swap(weights_.learnt());
    const auto judged = Judge();
    mean_.Swap(weights_.learnt());
    if (!judged && judged.error().code == ErrorCode::kInterrupted)
      MODICUM_RETURN_IF_ERROR(Save());
    return judged;
  }

  // Keeps the weights when they are the best so far.
  Status Judge() {
    EncoderEpoch told{
        epoch_, loss_ / static_cast<double>(steps_an_epoch_), {}, {}};
    if (parts_.held_out.texts.empty()) {
      best_ = weights_.Copy();
    } else {
      MODICUM_TRY(const Score score, ScoreHeldOut());
      told.held_out_loss = score.loss;
      told.held_out_accuracy = score.accuracy;
      if (score > best_score_) {
        best_score_ = score;
        best_epoch_ = epoch_;
        best_ = weights_.Copy();
      }
    }
    loss_ = 0;
    if (parts_.on_epoch) parts_.on_epoch(told);
    return {};
  }

  Result<Score> ScoreHeldOut() {
    const EncoderExamples& held_out = parts_.held_out;
    const StepRows order = ShortestFirst(held_out.texts);
    const size_t labels = settings_.shape.labels;
    size_t right = 0;
    double loss = 0;
    for (size_t at = 0; at < order.size(); at += part_) {
      const std::span<const uint32_t> rows = std::span(order).subspan(
          at, std::min<size_t>(part_, order.size() - at));
      MODICUM_TRY(const auto logits,
                  graph_.Logits(BatchOf(held_out, read_held_out_, rows)));
      for (size_t i = 0; i < rows.size(); ++i) {
        const std::span<const float> own =
            std::span(logits).subspan(i * labels, labels);
        const float most = *std::max_element(own.begin(), own.end());
        double sum = 0;
        for (const float one : own) sum += std::exp(double{one - most});
        const float wanted = own[held_out.labels[rows[i]]];
        right += wanted == most ? 1 : 0;
        loss += std::log(sum) - double{wanted - most};
      }
    }
    const auto count = static_cast<double>(held_out.size());
    return Score{static_cast<double>(right) / count, loss / count};
  }

  Status Save() {
    if (parts_.checkpoint == nullptr) return {};
    ByteWriter out;
    out.Put(epoch_);
    out.Put(done_);
    out.Put(loss_);
    out.Put(best_score_);
    out.Put(best_epoch_);
    out.Put(uint64_t{best_.size()});
    out.PutAll(best_);
    out.Put(mean_.count());
    out.Put(uint64_t{mean_.values().size()});
    out.PutAll(mean_.values());
    out.PutAll(weights_.Copy());
    out.PutAll(adamw_.state().first);
    out.PutAll(adamw_.state().second);
    return parts_.checkpoint->Save(parts_.key, out.Take());
  }

  Status Resume() {
    if (parts_.checkpoint == nullptr) return {};
    MODICUM_TRY(const auto state, parts_.checkpoint->Load(parts_.key));
    if (!state) return {};
    const uint64_t numbers = ParametersOf(settings_.shape, weights_.learns());
    ByteReader in(*state);
    epoch_ = in.Get<uint32_t>();
    done_ = in.Get<uint64_t>();
    loss_ = in.Get<double>();
    best_score_ = in.Get<Score>();
    best_epoch_ = in.Get<uint32_t>();
    best_ = in.GetAll<float>(in.Get<uint64_t>());
    const auto averaged = in.Get<uint64_t>();
    auto mean = in.GetAll<float>(in.Get<uint64_t>());
    const auto values = in.GetAll<float>(numbers);
    AdamW::State moments{done_, in.GetAll<float>(numbers),
                         in.GetAll<float>(numbers)};
    if (!in.ok() || in.left() > 0 || done_ < epoch_ * steps_an_epoch_ ||
        done_ > (epoch_ + uint64_t{1}) * steps_an_epoch_ ||
        (!best_.empty() && best_.size() != numbers) ||
        mean.size() != (averaged > 0 ? numbers : 0))
      return Fail(ErrorCode::kInvalidInput,
                  parts_.checkpoint->path() + ": a damaged checkpoint",
                  "remove it to train from the start");
    weights_.Set(values);
    adamw_.Set(std::move(moments));
    mean_.Set(averaged, std::move(mean));
    return {};
  }

  EncoderWeights& weights_;
  const EncoderParts& parts_;
  const EncoderSettings& settings_;
  EncoderGraph graph_;
  AdamW adamw_;
  WeightMean mean_;
  const uint64_t steps_an_epoch_;
  const MonotonicTime end_;
  uint32_t part_ = 1;  // texts computed at once
  // Where the head alone learns: `width` numbers a text.
  std::vector<float> read_, read_held_out_;

  uint32_t epoch_ = 0;
  uint64_t done_ = 0;  // steps
  double loss_ = 0;    // sum over the epoch's steps so far
  Score best_score_;
  uint32_t best_epoch_ = 0;
  std::vector<float> best_;
};

}  // namespace

Status CheckNumbersFit(const EncoderShape& shape, Learns learns,
                       const Budget& budget) {
  const Bytes needed = NumbersOf(shape, learns);
  if (needed <= budget.memory) return {};
  return TooLittleMemory(needed, budget);
}

Bytes TrainingMemory(EncoderGraph& graph, const EncoderWeights& weights,
                     uint32_t texts, uint32_t length) {
  return NumbersOf(weights.shape(), weights.learns()) +
         graph.WorkingMemory(texts, length);
}

Result<uint32_t> TextsAtOnce(EncoderGraph& graph, const EncoderWeights& weights,
                             std::span<const TokenIds> texts, uint32_t batch,
                             Bytes other, const Budget& budget) {
  size_t longest = 0;
  for (const TokenIds& text : texts) longest = std::max(longest, text.size());
  const auto length =
      static_cast<uint32_t>(std::min<size_t>(longest, weights.shape().context));
  const auto needed = [&](uint32_t part) {
    return other + TrainingMemory(graph, weights, part, length);
  };
  for (uint32_t part = batch; part > 0; part /= 2)
    if (needed(part) <= budget.memory) return part;
  return TooLittleMemory(needed(1), budget);
}

Status TrainEncoder(EncoderWeights& weights, const EncoderParts& parts) {
  return Training(weights, parts).Run();
}

}  // namespace modicum
