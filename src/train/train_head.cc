// SPDX-License-Identifier: Apache-2.0
#include "train/train_head.h"

#include <fmt/format.h>

#include <filesystem>

#include "model/head_job.h"
#include "record/quality_text.h"
#include "train/head_scores.h"

namespace modicum {
namespace {

// Tokens in one forward pass, about: as `modicum bench` asks heads.
constexpr int kPassTokens = 1024;

class HeadRun {
 public:
  HeadRun(const HeadTask& task, const HeadData& data, const TrainParts& parts)
      : task_(task), data_(data), parts_(parts), scores_(MakeHeadScores(data)) {
    call_.stop = parts.stop;
    call_.threads = parts.threads;
  }

  Result<TrainResult> Do() {
    MODICUM_RETURN_IF_ERROR(Train());
    MODICUM_RETURN_IF_ERROR(Describe());
    MODICUM_TRY(result_.validation,
                scores_->FigureOn(data_.validation, "validation", *encoder_,
                                  call_, parts_.sink));
    if (data_.test) {
      MODICUM_TRY(result_.test,
                  scores_->FigureOn(*data_.test, "test", *encoder_, call_,
                                    parts_.sink));
    }
    parts_.checkpoint.Remove();
    return std::move(result_);
  }

 private:
  Status Train() {
    HeadJob job;
    job.kind = task_.kind;
    job.settings = task_.encoder;
    job.labels = data_.labels;
    job.tagged = data_.tagged;
    job.answers = data_.answers;
    job.texts = data_.texts;
    job.budget.stop = parts_.stop;
    job.budget.wall = task_.time;
    job.budget.memory = task_.memory;
    job.budget.threads = parts_.threads;
    job.budget.seed = task_.seed;
    job.checkpoint = &parts_.checkpoint;
    job.path = parts_.path;
    job.judge = [this](HeadedEncoder& encoder) {
      return scores_->QualityOn(data_.validation, encoder, call_, parts_.sink);
    };
    job.on_epoch = [this](const HeadEpoch& epoch) { Keep(epoch); };
    job.on_step = [this](uint64_t done, uint64_t all) {
      if (parts_.progress) parts_.progress(done, all, last_);
    };
    return parts_.engine.TrainHead(job, parts_.sink);
  }

  void Keep(const HeadEpoch& epoch) {
    result_.epochs.push_back({epoch.epoch + 1, epoch.loss, epoch.quality});
    last_ = fmt::format("epoch {}: {} {}", epoch.epoch + 1, data_.metric,
                        FormatQuality(data_.metric, epoch.quality));
  }

  // From the files, as they will be used.
  Status Describe() {
    NeuralSettings settings;
    settings.threads = parts_.threads;
    settings.micro_batch = kPassTokens;
    MODICUM_TRY(encoder_, parts_.engine.OpenHeaded(parts_.path, settings, call_,
                                                   parts_.sink));
    result_.name = task_.name;
    result_.kind = HeadKindName(task_.kind);
    result_.network = parts_.path;
    result_.base = task_.encoder.base;
    result_.frozen = task_.encoder.frozen;
    result_.parameters = encoder_->info().parameters;
    result_.labels = data_.labels.size();
    result_.examples = data_.train.items.size();
    result_.baseline = scores_->BaselineName();
    result_.metric = data_.metric;
    result_.notes = data_.notes;
    return {};
  }

  const HeadTask& task_;
  const HeadData& data_;
  const TrainParts& parts_;
  const std::unique_ptr<HeadScores> scores_;
  CallOptions call_;
  TrainResult result_;
  std::string last_;  // what the last epoch came to
  std::unique_ptr<HeadedEncoder> encoder_;
};

}  // namespace

Result<TrainResult> TrainHead(const HeadTask& task, const HeadData& data,
                              const TrainParts& parts) {
  auto result = HeadRun(task, data, parts).Do();
  if (result || result.error().code != ErrorCode::kInterrupted) return result;
  if (!std::filesystem::exists(parts.checkpoint.path())) return result;
  return Fail(ErrorCode::kInterrupted,
              fmt::format("training interrupted; its state is in {}",
                          parts.checkpoint.path()),
              "run the same command again to go on from there");
}

}  // namespace modicum
