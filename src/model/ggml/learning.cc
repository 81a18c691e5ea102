// SPDX-License-Identifier: Apache-2.0
#include "model/ggml/learning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "model/bytes.h"

namespace modicum {

namespace {

// Copies of each number that learns beside its value: gradient, AdamW's two,
// the mean, the best.
constexpr double kCopies = 5;

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

class Learning {
 public:
  Learning(EncoderWeights& weights, EncoderGraph& graph,
           const LearningParts& parts)
      : weights_(weights),
        graph_(graph),
        parts_(parts),
        settings_(parts.settings),
        numbers_(ParametersOf(weights.shape(), weights.learns())),
        adamw_(numbers_, settings_.adamw),
        mean_(settings_.average),
        steps_an_epoch_((parts.lessons.texts().size() + settings_.batch - 1) /
                        settings_.batch),
        end_(parts.clock->Now() + parts.budget.wall) {}

  Status Run() {
    MODICUM_RETURN_IF_ERROR(Resume());
    for (; epoch_ < settings_.epochs && !Exhausted(); ++epoch_) {
      MODICUM_TRY(const bool whole, RunEpoch());
      if (!whole) break;  // out of time
      MODICUM_RETURN_IF_ERROR(EndEpoch());
    }
    MODICUM_RETURN_IF_ERROR(Save());
    if (parts_.keep_parts) return {};
    if (best_.empty())
      return NoWholePass(parts_.lessons.texts().size(), parts_.budget);
    weights_.Set(best_);
    return {};
  }

 private:
  bool Exhausted() const {
    return parts_.judge && !best_.empty() &&
           epoch_ > best_epoch_ + settings_.patience;
  }

  // False when the time was up before the epoch was.
  Result<bool> RunEpoch() {
    const std::vector<StepRows> steps =
        StepsOf(parts_.lessons.texts(), settings_.batch,
                StreamSeed(parts_.budget.seed, parts_.order, epoch_));
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
      ++done_;
      Tell(steps[done_ - before - 1]);
      if (parts_.checkpoint != nullptr && parts_.checkpoint->Due())
        MODICUM_RETURN_IF_ERROR(Save());
    }
    return true;
  }

  void Tell(const StepRows& rows) const {
    if (!parts_.on_step) return;
    LearningStep step{done_, steps_an_epoch_ * settings_.epochs, 0};
    for (const uint32_t row : rows)
      step.tokens += parts_.lessons.texts()[row].size();
    parts_.on_step(step);
  }

  // The step's texts in parts that fit into the memory.
  std::vector<EncoderBatch> BatchesOf(const StepRows& rows, Rng& rng) const {
    std::vector<EncoderBatch> batches;
    for (size_t at = 0; at < rows.size(); at += parts_.together) {
      const size_t count = std::min<size_t>(parts_.together, rows.size() - at);
      batches.push_back(
          parts_.lessons.BatchOf(std::span(rows).subspan(at, count), rng));
    }
    return batches;
  }

  Result<double> Step(const StepRows& rows) {
    Rng rng(StreamSeed(parts_.budget.seed, parts_.steps, done_));
    const std::vector<EncoderBatch> batches = BatchesOf(rows, rng);
    size_t answers = 0;
    for (const EncoderBatch& batch : batches)
      answers += parts_.lessons.Answers(batch);
    if (answers == 0) return 0;  // texts without words
    weights_.ClearGradients();
    double loss = 0;
    for (const EncoderBatch& batch : batches) {
      const size_t own = parts_.lessons.Answers(batch);
      if (own == 0) continue;
      const float share = static_cast<float>(own) / static_cast<float>(answers);
      MODICUM_TRY(const double mean,
                  graph_.Gradients(batch, settings_.dropout, share, rng));
      loss += mean * double{share};
    }
    if (!std::isfinite(loss))
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("{} diverged in step {}: the loss is no number",
                              parts_.name, done_ + 1),
                  "lower rate");
    ClipGradients(weights_.learnt(), settings_.clip);
    adamw_.Step(weights_.learnt(),
                LearningRate(done_, steps_an_epoch_ * settings_.epochs,
                             settings_.warm_up, settings_.rate));
    if (settings_.average > 0) mean_.Add(weights_.learnt());
    return loss;
  }

  // What counts is the mean, not where the last step ended.
  Status EndEpoch() {
    const bool averaged = mean_.count() > 0;
    if (averaged) mean_.Swap(weights_.learnt());
    const auto judged = Judge();
    if (averaged) mean_.Swap(weights_.learnt());
    if (!judged && judged.error().code == ErrorCode::kInterrupted)
      MODICUM_RETURN_IF_ERROR(Save());
    return judged;
  }

  // Keeps the weights when they are the best so far.
  Status Judge() {
    std::optional<Judgement> judgement;
    if (parts_.judge) {
      MODICUM_TRY(judgement, parts_.judge());
    }
    if (!judgement || *judgement > best_judgement_) {
      if (judgement) best_judgement_ = *judgement;
      best_epoch_ = epoch_;
      if (!parts_.keep_parts) best_ = weights_.Copy();
    }
    const double mean = loss_ / static_cast<double>(steps_an_epoch_);
    loss_ = 0;
    if (parts_.on_epoch) parts_.on_epoch(epoch_, mean, judgement);
    return {};
  }

  Status Save() {
    if (parts_.checkpoint == nullptr) return {};
    ByteWriter out;
    out.Put(epoch_);
    out.Put(done_);
    out.Put(loss_);
    out.Put(best_judgement_);
    out.Put(best_epoch_);
    out.Put(uint64_t{best_.size()});
    out.PutAll(best_);
    out.Put(mean_.count());
    out.Put(uint64_t{mean_.values().size()});
    out.PutAll(mean_.values());
    out.PutAll(weights_.Copy());
    out.Put(adamw_.state().steps);
    out.PutAll(adamw_.state().first);
    out.PutAll(adamw_.state().second);
    return parts_.checkpoint->Save(parts_.key, out.Take());
  }

  Status Resume() {
    if (parts_.checkpoint == nullptr) return {};
    MODICUM_TRY(const auto state, parts_.checkpoint->Load(parts_.key));
    if (!state) return {};
    ByteReader in(*state);
    epoch_ = in.Get<uint32_t>();
    done_ = in.Get<uint64_t>();
    loss_ = in.Get<double>();
    best_judgement_ = in.Get<Judgement>();
    best_epoch_ = in.Get<uint32_t>();
    best_ = in.GetAll<float>(in.Get<uint64_t>());
    const auto averaged = in.Get<uint64_t>();
    auto mean = in.GetAll<float>(in.Get<uint64_t>());
    const auto values = in.GetAll<float>(numbers_);
    AdamW::State moments;
    moments.steps = in.Get<uint64_t>();
    moments.first = in.GetAll<float>(numbers_);
    moments.second = in.GetAll<float>(numbers_);
    if (!in.ok() || in.left() > 0 || done_ < epoch_ * steps_an_epoch_ ||
        done_ > (epoch_ + uint64_t{1}) * steps_an_epoch_ ||
        (!best_.empty() && best_.size() != numbers_) ||
        mean.size() != (averaged > 0 ? numbers_ : 0))
      return Fail(ErrorCode::kInvalidInput,
                  parts_.checkpoint->path() + ": a damaged checkpoint",
                  "remove it to train from the start");
    weights_.Set(values);
    adamw_.Set(std::move(moments));
    mean_.Set(averaged, std::move(mean));
    return {};
  }

  EncoderWeights& weights_;
  EncoderGraph& graph_;
  const LearningParts& parts_;
  const LearningSettings& settings_;
  const uint64_t numbers_;  // that learn
  AdamW adamw_;
  WeightMean mean_;
  const uint64_t steps_an_epoch_;
  const MonotonicTime end_;

  uint32_t epoch_ = 0;
  uint64_t done_ = 0;  // steps
  double loss_ = 0;    // sum over the epoch's steps so far
  Judgement best_judgement_;
  uint32_t best_epoch_ = 0;
  std::vector<float> best_;
};

}  // namespace

Status Learn(EncoderWeights& weights, EncoderGraph& graph,
             const LearningParts& parts) {
  return Learning(weights, graph, parts).Run();
}

tl::unexpected<Error> NoWholePass(size_t texts, const Budget& budget) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("not one pass over {} texts fits into {:.0f} s of "
                          "training",
                          texts, budget.wall.value()),
              "take fewer texts, a smaller encoder, or more time");
}

void DropWords(double share, TokenId unknown, Rng& rng, EncoderBatch& batch) {
  if (share <= 0 || batch.tokens.empty()) return;
  for (size_t i = 0; i < batch.texts(); ++i)
    for (size_t at = 1; at + 1 < batch.lengths[i]; ++at)
      if (rng.Unit() < share) batch.tokens[i * batch.length + at] = unknown;
}

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

}  // namespace modicum
