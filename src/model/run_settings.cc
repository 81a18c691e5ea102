// SPDX-License-Identifier: Apache-2.0
#include "model/run_settings.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace modicum {

namespace {

// One call's batches, shared by the threads that work on them.
class Batches {
 public:
  Batches(std::span<const Item> items, size_t batch)
      : items_(items), batch_(batch), outputs_(items.size()) {}

  size_t count() const { return (items_.size() + batch_ - 1) / batch_; }

  // Takes batches until there are no more or one has failed.
  void Work(Model& model, const CallOptions& options, PhaseSink& sink) {
    while (!failed_) {
      const size_t at = next_++ * batch_;
      if (at >= items_.size()) return;
      const auto part =
          items_.subspan(at, std::min(batch_, items_.size() - at));
      auto answered = Answer(model, part, options, sink);
      if (!answered) return SetError(at, std::move(answered).error());
      std::move(answered->begin(), answered->end(),
                outputs_.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  Result<std::vector<Output>> Take() {
    if (failed_) return Fail(std::move(error_));
    return std::move(outputs_);
  }

 private:
  // An exception must not end the process from a thread of ours.
  static Result<std::vector<Output>> Answer(Model& model,
                                            std::span<const Item> items,
                                            const CallOptions& options,
                                            PhaseSink& sink) {
    try {
      auto outputs = model.Predict(items, options, sink);
      if (outputs && outputs->size() != items.size())
        return Fail(ErrorCode::kInternal, "a model skipped items");
      return outputs;
    } catch (const std::exception& e) {
      return Fail(ErrorCode::kInternal,
                  std::string("prediction failed: ") + e.what());
    }
  }
  // Batches are begun in order: of all failures the first item's is kept.
  void SetError(size_t at, Error error) {
    const std::lock_guard lock(mutex_);
    if (!failed_ || at < error_at_) {
      error_at_ = at;
      error_ = std::move(error);
    }
    failed_ = true;
  }

  const std::span<const Item> items_;
  const size_t batch_;
  std::vector<Output> outputs_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  size_t error_at_ = 0;
  Error error_{};
};

class Settings final : public Model {
 public:
  Settings(std::vector<std::unique_ptr<Model>> instances, size_t batch)
      : instances_(std::move(instances)), batch_(batch) {}

  const ModelInfo& info() const override { return instances_[0]->info(); }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    Batches batches(items, batch_);
    const size_t workers = std::min(instances_.size(), batches.count());
    {
      NullSink silent;
      std::vector<std::jthread> helpers;
      for (size_t i = 1; i < workers; ++i)
        helpers.emplace_back(
            [&, i] { batches.Work(*instances_[i], options, silent); });
      batches.Work(*instances_[0], options, sink);
    }
    return batches.Take();
  }

 private:
  const std::vector<std::unique_ptr<Model>> instances_;
  const size_t batch_;
};

}  // namespace

Result<std::unique_ptr<Model>> WithRunSettings(
    std::vector<std::unique_ptr<Model>> instances, int batch) {
  if (instances.empty())
    return Fail(ErrorCode::kInvalidInput, "a model needs at least one thread");
  if (batch < 1) {
    return Fail(ErrorCode::kInvalidInput,
                "batch = " + std::to_string(batch) +
                    ": a whole number of 1 or more expected");
  }
  return std::make_unique<Settings>(std::move(instances),
                                    static_cast<size_t>(batch));
}

}  // namespace modicum
