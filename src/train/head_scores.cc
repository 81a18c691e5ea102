// SPDX-License-Identifier: Apache-2.0
#include "train/head_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "evaluate/quality.h"
#include "evaluate/squad.h"
#include "evaluate/tag_spans.h"
#include "model/head_answers.h"
#include "train/baselines.h"

namespace modicum {
namespace {

class TagScores final : public HeadScores {
 public:
  explicit TagScores(const HeadData& data)
      : HeadScores(data), table_(data.tagged, data.labels.size()) {}
  std::string BaselineName() const override {
    return "a table of words, each with its most frequent tag";
  }

 protected:
  bool IsProportion() const override { return false; }

  Result<Ratios> OfNetwork(const Dataset& items, HeadedEncoder& encoder,
                           const CallOptions& call, PhaseSink& sink) override {
    std::vector<Tokens> texts;
    for (const Item& item : items.items)
      texts.push_back(std::get<Tokens>(item.payload));
    MODICUM_TRY(const auto tags, TagWords(encoder, texts, call, sink));
    return RatiosOf(items, tags);
  }

  Result<Ratios> OfBaseline(const Dataset& items, HeadedEncoder&) override {
    std::vector<std::vector<uint32_t>> tags;
    for (const Item& item : items.items) {
      std::vector<uint32_t>& own = tags.emplace_back();
      for (const std::string& word : std::get<Tokens>(item.payload).words)
        own.push_back(table_.TagOf(word));
    }
    return RatiosOf(items, tags);
  }

 private:
  Ratios RatiosOf(const Dataset& items,
                  const std::vector<std::vector<uint32_t>>& tags) const {
    Ratios ratios;
    for (size_t i = 0; i < tags.size(); ++i) {
      const auto& wanted = items.items[i].wanted;
      std::vector<std::string_view> names;
      for (const uint32_t tag : tags[i]) names.push_back(data_.labels[tag]);
      ratios.push_back(TagRatio(
          data_.metric,
          std::vector<std::string_view>(wanted.begin(), wanted.end()), names));
    }
    return ratios;
  }

  const WordTable table_;
};

class AnswerScores final : public HeadScores {
 public:
  explicit AnswerScores(const HeadData& data)
      : HeadScores(data), nearby_(data.answers) {}
  std::string BaselineName() const override {
    const size_t length = nearby_.length();
    return fmt::format("the {} beside most words of the question",
                       length == 1 ? "word" : fmt::format("{} words", length));
  }

 protected:
  bool IsProportion() const override { return data_.metric == "exact-match"; }

  Result<Ratios> OfNetwork(const Dataset& items, HeadedEncoder& encoder,
                           const CallOptions& call, PhaseSink& sink) override {
    std::vector<TextPair> pairs;
    for (const Item& item : items.items)
      pairs.push_back(std::get<TextPair>(item.payload));
    MODICUM_TRY(const auto answers,
                AnswerQuestions(encoder, pairs, call, sink));
    Ratios ratios;
    for (size_t i = 0; i < answers.size(); ++i)
      ratios.push_back(RatioOf(items.items[i], answers[i].range));
    return ratios;
  }

  Result<Ratios> OfBaseline(const Dataset& items, HeadedEncoder&) override {
    Ratios ratios;
    for (const Item& item : items.items)
      ratios.push_back(
          RatioOf(item, nearby_.Answer(std::get<TextPair>(item.payload))));
    return ratios;
  }

 private:
  Fraction RatioOf(const Item& item, const TextRange& range) const {
    const std::string_view context = std::get<TextPair>(item.payload).second;
    return {AnswerScore(data_.metric,
                        context.substr(range.begin, range.end - range.begin),
                        item.wanted),
            1};
  }

  const NearbyWords nearby_;
};

class MaskScores final : public HeadScores {
 public:
  using HeadScores::HeadScores;
  std::string BaselineName() const override {
    return "a table of tokens, each with those that follow it most often";
  }

 protected:
  bool IsProportion() const override { return true; }

  Result<Ratios> OfNetwork(const Dataset& items, HeadedEncoder& encoder,
                           const CallOptions& call, PhaseSink& sink) override {
    MODICUM_TRY(const auto hidden, HideIn(items, encoder));
    Ratios ratios;
    // A row of logits is as long as the vocabulary: not of all at once.
    for (size_t at = 0; at < hidden.size(); at += kTogether) {
      const auto part = std::span(hidden).subspan(
          at, std::min(kTogether, hidden.size() - at));
      std::vector<AskedText> asked;
      for (const auto& one : part)
        if (one) asked.push_back(one->text);
      MODICUM_TRY(const auto logits, encoder.Logits(asked, call, sink));
      auto row = logits.begin();
      for (const auto& one : part)
        ratios.push_back(
            one ? Hit(RankOf(*row++, one->was).above < PlacesOf(data_.metric))
                : std::nullopt);
    }
    return ratios;
  }

  Result<Ratios> OfBaseline(const Dataset& items,
                            HeadedEncoder& encoder) override {
    if (!following_) {
      std::vector<TokenIds> texts;
      for (const std::string& text : data_.texts) {
        MODICUM_TRY(const TokenIds pieces, encoder.Pieces(text));
        texts.push_back(AroundPieces(encoder, pieces));
      }
      following_.emplace(texts);
    }
    MODICUM_TRY(const auto hidden, HideIn(items, encoder));
    Ratios ratios;
    for (const auto& one : hidden) {
      if (!one) {
        ratios.push_back(std::nullopt);
        continue;
      }
      const TokenId before = one->text.tokens[one->text.places[0] - 1];
      const auto likeliest =
          following_->Likeliest(before, PlacesOf(data_.metric));
      ratios.push_back(Hit(std::ranges::count(likeliest, one->was) > 0));
    }
    return ratios;
  }

 private:
  static constexpr size_t kTogether = 64;

  static std::optional<Fraction> Hit(bool found) {
    return Fraction{found ? 1.0 : 0.0, 1};
  }
  static Result<std::vector<std::optional<HiddenToken>>> HideIn(
      const Dataset& items, const HeadedEncoder& encoder) {
    std::vector<std::optional<HiddenToken>> all;
    for (const Item& item : items.items) {
      MODICUM_TRY(auto hidden,
                  HideOneToken(encoder, std::get<Text>(item.payload).text,
                               HidingSeed(0, item)));
      all.push_back(std::move(hidden));
    }
    return all;
  }

  std::optional<FollowingTokens> following_;  // the tokens are the encoder's
};

}  // namespace

RatioMetric HeadScores::Metric() const {
  return RatioMetric({.name = data_.metric, .is_proportion = IsProportion()});
}

std::vector<ItemScore> HeadScores::ScoresOf(const Dataset& items,
                                            const Ratios& ratios,
                                            RatioMetric& metric) {
  std::vector<ItemScore> scores;
  for (size_t i = 0; i < ratios.size(); ++i)
    if (ratios[i]) scores.push_back(metric.Add(items.items[i], *ratios[i]));
  return scores;
}

Result<double> HeadScores::QualityOn(const Dataset& items,
                                     HeadedEncoder& encoder,
                                     const CallOptions& call, PhaseSink& sink) {
  MODICUM_TRY(const auto ratios, OfNetwork(items, encoder, call, sink));
  RatioMetric metric = Metric();
  return metric.Aggregate(ScoresOf(items, ratios, metric));
}

Result<TrainFigure> HeadScores::FigureOn(const Dataset& items,
                                         std::string_view split,
                                         HeadedEncoder& encoder,
                                         const CallOptions& call,
                                         PhaseSink& sink) {
  MODICUM_TRY(const auto network, OfNetwork(items, encoder, call, sink));
  MODICUM_TRY(const auto baseline, OfBaseline(items, encoder));
  RatioMetric metric = Metric();
  const auto own = ScoresOf(items, network, metric);
  const auto others = ScoresOf(items, baseline, metric);
  TrainFigure figure;
  figure.network = QualityOf(metric, own, split);
  figure.baseline = QualityOf(metric, others, split);
  const Comparison comparison = Compare(metric, own, others, 0);
  figure.difference = comparison.difference;
  figure.interval = comparison.interval;
  return figure;
}

std::unique_ptr<HeadScores> MakeHeadScores(const HeadData& data) {
  if (!data.tagged.empty()) return std::make_unique<TagScores>(data);
  if (!data.answers.empty()) return std::make_unique<AnswerScores>(data);
  return std::make_unique<MaskScores>(data);
}

}  // namespace modicum
