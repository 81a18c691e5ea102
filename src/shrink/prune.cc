// SPDX-License-Identifier: Apache-2.0
// Prune: magnitude pruning (Han, Mao, Dally, Deep Compression, ICLR 2016, its
// first step) of a linear text model. A feature weighs what it can add to a
// score at most, idf * |weight| of the class it speaks for most; the lightest
// leave the model whole, so that it is their lookup that is saved.
//
// The model divides by the length of the vector of known features, and with
// fewer known that length falls: scores would grow, and answers with them
// change where the bias decides. So the sigmoid of each class is refitted:
// least squares of the full model's scores on the pruned one's over some of
// the training rows, no label needed.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

// Rows that the sigmoids are refitted on: more did not change an answer on
// the mail corpus.
constexpr size_t kRefitRows = 1000;

// Raw scores of texts, one per class; the model's own path gives only
// probabilities.
class Scorer {
 public:
  explicit Scorer(const LinearWeights& weights)
      : w_(weights), index_(weights.hashes) {}

  std::vector<double> Scores(std::string_view text) {
    hashes_.clear();
    HashFeatures(text, w_.config, hashes_);
    std::sort(hashes_.begin(), hashes_.end());
    std::vector<double> scores(w_.rows);
    double norm = 0;
    for (auto at = hashes_.begin(); at != hashes_.end();) {
      const auto end = std::upper_bound(at, hashes_.end(), *at);
      norm += Add(index_.Find(*at), static_cast<uint32_t>(end - at), scores);
      at = end;
    }
    for (size_t r = 0; r < scores.size(); ++r)
      scores[r] = w_.bias[r] + (norm > 0 ? scores[r] / std::sqrt(norm) : 0);
    return scores;
  }

 private:
  // Returns what the feature adds to the squared length.
  double Add(uint32_t feature, uint32_t count, std::vector<double>& scores) {
    if (feature == HashIndex::kAbsent) return 0;
    const double value = double{TermFrequency(count)} * w_.idf[feature];
    for (size_t r = 0; r < scores.size(); ++r)
      scores[r] += value * w_.weights[feature * scores.size() + r];
    return value * value;
  }

  const LinearWeights& w_;
  const HashIndex index_;
  std::vector<uint32_t> hashes_;
};

// The features to keep, in their order.
std::vector<uint32_t> Heaviest(const LinearWeights& w, double keep) {
  std::vector<float> weight(w.hashes.size());
  for (size_t i = 0; i < w.weights.size(); ++i) {
    const size_t feature = i / w.rows;
    weight[feature] =
        std::max(weight[feature], std::abs(w.weights[i]) * w.idf[feature]);
  }
  std::vector<uint32_t> order(weight.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return weight[a] > weight[b];
  });
  order.resize(
      static_cast<size_t>(std::ceil(keep * static_cast<double>(order.size()))));
  std::sort(order.begin(), order.end());
  return order;
}

LinearWeights Subset(const LinearWeights& w,
                     const std::vector<uint32_t>& features) {
  LinearWeights out = w;
  out.hashes.clear();
  out.idf.clear();
  out.weights.clear();
  for (const uint32_t feature : features) {
    out.hashes.push_back(w.hashes[feature]);
    out.idf.push_back(w.idf[feature]);
    const auto row =
        w.weights.begin() + static_cast<std::ptrdiff_t>(feature) * w.rows;
    out.weights.insert(out.weights.end(), row, row + w.rows);
  }
  return out;
}

// Sums for the least squares of y on x.
struct Line {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  void Add(double at_x, double at_y) {
    ++n;
    x += at_x;
    y += at_y;
    xx += at_x * at_x;
    xy += at_x * at_y;
  }
  double Slope() const {
    const double spread = xx - x * x / n;
    return spread > 1e-9 * n ? (xy - x * y / n) / spread : 1;
  }
};

// Fits the sigmoids of `pruned` to the scores of `full`.
Status Refit(const LinearWeights& full, const PassInput& input,
             const Budget& budget, LinearWeights& pruned) {
  const size_t count = std::min(kRefitRows, input.rows.size());
  if (count == 0) return {};
  Scorer before(full), after(pruned);
  std::vector<Line> lines(full.rows);
  for (size_t i = 0; i < count; ++i) {
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "prune interrupted");
    const uint32_t row = input.rows[i * input.rows.size() / count];
    MODICUM_TRY(const std::string_view text, TextOf(input.data.items[row]));
    const std::vector<double> y = before.Scores(text), x = after.Scores(text);
    for (size_t r = 0; r < lines.size(); ++r) lines[r].Add(x[r], y[r]);
  }
  for (size_t r = 0; r < lines.size(); ++r) {
    const double slope = lines[r].Slope();
    const double offset = (lines[r].y - slope * lines[r].x) / lines[r].n;
    pruned.offset[r] += pruned.slope[r] * offset;
    pruned.slope[r] *= slope;
  }
  return {};
}

class Prune final : public Pass {
 public:
  std::string_view name() const override { return "prune"; }
  std::string_view summary() const override {
    return "drops the linear model's features of smallest weight";
  }
  Needs needs() const override { return Needs::kCalibration; }

  Status Accepts(const PassInput& input) const override {
    MODICUM_RETURN_IF_ERROR(CheckLinearText(input, name()));
    if (input.directory.empty()) return {};
    MODICUM_TRY(const LinearWeights weights, ReadLinear(input));
    if (!weights.eight_bit()) return {};
    return Fail(ErrorCode::kUnavailable,
                "its weights have 8 bits: prune before 8-bit, not after");
  }
  std::vector<Params> Space(const PassInput&) const override {
    return KeepSpace({0.5, 0.25, 0.1, 0.03});
  }

  // 20 ns a byte of the model to sort and write, 60 ns a byte of the texts it
  // is refitted on, measured on the mails and the languages.
  PassForecast Predict(const PassInput& input, const Params&) const override {
    const double bytes = ModelBytes(input);
    const double share =
        std::min(1.0, static_cast<double>(kRefitRows) /
                          static_cast<double>(input.rows.size() + 1));
    const double text = static_cast<double>(PayloadBytes(input)) * share;
    return Forecast(1e-3 + 20e-9 * bytes + 60e-9 * text, 5 * bytes);
  }

  Result<TrainedModel> Apply(const PassInput& input, const Params& params,
                             const Budget& budget, const std::string& directory,
                             PhaseSink& sink) override {
    sink.Begin(Phase::kTrain);
    MODICUM_TRY(const double keep, KeepParam(params, name()));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    MODICUM_TRY(const LinearWeights full, ReadLinear(input));
    const std::vector<uint32_t> kept = Heaviest(full, keep);
    LinearWeights pruned = Subset(full, kept);
    if (kept.size() < full.hashes.size())
      MODICUM_RETURN_IF_ERROR(Refit(full, input, budget, pruned));
    return WriteLinear(pruned, directory);
  }
};

}  // namespace

Pass& PrunePass() {
  static Prune pass;
  return pass;
}

}  // namespace modicum
