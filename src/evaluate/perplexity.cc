// SPDX-License-Identifier: Apache-2.0
#include "evaluate/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "model/log_softmax.h"

namespace modicum {
namespace {

// Reports one phase as another.
class AsPhase final : public PhaseSink {
 public:
  AsPhase(Phase phase, PhaseSink& sink) : phase_(phase), sink_(sink) {}
  void Begin(Phase) override { sink_.Begin(phase_); }
  void Step(Phase, std::span<const SeqWork> work) override {
    sink_.Step(phase_, work);
  }

 private:
  const Phase phase_;
  PhaseSink& sink_;
};

class Moments {
 public:
  void Add(double x) {
    ++count_;
    sum_ += x;
    squares_ += x * x;
  }
  double mean() const { return sum_ / static_cast<double>(count_); }
  double error() const {
    if (count_ < 2) return 0;
    const auto n = static_cast<double>(count_);
    const double variance = squares_ / n - mean() * mean();
    return variance > 0 ? std::sqrt(variance / (n - 1)) : 0;
  }
  MeanFigure figure() const { return {mean(), error()}; }
  // exp of the mean, by the delta method.
  MeanFigure exponential() const {
    const double mid = std::exp(mean());
    return {mid, mid * error()};
  }
  uint64_t count() const { return count_; }

 private:
  uint64_t count_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

size_t Likeliest(std::span<const float> logits) {
  return static_cast<size_t>(std::ranges::max_element(logits) - logits.begin());
}

// Nats that predictions by `logits` lose where those by `base` are right.
double KlDivergence(std::span<const float> base, double base_sum,
                    std::span<const float> logits, double sum) {
  double total = 0;
  for (size_t i = 0; i < base.size(); ++i) {
    const double log_base = double{base[i]} - base_sum;
    const double share = std::exp(log_base);
    if (share > 0) total += share * (log_base - double{logits[i]} + sum);
  }
  return total;
}

class PairedChunks {
 public:
  PairedChunks(NeuralModel& network, NeuralModel* base,
               const PerplexityOptions& options, PhaseSink& sink)
      : network_(network),
        base_(base),
        options_(options),
        sink_(sink),
        base_sink_(Phase::kPrepare, sink),
        // Row r of a chunk is what follows its token r.
        first_(options.stride == 0 ? options.context / 2
                                   : options.context - options.stride - 1) {}

  Status ReadChunk(std::span<const TokenId> text) {
    TokenIds tokens(text.begin(), text.end());
    if (base_ != nullptr) MODICUM_RETURN_IF_ERROR(ReadBase(tokens));
    if (network_.info().beginning) tokens[0] = *network_.info().beginning;
    return network_.Logits(
        tokens, first_, options_.call,
        [&](size_t i, std::span<const float> logits) {
          if (i + 1 < tokens.size())
            Score(i - first_, logits, static_cast<size_t>(text[i + 1]));
        },
        sink_);
  }

  PerplexityFigure Figure(uint64_t chunks) const {
    PerplexityFigure figure;
    figure.tokens = loss_.count();
    figure.chunks = chunks;
    figure.perplexity = loss_.exponential();
    if (base_ == nullptr) return figure;
    figure.divergence =
        Divergence{base_loss_.exponential(), difference_.exponential(),
                   kl_.figure(), same_.figure()};
    return figure;
  }

 private:
  Status ReadBase(TokenIds tokens) {
    base_rows_.clear();
    if (base_->info().beginning) tokens[0] = *base_->info().beginning;
    return base_->Logits(
        tokens, first_, options_.call,
        [&](size_t i, std::span<const float> logits) {
          if (i + 1 < tokens.size())
            base_rows_.insert(base_rows_.end(), logits.begin(), logits.end());
        },
        base_sink_);
  }

  void Score(size_t row, std::span<const float> logits, size_t next) {
    const double sum = LogSumExp(logits);
    const double loss = sum - double{logits[next]};
    loss_.Add(loss);
    if (base_ == nullptr) return;
    const auto base = std::span<const float>(base_rows_)
                          .subspan(row * logits.size(), logits.size());
    const double base_sum = LogSumExp(base);
    const double base_loss = base_sum - double{base[next]};
    base_loss_.Add(base_loss);
    difference_.Add(loss - base_loss);
    kl_.Add(KlDivergence(base, base_sum, logits, sum));
    same_.Add(Likeliest(base) == Likeliest(logits) ? 1 : 0);
  }

  NeuralModel& network_;
  NeuralModel* const base_;
  const PerplexityOptions& options_;
  PhaseSink& sink_;
  AsPhase base_sink_;
  const size_t first_;
  std::vector<float> base_rows_;  // logits of the chunk's scored rows
  Moments loss_, base_loss_, difference_, kl_, same_;
};

Status CheckOptions(const NeuralModel& network, const NeuralModel* base,
                    size_t tokens, const PerplexityOptions& options) {
  if (options.context < 4)
    return Fail(ErrorCode::kInvalidInput,
                "a context of less than 4 tokens predicts nothing");
  if (options.stride >= options.context)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("a stride of {} leaves no context of {}",
                            options.stride, options.context),
                "use a stride of half the context or less");
  for (const NeuralModel* model : {&network, base})
    if (model != nullptr && model->info().context < options.context)
      return Fail(
          ErrorCode::kInvalidInput,
          fmt::format("{} keeps {} tokens, a chunk has {}", model->info().path,
                      model->info().context, options.context),
          fmt::format("use --context {} or less", model->info().context));
  if (base != nullptr && base->info().vocabulary != network.info().vocabulary)
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{} knows {} tokens, {} {}: they cannot be "
                    "compared",
                    base->info().path, FormatCount(base->info().vocabulary),
                    network.info().path,
                    FormatCount(network.info().vocabulary)));
  if (tokens >= 2 * uint64_t{options.context}) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("the text has {} tokens; perplexity over {} needs {}",
                          FormatCount(tokens), options.context,
                          FormatCount(2 * uint64_t{options.context})),
              "give it more text, or a shorter --context");
}

}  // namespace

Result<PerplexityFigure> MeasurePerplexity(NeuralModel& network,
                                           NeuralModel* base,
                                           std::span<const TokenId> text,
                                           const PerplexityOptions& options,
                                           PhaseSink& sink) {
  MODICUM_RETURN_IF_ERROR(CheckOptions(network, base, text.size(), options));
  const size_t step = options.stride == 0 ? options.context : options.stride;
  uint64_t chunks = (text.size() - options.context) / step + 1;
  if (options.chunks > 0) chunks = std::min(chunks, options.chunks);
  PairedChunks comparison(network, base, options, sink);
  for (uint64_t i = 0; i < chunks; ++i) {
    if (i > 0 && options.progress) options.progress(i, chunks);
    MODICUM_RETURN_IF_ERROR(
        comparison.ReadChunk(text.subspan(i * step, options.context)));
  }
  return comparison.Figure(chunks);
}

}  // namespace modicum
