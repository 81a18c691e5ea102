// SPDX-License-Identifier: Apache-2.0
// How classical models answer: in blocks of items, first the features of all
// (kPrepare), then the computation (kPrefill), so that the phases are separate
// and a block's features stay in the cache between them.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "model/model.h"

namespace modicum {

inline constexpr size_t kBlock = 64;

// `prepare(block)` and `answer(block, outputs)`, which appends one output per
// item, are called in turn and give a Status.
template <class Prepare, class Answer>
Result<std::vector<Output>> PredictInBlocks(std::span<const Item> items,
                                            const CallOptions& options,
                                            PhaseSink& sink, Prepare&& prepare,
                                            Answer&& answer) {
  std::vector<Output> outputs;
  outputs.reserve(items.size());
  for (size_t at = 0; at < items.size(); at += kBlock) {
    if (options.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "prediction interrupted");
    const auto block = items.subspan(at, std::min(kBlock, items.size() - at));
    sink.Begin(Phase::kPrepare);
    MODICUM_RETURN_IF_ERROR(prepare(block));
    sink.Begin(Phase::kPrefill);
    MODICUM_RETURN_IF_ERROR(answer(block, outputs));
  }
  return outputs;
}

}  // namespace modicum
