// SPDX-License-Identifier: Apache-2.0
// For tests: a model whose inferences take as long as it is told, by a fake
// clock, and a task that it does.
#pragma once

#include <functional>

#include "base/fake_clock.h"
#include "bench/task.h"

namespace modicum {

class FakeSubject final : public BenchSubject {
 public:
  FakeSubject(FakeClock& clock, Seconds per_item,
              std::function<void(size_t)> on_call = {})
      : clock_(clock), per_item_(per_item), on_call_(std::move(on_call)) {
    facts_.family = "fake";
    facts_.engine = "clockwork 1";
    facts_.parameters = 7;
    facts_.bytes = Bytes(28);
    facts_.labels = {"a", "b"};
  }
  const SubjectFacts& facts() const override { return facts_; }
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    if (on_call_) on_call_(items.size());
    if (call.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "interrupted");
    if (calls_left-- == 0) return Fail(ErrorCode::kInternal, "the model broke");
    sink.Begin(Phase::kPrefill);
    clock_.Tick(per_item_ * static_cast<double>(items.size()));
    work.tokens_in += 3 * items.size();
    std::vector<Output> outputs;
    // Right where the id is even, so that half of the answers are.
    for (const Item& item : items)
      outputs.emplace_back(Label{
          item.id % 2 == 0 ? item.label : LabelIndex{1} - item.label, {}});
    return outputs;
  }
  int calls_left = 1 << 30;

 private:
  FakeClock& clock_;
  Seconds per_item_;
  std::function<void(size_t)> on_call_;
  SubjectFacts facts_;
};

}  // namespace modicum
