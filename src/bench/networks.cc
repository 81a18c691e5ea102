// SPDX-License-Identifier: Apache-2.0
#include "bench/networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "model/network_file.h"

namespace modicum {
namespace {

// Texts whose likelihood is asked for: a tenth of a run's work.
constexpr size_t kLikelihoodTexts = 100;
// Tokens of a text are seldom more than this times its words.
constexpr uint64_t kTokensPerWord = 4;
constexpr uint64_t kLeastContext = 512;

const std::string& TextOf(const Item& item) {
  return std::get<Text>(item.payload).text;
}

// What the three kinds have in common.
class NetworkSubject : public BenchSubject {
 public:
  explicit NetworkSubject(std::unique_ptr<NeuralModel> network)
      : network_(std::move(network)) {
    const NeuralInfo& info = network_->info();
    facts_.family = info.architecture;
    facts_.engine = info.file_type;
    facts_.parameters = info.parameters;
    facts_.bytes = info.bytes;
    facts_.labels = info.labels;
  }
  const SubjectFacts& facts() const override { return facts_; }
  NeuralModel* network() override { return network_.get(); }
  void SetEngine(std::string engine) { facts_.engine = std::move(engine); }

 protected:
  Result<std::vector<TokenIds>> Tokenize(std::span<const Item> items,
                                         PhaseSink& sink, Work& work) const {
    sink.Begin(Phase::kPrepare);
    std::vector<TokenIds> texts;
    for (const Item& item : items) {
      MODICUM_TRY(TokenIds tokens, network_->Tokenize(TextOf(item), true));
      work.tokens_in += tokens.size();
      texts.push_back(std::move(tokens));
    }
    return texts;
  }

  std::unique_ptr<NeuralModel> network_;
  SubjectFacts facts_;
};

class Classifier final : public NetworkSubject {
 public:
  using NetworkSubject::NetworkSubject;
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    MODICUM_TRY(const auto texts, Tokenize(items, sink, work));
    MODICUM_TRY(const auto logits, network_->Classify(texts, call, sink));
    std::vector<Output> outputs;
    for (const std::vector<float>& row : logits) outputs.push_back(Answer(row));
    return outputs;
  }

 private:
  static Label Answer(const std::vector<float>& logits) {
    const auto best = std::max_element(logits.begin(), logits.end());
    Label label;
    label.index = static_cast<LabelIndex>(best - logits.begin());
    float sum = 0;
    for (const float logit : logits)
      sum += label.probabilities.emplace_back(std::exp(logit - *best));
    for (float& p : label.probabilities) p /= sum;
    return label;
  }
};

class Generator final : public NetworkSubject {
 public:
  Generator(std::unique_ptr<NeuralModel> network, uint32_t new_tokens)
      : NetworkSubject(std::move(network)) {
    options_.max_tokens = new_tokens;
  }
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    options_.call = call;
    MODICUM_TRY(const auto prompts, Tokenize(items, sink, work));
    std::vector<Output> outputs;
    for (const TokenIds& prompt : prompts) {
      MODICUM_TRY(
          Generation generation,
          network_->Generate(
              prompt, options_, [](std::string_view) { return true; }, sink));
      const auto count = static_cast<uint32_t>(generation.tokens.size());
      work.tokens_out += count;
      outputs.emplace_back(Generated{std::move(generation.text), count});
    }
    return outputs;
  }

 private:
  GenerateOptions options_;
};

class Embedder final : public NetworkSubject {
 public:
  using NetworkSubject::NetworkSubject;
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    MODICUM_TRY(const auto texts, Tokenize(items, sink, work));
    MODICUM_TRY(auto vectors, network_->Embed(texts, true, call, sink));
    std::vector<Output> outputs;
    for (std::vector<float>& vector : vectors)
      outputs.emplace_back(Vector{std::move(vector)});
    return outputs;
  }
};

struct OpenedNetwork {
  std::unique_ptr<NeuralModel> network;
  std::string engine;
};

// `context`: tokens, where the workload does not say; 0: as trained.
Result<OpenedNetwork> OpenForWorkload(const std::string& path,
                                      const Workload& workload, OpenFor use,
                                      uint64_t context, const CallOptions& call,
                                      PhaseSink& sink) {
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  NeuralSettings settings;
  settings.threads = workload.settings->threads;
  settings.sequences = static_cast<int>(workload.batch);
  settings.vectors = use == OpenFor::kVectors;
  settings.context = workload.settings->context > 0 ? workload.settings->context
                                                    : static_cast<int>(context);
  const auto open = [&] {
    return engine->Open(
        path, settings, [](double) {}, call, sink);
  };
  auto network = open();
  // A network may be trained on less than what would be enough for most.
  if (!network && network.error().code == ErrorCode::kInvalidInput &&
      workload.settings->context == 0 && settings.context > 0) {
    settings.context = 0;
    network = open();
  }
  if (!network) return Fail(std::move(network).error());
  const NeuralInfo& info = (*network)->info();
  std::string name = fmt::format("{} {}", info.engine, info.engine_version);
  return OpenedNetwork{*std::move(network), std::move(name)};
}

template <class T>
std::unique_ptr<BenchSubject> Described(std::unique_ptr<T> subject,
                                        const OpenedNetwork& opened) {
  const std::string& type = subject->network()->info().file_type;
  subject->SetEngine(opened.engine + (type.empty() ? "" : ", " + type));
  return subject;
}

// Bits and bytes of one text.
struct Told {
  double bits = 0, bytes = 0;
};

Result<Told> TellText(NeuralModel& network, const std::string& text,
                      const CallOptions& call) {
  NullSink sink;
  MODICUM_TRY(TokenIds tokens, network.Tokenize(text, true));
  tokens.resize(std::min<size_t>(tokens.size(), network.info().context));
  // An end that Tokenize puts after a text is no part of it.
  if (!tokens.empty() && network.info().end == tokens.back()) tokens.pop_back();
  Told told;
  if (tokens.size() < 2) return told;
  const TokenIds rest(tokens.begin() + 1, tokens.end());
  for (const TokenId token : rest)
    told.bytes += static_cast<double>(network.Piece(token).size());
  MODICUM_TRY(const auto nats,
              network.LogLikelihoods(std::span(tokens).first(1),
                                     std::span(&rest, 1), call, sink));
  told.bits = -nats[0] / std::log(2.0);
  return told;
}

// A ratio of sums with the interval of its influences by text.
QualityFigure BitsPerByte(const std::vector<Told>& texts,
                          const std::string& split) {
  Told all;
  for (const Told& told : texts) {
    all.bits += told.bits;
    all.bytes += told.bytes;
  }
  QualityFigure figure{"bits-per-byte", split, all.bits / all.bytes, 0, 0,
                       texts.size()};
  std::vector<double> influences;
  const double n = static_cast<double>(texts.size());
  for (const Told& told : texts)
    influences.push_back((told.bits - figure.mid * told.bytes) * n / all.bytes);
  const Interval ends =
      ClusterInterval(figure.mid, ErrorOfClusters(influences, n), 0.95);
  figure.low = std::max(0.0, ends.low);
  figure.high = ends.high;
  return figure;
}

}  // namespace

std::unique_ptr<BenchSubject> NetworkClassifier(
    std::unique_ptr<NeuralModel> network) {
  return std::make_unique<Classifier>(std::move(network));
}

std::unique_ptr<BenchSubject> NetworkGenerator(
    std::unique_ptr<NeuralModel> network, uint32_t new_tokens) {
  return std::make_unique<Generator>(std::move(network), new_tokens);
}

std::unique_ptr<BenchSubject> NetworkEmbedder(
    std::unique_ptr<NeuralModel> network) {
  return std::make_unique<Embedder>(std::move(network));
}

Result<std::unique_ptr<BenchSubject>> OpenNetworkClassifier(
    const std::string& path, const Workload& workload, const CallOptions& call,
    PhaseSink& sink) {
  MODICUM_TRY(
      OpenedNetwork opened,
      OpenForWorkload(path, workload, OpenFor::kVectors, 0, call, sink));
  if (opened.network->info().labels.empty())
    return Fail(ErrorCode::kInvalidInput, path + " has no classification head",
                "text-generation and embeddings take such a network");
  return Described(std::make_unique<Classifier>(std::move(opened.network)),
                   opened);
}

Result<std::unique_ptr<BenchSubject>> OpenGenerator(const std::string& path,
                                                    const Workload& workload,
                                                    const CallOptions& call,
                                                    PhaseSink& sink) {
  const uint64_t new_tokens = workload.settings->new_tokens;
  const uint64_t context =
      workload.length == 0
          ? 0
          : std::max(kLeastContext,
                     workload.length * kTokensPerWord + new_tokens);
  MODICUM_TRY(
      OpenedNetwork opened,
      OpenForWorkload(path, workload, OpenFor::kText, context, call, sink));
  if (!opened.network->info().generates)
    return Fail(ErrorCode::kInvalidInput, path + " has no decoder",
                "embeddings and text-classification take encoders");
  return Described(
      std::make_unique<Generator>(std::move(opened.network),
                                  static_cast<uint32_t>(new_tokens)),
      opened);
}

Result<std::unique_ptr<BenchSubject>> OpenEmbedder(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink) {
  MODICUM_TRY(
      OpenedNetwork opened,
      OpenForWorkload(path, workload, OpenFor::kVectors, 0, call, sink));
  return Described(std::make_unique<Embedder>(std::move(opened.network)),
                   opened);
}

Result<Scored> ScoreLikelihood(BenchSubject& subject, const Workload& workload,
                               std::span<const Item> items,
                               std::span<const Output>,
                               const CallOptions& call) {
  Scored scored;
  std::vector<Told> texts;
  for (const Item& item :
       items.first(std::min(items.size(), kLikelihoodTexts))) {
    MODICUM_TRY(const Told told,
                TellText(*subject.network(), TextOf(item), call));
    if (told.bytes > 0) texts.push_back(told);
  }
  if (texts.size() < 2)
    scored.note = "not scored: fewer than two texts of two tokens or more";
  else
    scored.figure = BitsPerByte(texts, workload.data);
  return scored;
}

}  // namespace modicum
