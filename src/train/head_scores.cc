// SPDX-License-Identifier: Apache-2.0
#include "train/head_scores.h"

#include <fmt/format.h>

#include "evaluate/quality.h"
#include "evaluate/ratio_metric.h"
#include "evaluate/squad.h"
#include "evaluate/tag_spans.h"
#include "model/head_answers.h"
#include "train/baselines.h"

namespace modicum {
namespace {

// Of each item: a tag for each word, or the answer.
using Answered = std::vector<std::vector<std::string>>;

bool IsOfTags(const HeadData& data) { return !data.tagged.empty(); }

std::string AnswerText(const TextPair& pair, const TextRange& range) {
  return pair.second.substr(range.begin, range.end - range.begin);
}

Result<Answered> AskEncoder(const Dataset& items, const HeadData& data,
                            HeadedEncoder& encoder, const CallOptions& call,
                            PhaseSink& sink) {
  Answered answered;
  if (IsOfTags(data)) {
    std::vector<Tokens> texts;
    for (const Item& item : items.items)
      texts.push_back(std::get<Tokens>(item.payload));
    MODICUM_TRY(const auto tags, TagWords(encoder, texts, call, sink));
    for (const std::vector<uint32_t>& of_text : tags) {
      std::vector<std::string>& names = answered.emplace_back();
      for (const uint32_t tag : of_text) names.push_back(data.labels[tag]);
    }
    return answered;
  }
  std::vector<TextPair> pairs;
  for (const Item& item : items.items)
    pairs.push_back(std::get<TextPair>(item.payload));
  MODICUM_TRY(const auto answers, AnswerQuestions(encoder, pairs, call, sink));
  for (size_t i = 0; i < pairs.size(); ++i)
    answered.push_back({AnswerText(pairs[i], answers[i].range)});
  return answered;
}

Answered AskBaseline(const Dataset& items, const HeadData& data) {
  Answered answered;
  if (IsOfTags(data)) {
    const WordTable table(data.tagged, data.labels.size());
    for (const Item& item : items.items) {
      std::vector<std::string>& names = answered.emplace_back();
      for (const std::string& word : std::get<Tokens>(item.payload).words)
        names.push_back(data.labels[table.TagOf(word)]);
    }
    return answered;
  }
  const NearbyWords nearby(data.answers);
  for (const Item& item : items.items) {
    const auto& pair = std::get<TextPair>(item.payload);
    answered.push_back({AnswerText(pair, nearby.Answer(pair))});
  }
  return answered;
}

Fraction RatioOf(const HeadData& data, const Item& item,
                 const std::vector<std::string>& answered) {
  if (data.metric == "exact-match")
    return {IsExactAnswer(answered[0], item.wanted) ? 1.0 : 0.0, 1};
  if (!IsOfTags(data)) return {AnswerF1(answered[0], item.wanted), 1};
  const std::vector<std::string_view> wanted(item.wanted.begin(),
                                             item.wanted.end());
  const std::vector<std::string_view> tags(answered.begin(), answered.end());
  return data.metric == "f1" ? EntityRatio(SpansOf(wanted), SpansOf(tags))
                             : WordRatio(wanted, tags);
}

std::vector<ItemScore> ScoresOf(const Dataset& items, const HeadData& data,
                                const Answered& answered, RatioMetric& metric) {
  std::vector<ItemScore> scores;
  for (size_t i = 0; i < answered.size(); ++i)
    scores.push_back(
        metric.Add(items.items[i], RatioOf(data, items.items[i], answered[i])));
  return scores;
}

RatioMetric MetricOf(const HeadData& data) {
  return RatioMetric(
      {.name = data.metric, .is_proportion = data.metric == "exact-match"});
}

}  // namespace

Result<double> QualityOn(const Dataset& items, const HeadData& data,
                         HeadedEncoder& encoder, const CallOptions& call,
                         PhaseSink& sink) {
  MODICUM_TRY(const Answered answered,
              AskEncoder(items, data, encoder, call, sink));
  RatioMetric metric = MetricOf(data);
  return metric.Aggregate(ScoresOf(items, data, answered, metric));
}

Result<TrainFigure> FigureOn(const Dataset& items, const HeadData& data,
                             std::string_view split, HeadedEncoder& encoder,
                             const CallOptions& call, PhaseSink& sink) {
  MODICUM_TRY(const Answered answered,
              AskEncoder(items, data, encoder, call, sink));
  RatioMetric metric = MetricOf(data);
  const auto own = ScoresOf(items, data, answered, metric);
  const auto others = ScoresOf(items, data, AskBaseline(items, data), metric);
  TrainFigure figure;
  figure.network = QualityOf(metric, own, split);
  figure.baseline = QualityOf(metric, others, split);
  const Comparison comparison = Compare(metric, own, others, 0);
  figure.difference = comparison.difference;
  figure.interval = comparison.interval;
  return figure;
}

std::string BaselineName(const HeadData& data) {
  if (IsOfTags(data))
    return "a table of words, each with its most frequent tag";
  const size_t length = NearbyWords(data.answers).length();
  return fmt::format("the {} beside most words of the question",
                     length == 1 ? "word" : fmt::format("{} words", length));
}

}  // namespace modicum
