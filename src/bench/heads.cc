// SPDX-License-Identifier: Apache-2.0
#include "bench/heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/texts.h"
#include "dataset/annotated_lines.h"
#include "evaluate/quality.h"
#include "evaluate/ratio_metric.h"
#include "evaluate/squad.h"
#include "evaluate/tag_spans.h"
#include "model/head_answers.h"

namespace modicum {
namespace {

// Tokens in one forward pass, about: two windows of a question, or a dozen
// sentences.
constexpr int kPassTokens = 1024;

// What the three kinds have in common.
class HeadSubject : public BenchSubject {
 public:
  explicit HeadSubject(std::unique_ptr<HeadedEncoder> encoder)
      : encoder_(std::move(encoder)) {
    const NeuralInfo& info = encoder_->info();
    facts_.family = info.architecture;
    facts_.engine = fmt::format("{} {}, {}", info.engine, info.engine_version,
                                info.file_type);
    facts_.parameters = info.parameters;
    facts_.bytes = info.bytes;
    facts_.labels = info.labels;
  }
  const SubjectFacts& facts() const override { return facts_; }

 protected:
  std::unique_ptr<HeadedEncoder> encoder_;
  SubjectFacts facts_;
};

class Unmasker final : public HeadSubject {
 public:
  using HeadSubject::HeadSubject;
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    sink.Begin(Phase::kPrepare);
    std::vector<AskedText> asked;
    std::vector<TokenId> were;
    std::vector<Output> outputs(items.size(), Unmasked());
    std::vector<size_t> of_item;
    for (size_t i = 0; i < items.size(); ++i) {
      MODICUM_TRY(auto hidden,
                  HideOneToken(*encoder_, std::get<Text>(items[i].payload).text,
                               HidingSeed(call.seed, items[i])));
      if (!hidden) continue;
      work.tokens_in += hidden->text.tokens.size();
      asked.push_back(std::move(hidden->text));
      were.push_back(hidden->was);
      of_item.push_back(i);
    }
    MODICUM_TRY(const auto logits, encoder_->Logits(asked, call, sink));
    for (size_t i = 0; i < asked.size(); ++i) {
      const TokenRank rank = RankOf(logits[i], were[i]);
      outputs[of_item[i]] = Unmasked{rank.above, rank.bits};
    }
    return outputs;
  }
};

class Tagger final : public HeadSubject {
 public:
  using HeadSubject::HeadSubject;
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    std::vector<Tokens> texts;
    for (const Item& item : items)
      texts.push_back(std::get<Tokens>(item.payload));
    MODICUM_TRY(const auto tags,
                TagWords(*encoder_, texts, call, sink, &work.tokens_in));
    std::vector<Output> outputs;
    // A span a word: its label, before entities are made of them.
    for (const std::vector<uint32_t>& labels : tags) {
      std::vector<TagSpan> spans;
      for (uint32_t i = 0; i < labels.size(); ++i)
        spans.push_back({i, i + 1, facts_.labels[labels[i]]});
      outputs.emplace_back(std::move(spans));
    }
    return outputs;
  }
};

class Answerer final : public HeadSubject {
 public:
  using HeadSubject::HeadSubject;
  Result<std::vector<Output>> Infer(std::span<const Item> items,
                                    const CallOptions& call, PhaseSink& sink,
                                    Work& work) override {
    std::vector<TextPair> questions;
    for (const Item& item : items)
      questions.push_back(std::get<TextPair>(item.payload));
    MODICUM_TRY(const auto answers, AnswerQuestions(*encoder_, questions, call,
                                                    sink, &work.tokens_in));
    std::vector<Output> outputs;
    for (size_t i = 0; i < answers.size(); ++i) {
      const TextRange& range = answers[i].range;
      outputs.emplace_back(AnswerSpan{
          range.begin, range.end,
          questions[i].second.substr(range.begin, range.end - range.begin)});
    }
    return outputs;
  }
};

Result<std::unique_ptr<BenchSubject>> OpenHead(const std::string& path,
                                               HeadKind kind,
                                               const Workload& workload,
                                               const CallOptions& call,
                                               PhaseSink& sink) {
  MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
  NeuralSettings settings;
  settings.threads = workload.settings->threads;
  settings.context = workload.settings->context;
  settings.micro_batch = kPassTokens;
  MODICUM_TRY(auto encoder, engine->OpenHeaded(path, settings, call, sink));
  if (encoder->kind() == kind) return EncoderSubject(std::move(encoder));
  return Fail(
      ErrorCode::kInvalidInput,
      fmt::format("{} has a head for {}", path, HeadKindName(encoder->kind())),
      fmt::format("bench it with task = \"{}\"",
                  HeadKindName(encoder->kind())));
}

// Scores of one metric while they are collected.
struct Scoring {
  RatioMetric metric;
  std::vector<ItemScore> scores = {};

  explicit Scoring(RatioMetric::Rules rules) : metric(std::move(rules)) {}
  void Add(const Item& item, Fraction ratio) {
    scores.push_back(metric.Add(item, ratio));
  }
  Scored Finish(const Workload& workload) const {
    Scored scored;
    scored.figure = QualityOf(metric, scores, workload.data);
    scored.correct_share = metric.CorrectShare(scores);
    const auto& floor = workload.settings->floor;
    scored.above_floor = floor && MeetsFloor(metric, *scored.figure, *floor);
    return scored;
  }
};

Scored NotScored(std::string why) {
  Scored scored;
  scored.note = "not scored: " + std::move(why);
  return scored;
}

double Hit(bool hit) { return hit ? 1 : 0; }

// What a tag is called in the data.
std::string_view InTheData(const std::string& tag,
                           const TaskSettings& settings) {
  const auto renamed = settings.answers.find(tag);
  return renamed == settings.answers.end() ? tag : renamed->second;
}

}  // namespace

Result<Dataset> LoadTags(const std::string& path,
                         const TaskSettings& settings) {
  return LoadTaggedWords(path, settings.text.empty() ? "tokens" : settings.text,
                         settings.label.value_or("tags"));
}

Result<Dataset> LoadAnswers(const std::string& path,
                            const TaskSettings& settings) {
  return LoadQuestions(path, !settings.label.value_or("answers").empty());
}

void KeepTaggedWords(Item& item, uint64_t words) {
  auto& all = std::get<Tokens>(item.payload).words;
  if (words == 0 || words >= all.size()) return;
  all.resize(words);
  if (!item.wanted.empty()) item.wanted.resize(words);
}

void KeepContextWords(Item& item, uint64_t words) {
  auto& pair = std::get<TextPair>(item.payload);
  Item context{item.id, item.group, Text{std::move(pair.second)}, kUnlabelled};
  KeepWords(context, words);
  pair.second = std::move(std::get<Text>(context.payload).text);
}

std::unique_ptr<BenchSubject> EncoderSubject(
    std::unique_ptr<HeadedEncoder> encoder) {
  switch (encoder->kind()) {
    case HeadKind::kFillMask:
      return std::make_unique<Unmasker>(std::move(encoder));
    case HeadKind::kTokenClassification:
      return std::make_unique<Tagger>(std::move(encoder));
    case HeadKind::kQuestionAnswering:
      break;
  }
  return std::make_unique<Answerer>(std::move(encoder));
}

Result<std::unique_ptr<BenchSubject>> OpenUnmasker(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink) {
  return OpenHead(path, HeadKind::kFillMask, workload, call, sink);
}

Result<std::unique_ptr<BenchSubject>> OpenTagger(const std::string& path,
                                                 const Workload& workload,
                                                 const CallOptions& call,
                                                 PhaseSink& sink) {
  return OpenHead(path, HeadKind::kTokenClassification, workload, call, sink);
}

Result<std::unique_ptr<BenchSubject>> OpenAnswerer(const std::string& path,
                                                   const Workload& workload,
                                                   const CallOptions& call,
                                                   PhaseSink& sink) {
  return OpenHead(path, HeadKind::kQuestionAnswering, workload, call, sink);
}

Result<Scored> ScoreUnmasked(BenchSubject&, const Workload& workload,
                             std::span<const Item> items,
                             std::span<const Output> outputs,
                             const CallOptions&) {
  const std::string metric(MetricOf(*workload.settings));
  const bool bits = metric == "bits";
  const uint32_t places = PlacesOf(metric);
  Scoring scoring({metric, !bits, !bits, {0, bits ? INFINITY : 1}});
  double right = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const auto& answer = std::get<Unmasked>(outputs[i]);
    if (!answer.above) continue;  // a text without tokens
    right += Hit(*answer.above == 0);
    scoring.Add(items[i],
                {bits ? answer.bits : Hit(*answer.above < places), 1});
  }
  if (scoring.scores.empty()) return NotScored("no text has a token to hide");
  Scored scored = scoring.Finish(workload);
  scored.correct_share = right / static_cast<double>(scoring.scores.size());
  return scored;
}

Result<Scored> ScoreTags(BenchSubject& subject, const Workload& workload,
                         std::span<const Item> items,
                         std::span<const Output> outputs, const CallOptions&) {
  const TaskSettings& settings = *workload.settings;
  if (workload.labels.empty()) return NotScored("the data has no tags");
  const auto& tags = subject.facts().labels;
  if (std::ranges::none_of(tags, [&](const std::string& tag) {
        return std::ranges::count(workload.labels, InTheData(tag, settings)) >
               0;
      }))
    return NotScored(fmt::format(
        "it answers {}, the data has {}; answers = {{...}} of the task says "
        "which is which",
        fmt::join(tags, ", "), fmt::join(workload.labels, ", ")));
  const std::string metric(MetricOf(settings));
  Scoring scoring({.name = metric});
  for (size_t i = 0; i < items.size(); ++i) {
    const std::vector<std::string_view> wanted(items[i].wanted.begin(),
                                               items[i].wanted.end());
    std::vector<std::string_view> answered;
    for (const TagSpan& span : std::get<std::vector<TagSpan>>(outputs[i]))
      answered.push_back(InTheData(span.tag, settings));
    scoring.Add(items[i], TagRatio(metric, wanted, answered));
  }
  return scoring.Finish(workload);
}

Result<Scored> ScoreAnswers(BenchSubject&, const Workload& workload,
                            std::span<const Item> items,
                            std::span<const Output> outputs,
                            const CallOptions&) {
  if (items.empty() || items[0].wanted.empty())
    return NotScored("the data has no answers");
  const std::string metric(MetricOf(*workload.settings));
  const bool exact = metric == "exact-match";
  Scoring scoring({.name = metric, .is_proportion = exact});
  double right = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string& answer = std::get<AnswerSpan>(outputs[i]).text;
    right += Hit(IsExactAnswer(answer, items[i].wanted));
    scoring.Add(items[i], {AnswerScore(metric, answer, items[i].wanted), 1});
  }
  Scored scored = scoring.Finish(workload);
  scored.correct_share = right / static_cast<double>(items.size());
  return scored;
}

}  // namespace modicum
