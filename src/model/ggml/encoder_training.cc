// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/encoder_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace modicum {

namespace {

// Tokens that a body which learns nothing reads at once, about.
constexpr size_t kReadTogether = 2048;

// Texts, each with a label; where the head alone learns, what the body made of
// them.
class LabelLessons final : public Lessons {
 public:
  LabelLessons(const EncoderSettings& settings, const EncoderExamples& examples,
               std::vector<float> read)
      : settings_(settings), examples_(examples), read_(std::move(read)) {}

  std::span<const TokenIds> texts() const override { return examples_.texts; }
  size_t Answers(const EncoderBatch& batch) const override {
    return batch.texts();
  }
  EncoderBatch BatchOf(std::span<const uint32_t> rows,
                       Rng& rng) const override {
    EncoderBatch batch = Asked(rows);
    const size_t labels = settings_.shape.labels;
    const auto spread = static_cast<float>(settings_.label_smoothing);
    batch.targets.assign(rows.size() * labels,
                         spread / static_cast<float>(labels));
    for (size_t i = 0; i < rows.size(); ++i)
      batch.targets[i * labels + examples_.labels[rows[i]]] += 1 - spread;
    DropWords(settings_.word_dropout, settings_.unknown, rng, batch);
    return batch;
  }
  // Without what is wanted.
  EncoderBatch Asked(std::span<const uint32_t> rows) const {
    if (read_.empty())
      return MakeBatch(examples_.texts, rows, settings_.shape.context);
    EncoderBatch batch;
    batch.length = 1;
    batch.lengths.assign(rows.size(), 1);
    const size_t width = settings_.shape.width;
    for (const uint32_t row : rows) {
      const auto from = read_.begin() + static_cast<int64_t>(row * width);
      batch.read.insert(batch.read.end(), from,
                        from + static_cast<int64_t>(width));
    }
    return batch;
  }

 private:
  const EncoderSettings& settings_;
  const EncoderExamples& examples_;
  const std::vector<float> read_;
};

class Training {
 public:
  Training(EncoderWeights& weights, const EncoderParts& parts)
      : weights_(weights),
        parts_(parts),
        settings_(parts.settings),
        graph_(weights, parts.budget.threads, parts.budget.stop),
        end_(parts.clock->Now() + parts.budget.wall) {}

  Status Run() {
    MODICUM_RETURN_IF_ERROR(FitIntoMemory());
    std::vector<float> read, read_held_out;
    if (weights_.learns() == Learns::kHead) {
      MODICUM_TRY(read, ReadAll(parts_.examples));
      MODICUM_TRY(read_held_out, ReadAll(parts_.held_out));
    }
    const LabelLessons lessons(settings_, parts_.examples, std::move(read));
    const LabelLessons held_out(settings_, parts_.held_out,
                                std::move(read_held_out));
    Budget left = parts_.budget;
    left.wall = end_ - parts_.clock->Now();
    LearningParts learning{settings_, lessons, left, together_};
    learning.checkpoint = parts_.checkpoint;
    learning.key = parts_.key;
    learning.clock = parts_.clock;
    if (parts_.held_out.size() > 0)
      learning.judge = [&] { return Judge(held_out); };
    learning.on_epoch = [this](uint32_t epoch, double loss,
                               const std::optional<Judgement>& judged) {
      if (parts_.on_epoch) Tell(epoch, loss, judged);
    };
    MODICUM_RETURN_IF_ERROR(Learn(weights_, graph_, learning));
    if (parts_.checkpoint != nullptr) parts_.checkpoint->Remove();
    return {};
  }

 private:
  void Tell(uint32_t epoch, double loss,
            const std::optional<Judgement>& judged) const {
    EncoderEpoch told{epoch, loss, {}, {}};
    if (judged) {
      told.held_out_loss = judged->loss;
      told.held_out_accuracy = judged->quality;
    }
    parts_.on_epoch(told);
  }

  Status FitIntoMemory() {
    Bytes read;
    if (weights_.learns() == Learns::kHead)
      read =
          Bytes(sizeof(float) * static_cast<double>(settings_.shape.width *
                                                    (parts_.examples.size() +
                                                     parts_.held_out.size())));
    MODICUM_TRY(together_, TextsAtOnce(graph_, weights_, parts_.examples.texts,
                                       settings_.batch, read, parts_.budget));
    return {};
  }

  // What the body makes of each text, in their order.
  Result<std::vector<float>> ReadAll(const EncoderExamples& examples) {
    const size_t width = settings_.shape.width;
    std::vector<float> read(width * examples.size());
    const StepRows order = ShortestFirst(examples.texts);
    for (size_t at = 0; at < order.size();) {
      if (parts_.clock->Now() >= end_)
        return NoWholePass(examples.size(), parts_.budget);
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

  // By accuracy, then loss.
  Result<Judgement> Judge(const LabelLessons& lessons) {
    const EncoderExamples& held_out = parts_.held_out;
    const StepRows order = ShortestFirst(held_out.texts);
    const size_t labels = settings_.shape.labels;
    size_t right = 0;
    double loss = 0;
    for (size_t at = 0; at < order.size(); at += together_) {
      const std::span<const uint32_t> rows = std::span(order).subspan(
          at, std::min<size_t>(together_, order.size() - at));
      MODICUM_TRY(const auto logits, graph_.Logits(lessons.Asked(rows)));
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
    return Judgement{static_cast<double>(right) / count, loss / count};
  }

  EncoderWeights& weights_;
  const EncoderParts& parts_;
  const EncoderSettings& settings_;
  EncoderGraph graph_;
  const MonotonicTime end_;
  uint32_t together_ = 1;  // texts computed at once
};

}  // namespace

Status TrainEncoder(EncoderWeights& weights, const EncoderParts& parts) {
  return Training(weights, parts).Run();
}

}  // namespace modicum
