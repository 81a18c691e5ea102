// SPDX-License-Identifier: Apache-2.0
// Text, token by token.
#include <cmath>

#include "model/ggml/llama_model.h"
#include "model/ggml/sampler.h"
#include "model/ggml/text_stream.h"
#include "model/ggml/vectors.h"

namespace modicum {
namespace {

using End = Generation::End;

// A deadline is an end as good as any; a stop is not.
Result<End> EndOf(const Error& error, const CallOptions& call) {
  if (error.code == ErrorCode::kInterrupted && !call.stop.stop_requested())
    return End::kDeadline;
  return Fail(error);
}

}  // namespace

Status LlamaModel::Feed(Compute& compute, std::span<const TokenId> tokens,
                        size_t at, const CallOptions& call, PhaseSink& sink) {
  Batch batch(compute.shape().batch);
  while (at < tokens.size()) {
    batch.Clear();
    const size_t first = at;
    for (; at < tokens.size() && !batch.full(); ++at)
      batch.Add(tokens[at], at, 0, at + 1 == tokens.size());
    MODICUM_RETURN_IF_ERROR(compute.Run(batch, call));
    const SeqWork work = WorkOf(0, at - first, 0, at);
    sink.Step(Phase::kPrefill, {&work, 1});
  }
  return {};
}

Status LlamaModel::Write(Compute& compute, size_t position,
                         const GenerateOptions& options, TextStream& text,
                         Generation& result, PhaseSink& sink) {
  Sampler sampler(options);
  Batch batch(1);
  // Of the prompt's last call; then of calls of one token.
  auto row = static_cast<uint32_t>((position - 1) % compute.shape().batch);
  while (result.tokens.size() < options.max_tokens) {
    const std::span<float> logits = compute.Logits(row);
    if (options.ignore_end)
      for (const TokenId token : ends_)
        logits[static_cast<size_t>(token)] = -INFINITY;
    const TokenId token = sampler.Pick(logits);
    // A NaN is picked only where none is a number.
    MODICUM_RETURN_IF_ERROR(CheckNumbers(
        info_.path, logits.subspan(static_cast<size_t>(token), 1)));
    if (llama_vocab_is_eog(vocabulary_, token)) {
      result.end = End::kEndToken;
      return {};
    }
    result.tokens.push_back(token);
    if (!text.Add(Piece(token))) {
      result.end = End::kStopped;
      return {};
    }
    if (result.tokens.size() == options.max_tokens) break;
    if (position == info_.context) {
      result.end = End::kContext;
      return {};
    }
    batch.Clear();
    batch.Add(token, position++, 0, true);
    row = 0;
    MODICUM_RETURN_IF_ERROR(compute.Run(batch, options.call));
    const SeqWork work = WorkOf(0, 1, 1, position);
    sink.Step(Phase::kDecode, {&work, 1});
  }
  result.end = End::kLength;
  return {};
}

Result<Generation> LlamaModel::Generate(
    std::span<const TokenId> prompt, const GenerateOptions& options,
    const std::function<bool(std::string_view)>& on_text, PhaseSink& sink) {
  MODICUM_TRY(Compute* const compute, TextCompute());
  MODICUM_RETURN_IF_ERROR(CheckLength(prompt.size(), "the prompt"));
  ForgetPrompt(*compute);
  Generation result;
  TextStream text(on_text);
  sink.Begin(Phase::kPrefill);
  Status done = Feed(*compute, prompt, 0, options.call, sink);
  if (done) {
    sink.Begin(Phase::kDecode);
    done = Write(*compute, prompt.size(), options, text, result, sink);
  }
  if (!done) {
    MODICUM_TRY(result.end, EndOf(done.error(), options.call));
  }
  if (result.end != End::kStopped && !text.Finish()) result.end = End::kStopped;
  result.text = text.Take();
  return result;
}

}  // namespace modicum
