// SPDX-License-Identifier: Apache-2.0
// Phases of a model's work. Engines report them, the meter listens: this
// interface sits in base so that no include points upwards.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace modicum {

enum class Phase {
  kIdle,
  kLoad,
  kPrepare,  // preprocessing: tokenising, features
  kWarmUp,
  kTrain,
  kPrefill,  // for models without a decoder: the whole computation
  kDecode,
  kWait,  // for input
};
inline constexpr Phase kAllPhases[] = {
    Phase::kIdle,  Phase::kLoad,    Phase::kPrepare, Phase::kWarmUp,
    Phase::kTrain, Phase::kPrefill, Phase::kDecode,  Phase::kWait};

constexpr std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kIdle:
      return "idle";
    case Phase::kLoad:
      return "load";
    case Phase::kPrepare:
      return "prepare";
    case Phase::kWarmUp:
      return "warm-up";
    case Phase::kTrain:
      return "train";
    case Phase::kPrefill:
      return "prefill";
    case Phase::kDecode:
      return "decode";
    case Phase::kWait:
      return "wait";
  }
  return "?";
}

enum class RequestId : uint64_t {};

// The part one sequence has in a step of a batch.
struct SeqWork {
  RequestId id{};
  uint32_t tokens_in = 0;
  uint32_t tokens_out = 0;
  uint64_t kv_bytes = 0;
};

// Called from the thread that does the work. Implementations are cheap: an
// engine may call Begin once per batch and Step once per forward pass.
class PhaseSink {
 public:
  virtual ~PhaseSink() = default;
  // The phase before this one ends here.
  virtual void Begin(Phase phase) = 0;
  // One step of the current phase, split over its sequences by a named rule.
  virtual void Step(Phase phase, std::span<const SeqWork> work) = 0;
};

// Ignores everything.
class NullSink final : public PhaseSink {
 public:
  void Begin(Phase) override {}
  void Step(Phase, std::span<const SeqWork>) override {}
};

}  // namespace modicum
