// SPDX-License-Identifier: Apache-2.0
#include "model/prompt_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/rng.h"
#include "model/bytes.h"
#include "model/network_file.h"
#include "model/params.h"
#include "model/payload.h"

namespace modicum {

namespace {

constexpr std::string_view kWordParam = "word:";
// A prompt that says nothing (Zhao et al. 2021, section 5, average three).
constexpr std::string_view kNoContent[] = {"N/A", "", "[MASK]"};

// The tokens that all labels have before them, and each label's own.
struct Question {
  TokenIds prompt;
  std::vector<TokenIds> labels;
};

// A tokenizer may join the end of a prompt and the beginning of a label, so
// both are tokenised as one and parted where they begin to differ.
Result<Question> Ask(const NeuralModel& network, const PromptSpec& spec,
                     std::string_view text) {
  const std::string prompt = PromptFor(spec, text);
  MODICUM_TRY(const TokenIds alone, network.Tokenize(prompt, true));
  Question question;
  size_t common = alone.size();
  for (size_t label = 0; label < spec.words.size(); ++label) {
    MODICUM_TRY(TokenIds whole,
                network.Tokenize(prompt + LabelText(spec, label), true));
    const size_t most = std::min(common, whole.size());
    common = static_cast<size_t>(
        std::mismatch(alone.begin(), alone.begin() + static_cast<long>(most),
                      whole.begin())
            .first -
        alone.begin());
    question.labels.push_back(std::move(whole));
  }
  for (size_t label = 0; label < spec.words.size(); ++label) {
    TokenIds& tokens = question.labels[label];
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<long>(common));
    if (tokens.empty())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("the label '{}' is no token of {}",
                              spec.words[label], network.info().path),
                  "give it a word in [prompt.labels]");
  }
  question.prompt.assign(alone.begin(),
                         alone.begin() + static_cast<long>(common));
  return question;
}

size_t TokensOf(const Question& question) {
  size_t longest = 0;
  for (const TokenIds& label : question.labels)
    longest = std::max(longest, label.size());
  return question.prompt.size() + longest;
}

// The text's first bytes, whole characters.
std::string_view Cut(std::string_view text, size_t bytes) {
  bytes = std::min(bytes, text.size());
  while (bytes > 0 && bytes < text.size() &&
         (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80)
    --bytes;
  return text.substr(0, bytes);
}

// Asks with as much of the text as fits the context.
Result<Question> AskWithin(const NeuralModel& network, const PromptSpec& spec,
                           std::string_view text) {
  const size_t context = network.info().context;
  while (true) {
    MODICUM_TRY(Question question, Ask(network, spec, text));
    const size_t tokens = TokensOf(question);
    if (tokens <= context) return question;
    if (text.empty())
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("a prompt without any text has {} tokens, the "
                              "context of {} holds {}",
                              tokens, network.info().path, context),
                  "show fewer examples, or shorten the template");
    // Every token is a byte at least; halve where that says too little.
    const size_t excess = tokens - context;
    text = Cut(text, std::min(text.size() - std::min(text.size(), excess),
                              text.size() * context / tokens));
  }
}

// log-probabilities of the labels among themselves, the prior taken off.
std::vector<double> Weigh(std::vector<double> likelihoods,
                          const std::vector<double>& prior) {
  for (size_t i = 0; i < prior.size(); ++i) likelihoods[i] -= prior[i];
  const double most = *std::max_element(likelihoods.begin(), likelihoods.end());
  double sum = 0;
  for (const double one : likelihoods) sum += std::exp(one - most);
  for (double& one : likelihoods) one -= most + std::log(sum);
  return likelihoods;
}

Result<std::vector<double>> Likelihoods(NeuralModel& network,
                                        const PromptSpec& spec,
                                        std::string_view text,
                                        const CallOptions& call,
                                        PhaseSink& sink) {
  sink.Begin(Phase::kPrepare);
  MODICUM_TRY(const Question question, AskWithin(network, spec, text));
  MODICUM_TRY(
      auto likelihoods,
      network.LogLikelihoods(question.prompt, question.labels, call, sink));
  return likelihoods;
}

// The mean over prompts without content, so that one odd one matters less.
Result<std::vector<double>> PriorOf(NeuralModel& network,
                                    const PromptSpec& spec,
                                    const CallOptions& call, PhaseSink& sink) {
  std::vector<double> prior(spec.words.size());
  for (const std::string_view text : kNoContent) {
    MODICUM_TRY(const auto likelihoods,
                Likelihoods(network, spec, text, call, sink));
    for (size_t i = 0; i < prior.size(); ++i)
      prior[i] += likelihoods[i] / std::size(kNoContent);
  }
  return prior;
}

class PromptModel final : public Model {
 public:
  PromptModel(std::unique_ptr<NeuralModel> network, PromptSpec spec,
              ModelInfo info)
      : network_(std::move(network)),
        spec_(std::move(spec)),
        info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    MODICUM_RETURN_IF_ERROR(CheckNotExplained(options, kPrompt));
    std::vector<Output> outputs;
    for (const Item& item : items) {
      const auto* text = std::get_if<Text>(&item.payload);
      if (text == nullptr)
        return Fail(ErrorCode::kInvalidInput,
                    "prompt reads text, and an item is something else");
      if (options.stop.stop_requested())
        return Fail(ErrorCode::kInterrupted, "prediction interrupted");
      MODICUM_TRY(auto likelihoods,
                  Likelihoods(*network_, spec_, text->text, options, sink));
      outputs.emplace_back(Answer(Weigh(std::move(likelihoods), spec_.prior)));
    }
    return outputs;
  }

 private:
  static Label Answer(const std::vector<double>& logs) {
    Label label;
    for (const double one : logs)
      label.probabilities.push_back(static_cast<float>(std::exp(one)));
    label.index = static_cast<LabelIndex>(
        std::max_element(logs.begin(), logs.end()) - logs.begin());
    return label;
  }

  const std::unique_ptr<NeuralModel> network_;
  const PromptSpec spec_;
  const ModelInfo info_;
};

Result<PromptSpec> SpecOf(const Params& params, const Dataset& data) {
  std::vector<std::string> words;
  for (const std::string& label : data.labels)
    words.push_back(std::string(kWordParam) + label);
  std::vector<std::string_view> known = {kNetworkParam, kNetworkHashParam,
                                         "shots", "template", "calibrate"};
  known.insert(known.end(), words.begin(), words.end());
  MODICUM_RETURN_IF_ERROR(CheckParamNames(params, kPrompt, known));
  PromptSpec spec;
  MODICUM_TRY(spec.form, TextParam(params, "template", kPromptTemplate));
  for (size_t i = 0; i < words.size(); ++i) {
    MODICUM_TRY(std::string word, TextParam(params, words[i], data.labels[i]));
    spec.words.push_back(std::move(word));
  }
  MODICUM_RETURN_IF_ERROR(CheckPrompt(spec));
  return spec;
}

// `shots` of every label, drawn by the seed, in a drawn order.
std::vector<PromptExample> DrawExamples(const Dataset& data,
                                        std::span<const uint32_t> rows,
                                        int64_t shots, uint64_t seed) {
  std::vector<uint32_t> order(rows.begin(), rows.end());
  Rng rng(seed);
  rng.Shuffle(order);
  std::map<LabelIndex, int64_t> taken;
  std::vector<PromptExample> examples;
  for (const uint32_t row : order) {
    const Item& item = data.items[row];
    if (item.label == kUnlabelled || taken[item.label] >= shots) continue;
    ++taken[item.label];
    examples.push_back(
        {std::get<Text>(item.payload).text, static_cast<uint32_t>(item.label)});
  }
  return examples;
}

class PromptTrainer final : public Trainer {
 public:
  std::string_view family() const override { return kPrompt; }

  Status Accepts(const Dataset& data) const override {
    MODICUM_RETURN_IF_ERROR(CheckIsText(data, kPrompt));
    return CheckClasses(data);
  }

  Result<TrainedModel> Train(const Dataset& data,
                             std::span<const uint32_t> rows,
                             const Params& params, const Budget& budget,
                             Checkpoint*, const std::string& directory,
                             PhaseSink& sink) override {
    MODICUM_TRY(PromptSpec spec, SpecOf(params, data));
    MODICUM_TRY(const int64_t shots, IntegerParam(params, "shots", 0, 0, 1000));
    MODICUM_RETURN_IF_ERROR(Accepts(data));
    MODICUM_RETURN_IF_ERROR(CheckTrainingRows(data, rows));
    MODICUM_TRY(const std::string path, NetworkOf(params, kPrompt));
    spec.examples = DrawExamples(data, rows, shots, budget.seed);
    MODICUM_TRY(const auto network,
                OpenNetwork(path, OpenFor::kText, budget.stop, sink));
    if (Get(params, "calibrate", true)) {
      CallOptions call;
      call.stop = budget.stop;
      MODICUM_TRY(spec.prior, PriorOf(*network, spec, call, sink));
    }
    MODICUM_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/" + kPromptFile, EncodePrompt(spec)));
    MODICUM_RETURN_IF_ERROR(PlaceNetwork(path, directory));
    return TrainedModel{{kPromptFile, kNetworkFile}};
  }

  Result<std::unique_ptr<Model>> Load(const std::string& directory,
                                      const std::vector<std::string>& labels,
                                      PhaseSink& sink) override {
    sink.Begin(Phase::kLoad);
    MODICUM_TRY(const std::string text,
                ReadWholeFile(directory + "/" + kPromptFile, kMaxModelFile));
    MODICUM_TRY(PromptSpec spec, DecodePrompt(text));
    MODICUM_TRY(auto network, OpenNetwork(directory + "/" + kNetworkFile,
                                          OpenFor::kText, {}, sink));
    return MakePromptModel(std::move(network), std::move(spec), labels);
  }
};

class Prompting final : public Engine {
 public:
  std::string_view name() const override { return kPrompt; }
  std::string_view version() const override { return "1"; }
  std::vector<Trainer*> trainers() override { return {&trainer_}; }

 private:
  PromptTrainer trainer_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakePromptModel(
    std::unique_ptr<NeuralModel> network, PromptSpec spec,
    const std::vector<std::string>& labels) {
  if (!network->info().generates)
    return Fail(ErrorCode::kInvalidInput,
                network->info().path + " does not generate text",
                "family prompt needs a decoder; embed+linear takes encoders");
  if (spec.words.size() != labels.size())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("the prompt has {} labels, its card {}",
                            spec.words.size(), labels.size()));
  // Said at once, not at the first item.
  MODICUM_TRY(const Question question, AskWithin(*network, spec, ""));
  ModelInfo info = InfoOn(*network, kPrompt, labels);
  return std::make_unique<PromptModel>(std::move(network), std::move(spec),
                                       std::move(info));
}

Engine& PromptEngine() {
  static Prompting engine;
  return engine;
}

}  // namespace modicum
