// SPDX-License-Identifier: Apache-2.0
#include "model/neural_classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/network_file.h"
#include "model/text_features.h"

namespace modicum {

namespace {

// Texts in one call of the network, which sorts them by length.
constexpr size_t kTextsAtOnce = 256;
// Texts in one graph, at most.
constexpr int kTogether = 64;

Label LabelOf(const std::vector<float>& logits) {
  Label label;
  const auto most = std::max_element(logits.begin(), logits.end());
  label.index = static_cast<LabelIndex>(most - logits.begin());
  float sum = 0;
  for (const float logit : logits)
    sum += label.probabilities.emplace_back(std::exp(logit - *most));
  for (float& p : label.probabilities) p /= sum;
  return label;
}

class NeuralClassifier final : public Model {
 public:
  NeuralClassifier(std::unique_ptr<NeuralModel> network, ModelInfo info)
      : network_(std::move(network)), info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    if (options.explain > 0)
      return Fail(ErrorCode::kUnavailable,
                  "family encoder cannot explain its answers: what a network "
                  "computes does not fall apart into its words",
                  "leave out --explain, or choose linear, fasttext, forest or "
                  "boosted");
    std::vector<Output> outputs;
    outputs.reserve(items.size());
    for (size_t at = 0; at < items.size(); at += kTextsAtOnce) {
      const auto part =
          items.subspan(at, std::min(kTextsAtOnce, items.size() - at));
      sink.Begin(Phase::kPrepare);
      MODICUM_TRY(const auto texts, Tokenize(part, options));
      sink.Begin(Phase::kPrefill);
      MODICUM_TRY(const auto logits, network_->Classify(texts, options, sink));
      for (const auto& one : logits) outputs.emplace_back(LabelOf(one));
    }
    return outputs;
  }

 private:
  Result<std::vector<TokenIds>> Tokenize(std::span<const Item> items,
                                         const CallOptions& options) const {
    std::vector<TokenIds> texts;
    for (const Item& item : items) {
      if (options.stop.stop_requested())
        return Fail(ErrorCode::kInterrupted, "prediction interrupted");
      MODICUM_TRY(const std::string_view text, TextOf(item));
      MODICUM_TRY(TokenIds tokens, network_->Tokenize(text, true));
      texts.push_back(std::move(tokens));
    }
    return texts;
  }

  const std::unique_ptr<NeuralModel> network_;
  const ModelInfo info_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeNeuralClassifier(
    std::unique_ptr<NeuralModel> network, const NeuralEngine& engine,
    const std::vector<std::string>& labels) {
  const NeuralInfo& of = network->info();
  if (of.labels != labels)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: its labels are not the model's: {} instead "
                            "of {}",
                            of.path, fmt::join(of.labels, ", "),
                            fmt::join(labels, ", ")),
                "take the file that was trained for them");
  ModelInfo info;
  info.family = kEncoderFamily;
  info.engine = engine.name();
  info.engine_version = engine.version();
  info.parameters = of.parameters;
  info.bytes = of.bytes;
  info.labels = labels;
  return std::make_unique<NeuralClassifier>(std::move(network),
                                            std::move(info));
}

Result<std::unique_ptr<Model>> LoadEncoder(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(NeuralEngine * engine, FindNeuralEngine());
  NeuralSettings settings;
  settings.threads = 1;
  settings.sequences = kTogether;
  settings.vectors = true;
  MODICUM_TRY(auto network, engine->Open(
                                directory + "/" + kNetworkFile, settings,
                                [](double) {}, {}, sink));
  return MakeNeuralClassifier(std::move(network), *engine, labels);
}

}  // namespace modicum
