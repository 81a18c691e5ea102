// SPDX-License-Identifier: Apache-2.0
// In kPrepare the n-grams of a block of items are hashed, looked up and
// counted; in kPrefill they are weighted and summed.
#include "model/linear_model.h"

#include <algorithm>
#include <cmath>

#include "model/blocks.h"
#include "model/bytes.h"
#include "model/explain_text.h"
#include "model/logistic.h"

namespace modicum {

namespace {

// Lookups this far ahead hide the latency of the index.
constexpr size_t kAhead = 12;
struct Term {
  uint32_t feature;
  uint32_t count;
};

// The known features of the items of one block.
class BlockFeatures {
 public:
  explicit BlockFeatures(size_t features) : counts_(features) {}

  void Clear() {
    terms_.clear();
    ends_.clear();
  }
  void Add(std::string_view text, const FeatureConfig& config,
           const HashIndex& index) {
    hashes_.clear();
    HashFeatures(text, config, hashes_);
    const size_t begin = terms_.size();
    for (size_t i = 0; i < hashes_.size(); ++i) {
      if (i + kAhead < hashes_.size()) index.Prefetch(hashes_[i + kAhead]);
      const uint32_t feature = index.Find(hashes_[i]);
      if (feature == HashIndex::kAbsent) continue;
      if (counts_[feature]++ == 0) terms_.push_back({feature, 0});
    }
    for (size_t i = begin; i < terms_.size(); ++i)
      terms_[i].count = std::exchange(counts_[terms_[i].feature], 0);
    ends_.push_back(terms_.size());
  }
  std::span<const Term> of(size_t item) const {
    const size_t begin = item == 0 ? 0 : ends_[item - 1];
    return std::span(terms_).subspan(begin, ends_[item] - begin);
  }

 private:
  std::vector<uint32_t> hashes_;
  std::vector<uint32_t> counts_;  // by feature; zero between items
  std::vector<Term> terms_;
  std::vector<size_t> ends_;
};

class LinearModel final : public Model {
 public:
  LinearModel(LinearWeights weights, HashIndex index, ModelInfo info)
      : w_(std::move(weights)),
        index_(std::move(index)),
        info_(std::move(info)),
        features_(w_.hashes.size()),
        scores_(w_.rows) {}

  const ModelInfo& info() const override { return info_; }

  Result<std::vector<Output>> Predict(std::span<const Item> items,
                                      const CallOptions& options,
                                      PhaseSink& sink) override {
    const auto answer = [&](std::span<const Item> block,
                            std::vector<Output>& outputs) -> Status {
      for (size_t i = 0; i < block.size(); ++i) {
        Label label = Answer(features_.of(i));
        if (options.explain > 0)
          Explain(block[i], features_.of(i), options.explain, label);
        outputs.emplace_back(std::move(label));
      }
      return {};
    };
    return PredictInBlocks(
        items, options, sink,
        [this](std::span<const Item> block) { return Prepare(block); }, answer);
  }

 private:
  Status Prepare(std::span<const Item> block) {
    features_.Clear();
    for (const Item& item : block) {
      MODICUM_TRY(const std::string_view text, TextOf(item));
      features_.Add(text, w_.config, index_);
    }
    return {};
  }

  Label Answer(std::span<const Term> terms) {
    std::fill(scores_.begin(), scores_.end(), 0.0F);
    const float norm =
        w_.eight_bit() ? Sum(terms, w_.weights8) : Sum(terms, w_.weights);
    const double scale = norm > 0 ? 1 / std::sqrt(norm) : 0;
    Label label;
    label.probabilities.resize(w_.classes);
    for (size_t r = 0; r < w_.rows; ++r) {
      const double score = scores_[r] * RowScale(r) * scale + w_.bias[r];
      label.probabilities[r] =
          static_cast<float>(Logistic(w_.slope[r] * score + w_.offset[r]));
    }
    Normalise(label);
    return label;
  }

  // Adds the weighted terms to scores_; returns the squared norm.
  template <class Weight>
  float Sum(std::span<const Term> terms, const std::vector<Weight>& weights) {
    return w_.rows == 1 ? SumOneRow(terms, weights) : SumRows(terms, weights);
  }
  template <class Weight>
  float SumOneRow(std::span<const Term> terms,
                  const std::vector<Weight>& weights) {
    float norm = 0;
    float score = 0;
    for (const Term& term : terms) {
      const float value = Value(term);
      norm += value * value;
      score += value * static_cast<float>(weights[term.feature]);
    }
    scores_[0] = score;
    return norm;
  }
  template <class Weight>
  float SumRows(std::span<const Term> terms,
                const std::vector<Weight>& weights) {
    float norm = 0;
    for (const Term& term : terms) {
      const float value = Value(term);
      norm += value * value;
      const Weight* row = &weights[size_t{term.feature} * w_.rows];
      for (size_t r = 0; r < w_.rows; ++r)
        scores_[r] += value * static_cast<float>(row[r]);
    }
    return norm;
  }
  float Value(const Term& term) const {
    return TermFrequency(term.count) * w_.idf[term.feature];
  }
  double RowScale(size_t row) const {
    return w_.eight_bit() ? double{w_.scale[row]} : 1;
  }

  // What each n-gram adds to the log-odds that the label's own sigmoid stands
  // for: slope * value * weight / norm. With the bias and the offset these
  // sum to it.
  void Explain(const Item& item, std::span<const Term> terms, int count,
               Label& label) const {
    const auto index = static_cast<size_t>(label.index);
    const size_t row = w_.rows == 1 ? 0 : index;
    double norm = 0;
    for (const Term& term : terms) norm += Value(term) * Value(term);
    const double sign = w_.rows == 1 && index == 0 ? -1 : 1;
    const double scale = sign * w_.slope[row] * RowScale(row) / std::sqrt(norm);
    std::vector<HashEffect> effects;
    for (const Term& term : terms) {
      const size_t at = size_t{term.feature} * w_.rows + row;
      const double weight = w_.eight_bit() ? w_.weights8[at] : w_.weights[at];
      effects.push_back(
          {w_.hashes[term.feature], scale * Value(term) * weight});
    }
    label.reasons = ExplainText(std::get<Text>(item.payload).text, w_.config,
                                std::move(effects), count);
  }

  void Normalise(Label& label) const {
    std::vector<float>& p = label.probabilities;
    if (w_.rows == 1) {
      p[1] = p[0];
      p[0] = 1 - p[1];
    } else {
      float sum = 0;
      for (const float one : p) sum += one;
      for (float& one : p)
        one = sum > 0 ? one / sum : 1 / static_cast<float>(p.size());
    }
    label.index = static_cast<LabelIndex>(std::max_element(p.begin(), p.end()) -
                                          p.begin());
  }

  const LinearWeights w_;
  const HashIndex index_;
  const ModelInfo info_;
  BlockFeatures features_;
  std::vector<float> scores_;
};

}  // namespace

Result<std::unique_ptr<Model>> MakeLinearModel(
    std::string_view bytes, const std::vector<std::string>& labels) {
  MODICUM_TRY(LinearWeights weights, DecodeLinear(bytes));
  if (weights.classes != labels.size()) {
    return Fail(ErrorCode::kInvalidInput,
                "the linear model has " + std::to_string(weights.classes) +
                    " classes, its card " + std::to_string(labels.size()));
  }
  HashIndex index(weights.hashes);
  if (index.duplicate()) {
    return Fail(ErrorCode::kInvalidInput,
                "not a linear model this program wrote: a feature comes twice");
  }
  ModelInfo info;
  info.family = "linear";
  info.engine = "liblinear";
  info.engine_version = LiblinearVersion(weights.solver_version);
  info.parameters = weights.weights.size() + weights.weights8.size() +
                    weights.idf.size() + 3 * weights.bias.size();
  info.bytes = Bytes(static_cast<double>(bytes.size()));
  info.labels = labels;
  return std::make_unique<LinearModel>(std::move(weights), std::move(index),
                                       std::move(info));
}

Result<std::unique_ptr<Model>> LoadLinearModel(
    const std::string& directory, const std::vector<std::string>& labels,
    PhaseSink& sink) {
  sink.Begin(Phase::kLoad);
  MODICUM_TRY(const std::string bytes,
              ReadWholeFile(directory + "/" + kLinearFile, kMaxModelFile));
  return MakeLinearModel(bytes, labels);
}

}  // namespace modicum
