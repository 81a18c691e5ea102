// SPDX-License-Identifier: Apache-2.0
#include "bench/texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bench/networks.h"
#include "evaluate/metric.h"
#include "evaluate/quality.h"
#include "model/artifact.h"

namespace modicum {
namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";

Result<Dataset> Load(const std::string& path, const TaskSettings& settings,
                     const std::string& label) {
  LoadOptions options;
  options.format = settings.format;
  if (!settings.text.empty()) options.text = settings.text;
  options.label = label;
  return LoadDataset(path, options);
}

class Artifact final : public BenchSubject {
 public:
  explicit Artifact(LoadedArtifact loaded) : loaded_(std::move(loaded)) {
    const ModelInfo& info = loaded_.model->info();
    facts_ = {
        loaded_.card.family,
        info.engine +
            (info.engine_version.empty() ? "" : " " + info.engine_version),
        info.parameters,
        info.bytes,
        loaded_.card.artifact,
        loaded_.card.labels,
        loaded_.card.data};
  }
  const SubjectFacts& facts() const override { return facts_; }
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work&) override {
    return loaded_.model->Predict(items, call, sink);
  }

 private:
  LoadedArtifact loaded_;
  SubjectFacts facts_;
};

Result<std::unique_ptr<BenchSubject>> OpenArtifact(const std::string& path,
                                                   PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(LoadedArtifact loaded, LoadArtifact(path, sink));
  if (!loaded.card.columns.empty())
    return Fail(ErrorCode::kInvalidInput,
                path + " reads a table of numbers, the task is over texts");
  return std::make_unique<Artifact>(std::move(loaded));
}

// Where each of the model's labels is among the data's.
std::vector<LabelIndex> LabelPlaces(const std::vector<std::string>& labels,
                                    const Workload& workload) {
  std::vector<LabelIndex> places;
  for (const std::string& label : labels) {
    const auto& answers = workload.settings->answers;
    const auto renamed = answers.find(label);
    const std::string& name =
        renamed == answers.end() ? label : renamed->second;
    const auto at =
        std::find(workload.labels.begin(), workload.labels.end(), name);
    places.push_back(
        at == workload.labels.end()
            ? kUnlabelled
            : static_cast<LabelIndex>(at - workload.labels.begin()));
  }
  return places;
}

// The answer in the data's labels.
Label Translated(const Label& answer, const std::vector<LabelIndex>& places,
                 size_t data_labels) {
  Label out;
  const auto index = static_cast<size_t>(answer.index);
  if (answer.index >= 0 && index < places.size()) out.index = places[index];
  if (answer.probabilities.empty()) return out;
  out.probabilities.resize(data_labels);
  for (size_t i = 0; i < std::min(places.size(), answer.probabilities.size());
       ++i)
    if (places[i] >= 0)
      out.probabilities[static_cast<size_t>(places[i])] +=
          answer.probabilities[i];
  return out;
}

}  // namespace

Result<Dataset> LoadLabelledTexts(const std::string& path,
                                  const TaskSettings& settings) {
  return Load(path, settings, settings.label.value_or("label"));
}

Result<Dataset> LoadTexts(const std::string& path,
                          const TaskSettings& settings) {
  return Load(path, settings, settings.label.value_or(""));
}

void KeepWords(Item& item, uint64_t words) {
  auto& text = std::get<Text>(item.payload).text;
  if (words == 0) return;
  size_t end = 0;
  for (uint64_t i = 0; i < words; ++i) {
    const size_t begin = text.find_first_not_of(kBlank, end);
    if (begin == std::string::npos) return;
    end = std::min(text.find_first_of(kBlank, begin), text.size());
  }
  text.resize(end);
}

Result<std::unique_ptr<BenchSubject>> OpenTextClassifier(
    const std::string& path, const Workload& workload, const CallOptions& call,
    PhaseSink& sink) {
  return std::filesystem::is_directory(path)
             ? OpenArtifact(path, sink)
             : OpenNetworkClassifier(path, workload, call, sink);
}

Result<Scored> ScoreLabels(BenchSubject& subject, const Workload& workload,
                           std::span<const Item> items,
                           std::span<const Output> outputs,
                           const CallOptions&) {
  Scored scored;
  if (workload.labels.empty()) {
    scored.note = "not scored: the data has no labels";
    return scored;
  }
  const auto& labels = subject.facts().labels;
  const std::vector<LabelIndex> places = LabelPlaces(labels, workload);
  if (std::all_of(places.begin(), places.end(),
                  [](LabelIndex place) { return place == kUnlabelled; })) {
    scored.note = fmt::format(
        "not scored: it answers {}, the data has {}; answers = {{...}} of the "
        "task says which is which",
        fmt::join(labels, ", "), fmt::join(workload.labels, ", "));
    return scored;
  }
  MODICUM_TRY(const auto metric,
              MakeMetric(MetricOf(*workload.settings), workload.labels));
  std::vector<ItemScore> scores;
  for (size_t i = 0; i < items.size(); ++i)
    scores.push_back(
        {items[i].id, items[i].group,
         metric->Score(items[i], Translated(std::get<Label>(outputs[i]), places,
                                            workload.labels.size()))});
  scored.figure = QualityOf(*metric, scores, workload.data);
  scored.correct_share = metric->CorrectShare(scores);
  scored.above_floor =
      workload.settings->floor &&
      MeetsFloor(*metric, *scored.figure, *workload.settings->floor);
  return scored;
}

}  // namespace modicum
