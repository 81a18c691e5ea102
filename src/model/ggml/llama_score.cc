// SPDX-License-Identifier: Apache-2.0
// How likely text is: logits, and likelihoods of continuations.
#include <fmt/format.h>

#include <algorithm>

#include "model/ggml/llama_model.h"
#include "model/log_softmax.h"

namespace modicum {
namespace {

double LogProbability(std::span<const float> logits, TokenId token) {
  return double{logits[static_cast<size_t>(token)]} - LogSumExp(logits);
}

// What a row of a batch, or a prompt, tells about the token that follows it.
struct Target {
  uint32_t row;
  size_t continuation;
  TokenId token;
};

// Continuations of one prompt, each in a sequence of its own.
class Scorer {
 public:
  // Sequence 0 of `compute` holds the prompt, of `length` tokens.
  Scorer(Compute& compute, size_t length, const CallOptions& call,
         PhaseSink& sink, double kv_bytes_per_token)
      : compute_(compute),
        length_(length),
        call_(call),
        sink_(sink),
        kv_bytes_per_token_(kv_bytes_per_token),
        // Each row costs a vocabulary of logits.
        batch_(compute.shape().micro_batch) {}

  // Adds to sums[i] for continuations [first, first + count).
  Status Score(std::span<const TokenIds> continuations, size_t first,
               size_t count, std::vector<double>& sums) {
    llama_memory_t memory = compute_.memory();
    for (size_t k = 0; k < count; ++k)
      llama_memory_seq_cp(memory, 0, static_cast<llama_seq_id>(k + 1), -1, -1);
    const Status read = Read(continuations, first, count, sums);
    for (size_t k = 0; k < count; ++k)
      llama_memory_seq_rm(memory, static_cast<llama_seq_id>(k + 1), -1, -1);
    return read;
  }

 private:
  Status Read(std::span<const TokenIds> continuations, size_t first,
              size_t count, std::vector<double>& sums) {
    for (size_t k = 0; k < count; ++k) {
      const TokenIds& tokens = continuations[first + k];
      for (size_t j = 0; j + 1 < tokens.size(); ++j) {
        targets_.push_back({batch_.size(), first + k, tokens[j + 1]});
        batch_.Add(tokens[j], length_ + j, k + 1, true);
        if (batch_.full()) MODICUM_RETURN_IF_ERROR(Flush(sums));
      }
    }
    return Flush(sums);
  }

  Status Flush(std::vector<double>& sums) {
    if (batch_.size() == 0) return {};
    MODICUM_RETURN_IF_ERROR(compute_.Run(batch_, call_));
    std::vector<SeqWork> work;
    for (const Target& target : targets_) {
      sums[target.continuation] +=
          LogProbability(compute_.Logits(target.row), target.token);
      if (work.empty() || work.back().id != RequestId{target.continuation})
        work.push_back({RequestId{target.continuation}, 0, 0, 0});
      ++work.back().tokens_in;
      work.back().kv_bytes = static_cast<uint64_t>(
          kv_bytes_per_token_ *
          static_cast<double>(length_ + work.back().tokens_in));
    }
    sink_.Step(Phase::kPrefill, work);
    batch_.Clear();
    targets_.clear();
    return {};
  }

  Compute& compute_;
  const size_t length_;
  const CallOptions& call_;
  PhaseSink& sink_;
  const double kv_bytes_per_token_;
  Batch batch_;
  std::vector<Target> targets_;
};

}  // namespace

Status LlamaModel::Logits(
    std::span<const TokenId> tokens, size_t from, const CallOptions& call,
    const std::function<void(size_t, std::span<const float>)>& visit,
    PhaseSink& sink) {
  MODICUM_TRY(Compute* const compute, TextCompute());
  MODICUM_RETURN_IF_ERROR(CheckLength(tokens.size(), "the text"));
  ForgetPrompt(*compute);
  sink.Begin(Phase::kPrefill);
  // One graph a call: a row that is wanted costs a vocabulary of logits.
  Batch batch(compute->shape().micro_batch);
  for (size_t at = 0; at < tokens.size();) {
    batch.Clear();
    const size_t first = at;
    for (; at < tokens.size() && !batch.full(); ++at)
      batch.Add(tokens[at], at, 0, at >= from);
    MODICUM_RETURN_IF_ERROR(compute->Run(batch, call));
    for (size_t i = std::max(first, from); i < at; ++i)
      visit(i, compute->Logits(static_cast<uint32_t>(i - first)));
    const SeqWork work = WorkOf(0, at - first, 0, at);
    sink.Step(Phase::kPrefill, {&work, 1});
  }
  return {};
}

void LlamaModel::ForgetPrompt(Compute& compute) {
  compute.Forget();
  kept_.clear();
  kept_logits_.clear();
}

Status LlamaModel::KeepPrompt(Compute& compute, std::span<const TokenId> prompt,
                              const CallOptions& call, PhaseSink& sink) {
  const auto differ = std::ranges::mismatch(kept_, prompt);
  auto same = static_cast<size_t>(differ.in1 - kept_.begin());
  if (same == prompt.size() && same == kept_.size()) return {};
  // The last token is read anyway: its logits are wanted. What keeps states
  // instead of tokens cannot be cut back.
  same = std::min(same, prompt.size() - 1);
  if (same == 0 || !llama_memory_seq_rm(compute.memory(), 0,
                                        static_cast<llama_pos>(same), -1)) {
    compute.Forget();
    same = 0;
  }
  kept_.clear();  // until all is read
  MODICUM_RETURN_IF_ERROR(Feed(compute, prompt, same, call, sink));
  const auto logits = compute.Logits(static_cast<uint32_t>(
      (prompt.size() - same - 1) % compute.shape().batch));
  kept_logits_.assign(logits.begin(), logits.end());
  kept_.assign(prompt.begin(), prompt.end());
  return {};
}

Result<std::vector<double>> LlamaModel::LogLikelihoods(
    std::span<const TokenId> prompt, std::span<const TokenIds> continuations,
    const CallOptions& call, PhaseSink& sink) {
  MODICUM_TRY(Compute* const compute, TextCompute());
  MODICUM_RETURN_IF_ERROR(CheckLength(prompt.size(), "the prompt"));
  for (const TokenIds& tokens : continuations) {
    MODICUM_RETURN_IF_ERROR(CheckLength(tokens.size(), "a continuation"));
    for (const TokenId token : tokens)
      if (token < 0 || static_cast<uint32_t>(token) >= info_.vocabulary)
        return Fail(ErrorCode::kInvalidInput,
                    fmt::format("token {} is not in the vocabulary", token));
    MODICUM_RETURN_IF_ERROR(CheckLength(prompt.size() + tokens.size() - 1,
                                        "prompt and continuation"));
  }
  sink.Begin(Phase::kPrefill);
  MODICUM_RETURN_IF_ERROR(KeepPrompt(*compute, prompt, call, sink));
  std::vector<double> sums;
  for (const TokenIds& tokens : continuations)
    sums.push_back(LogProbability(kept_logits_, tokens[0]));
  Scorer scorer(*compute, prompt.size(), call, sink, kv_bytes_per_token_);
  const auto at_once = static_cast<size_t>(settings_.sequences);
  for (size_t first = 0; first < continuations.size(); first += at_once) {
    const size_t count = std::min(at_once, continuations.size() - first);
    if (const Status scored = scorer.Score(continuations, first, count, sums);
        !scored) {
      ForgetPrompt(*compute);
      return Fail(scored.error());
    }
  }
  return sums;
}

}  // namespace modicum
