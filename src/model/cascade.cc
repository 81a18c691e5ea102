// SPDX-License-Identifier: Apache-2.0
#include "model/cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "model/engine.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr char kCascadeFormat[] = "modicum-cascade-1";
constexpr size_t kMostStages = 8;

Status RefuseCascade(std::string what) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: {}", kCascadeFile, what),
              "'modicum fit' writes it; make the artifact again");
}

bool IsPlainName(const std::string& name) {
  return !name.empty() &&
         name.find_first_not_of("0123456789") == std::string::npos;
}

Result<CascadeStage> StageOf(const Json& json) {
  if (!json.is_object() || !json.contains("family") ||
      !json["family"].is_string() || !json.contains("folder") ||
      !json["folder"].is_string() || !json.contains("threshold") ||
      !json["threshold"].is_number())
    return Fail(
        RefuseCascade("a stage lacks family, folder or threshold").error());
  CascadeStage stage{json["family"], json["folder"], json["threshold"]};
  if (stage.family == kCascadeFamily)
    return Fail(RefuseCascade("a cascade within a cascade").error());
  if (!IsPlainName(stage.folder))
    return Fail(RefuseCascade("a stage's folder is no number").error());
  if (!(stage.threshold >= 0 && stage.threshold <= 1))
    return Fail(RefuseCascade("a threshold is outside [0, 1]").error());
  return stage;
}

class Cascade final : public Model {
 public:
  Cascade(std::vector<CascadeStage> stages,
          std::vector<std::unique_ptr<Model>> models)
      : stages_(std::move(stages)), models_(std::move(models)) {
    info_ = models_.back()->info();
    info_.family = kCascadeFamily;
    for (size_t i = 0; i + 1 < models_.size(); ++i) {
      const ModelInfo& part = models_[i]->info();
      info_.parameters += part.parameters;
      info_.bytes += part.bytes;
      const std::string engine = part.engine + " " + part.engine_version;
      if (part.engine != info_.engine &&
          info_.engine.find(engine) == std::string::npos)
        info_.engine = engine + " + " + info_.engine;
      if (info_.not_deterministic.empty())
        info_.not_deterministic = part.not_deterministic;
    }
  }

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    MODICUM_TRY(std::vector<Output> outputs,
                models_.front()->Predict(items, options, sink));
    for (size_t stage = 1; stage < models_.size(); ++stage)
      MODICUM_RETURN_IF_ERROR(Ask(stage, items, options, sink, outputs));
    return outputs;
  }

 private:
  // Whether the stage before left the item open. Its answers with no
  // probability are never final.
  bool Open(const Output& output, size_t stage) const {
    const Label* label = std::get_if<Label>(&output);
    if (label == nullptr || label->probabilities.empty()) return true;
    const float sure = *std::max_element(label->probabilities.begin(),
                                         label->probabilities.end());
    return double{sure} < stages_[stage - 1].threshold;
  }

  // Asks the stage about runs of neighbouring open items, so that none is
  // copied.
  Status Ask(size_t stage, std::span<const Item> items,
             const CallOptions& options, PhaseSink& sink,
             std::vector<Output>& outputs) {
    // An answer that an earlier stage left final stays so.
    if (closed_.size() < items.size()) closed_.resize(items.size());
    if (stage == 1) std::fill(closed_.begin(), closed_.end(), false);
    for (size_t i = 0; i < items.size(); ++i)
      closed_[i] = closed_[i] || !Open(outputs[i], stage);
    for (size_t begin = 0; begin < items.size(); ++begin) {
      if (closed_[begin]) continue;
      size_t end = begin + 1;
      while (end < items.size() && !closed_[end]) ++end;
      MODICUM_TRY(auto answers,
                  models_[stage]->Predict(items.subspan(begin, end - begin),
                                          options, sink));
      std::move(answers.begin(), answers.end(),
                outputs.begin() + static_cast<ptrdiff_t>(begin));
      begin = end;
    }
    return {};
  }

  std::vector<CascadeStage> stages_;
  std::vector<std::unique_ptr<Model>> models_;
  std::vector<bool> closed_;
  ModelInfo info_;
};

}  // namespace

std::string EncodeCascade(const std::vector<CascadeStage>& stages) {
  Json list = Json::array();
  for (const CascadeStage& stage : stages)
    list.push_back({{"family", stage.family},
                    {"folder", stage.folder},
                    {"threshold", stage.threshold}});
  return Json{{"format", kCascadeFormat}, {"stages", std::move(list)}}.dump(2) +
         "\n";
}

Result<std::vector<CascadeStage>> DecodeCascade(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("format") ||
      json["format"] != kCascadeFormat || !json.contains("stages") ||
      !json["stages"].is_array())
    return Fail(RefuseCascade("is not a cascade of this version").error());
  const Json& list = json["stages"];
  if (list.size() < 2 || list.size() > kMostStages)
    return Fail(RefuseCascade("needs two to eight stages").error());
  std::vector<CascadeStage> stages;
  for (const Json& one : list) {
    MODICUM_TRY(CascadeStage stage, StageOf(one));
    stages.push_back(std::move(stage));
  }
  return stages;
}

std::unique_ptr<Model> MakeCascade(std::vector<CascadeStage> stages,
                                   std::vector<std::unique_ptr<Model>> models) {
  MODICUM_CHECK(stages.size() == models.size() && models.size() >= 2);
  return std::make_unique<Cascade>(std::move(stages), std::move(models));
}

Result<std::unique_ptr<Model>> LoadCascade(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(const std::string text, ReadFile(directory + "/" + kCascadeFile));
  MODICUM_TRY(std::vector<CascadeStage> stages, DecodeCascade(text));
  std::vector<std::unique_ptr<Model>> models;
  for (const CascadeStage& stage : stages) {
    MODICUM_TRY(
        auto model,
        LoadModel(stage.family, directory + "/" + stage.folder, labels, sink));
    models.push_back(std::move(model));
  }
  return MakeCascade(std::move(stages), std::move(models));
}

}  // namespace modicum
