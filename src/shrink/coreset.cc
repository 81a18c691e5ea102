// SPDX-License-Identifier: Apache-2.0
// Coreset: a share of each class's rows that covers it, by k-center greedy
// (farthest-first traversal: Gonzalez 1985, within twice the best radius; for
// training sets: Sener and Savarese, Active Learning for CNNs: A Core-Set
// Approach, ICLR 2018). Texts are compared by their hashed words in 64
// dimensions (feature hashing with signs, Weinberger et al. 2009), rows of
// numbers by their standardised columns.
//
// Each class is shuffled by the seed and covered in parts of 1,024 rows, so
// that time grows with the rows and not with their square.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"
#include "model/text_features.h"
#include "shrink/pass_support.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

constexpr size_t kPart = 1024;
constexpr size_t kTextDimensions = 64;

// The rows' points, `dimensions` numbers each.
struct Points {
  size_t dimensions = 0;
  std::vector<float> values;
  const float* at(size_t row) const { return &values[row * dimensions]; }
};

Result<Points> TextPoints(const PassInput& input, const Budget& budget) {
  Points points{kTextDimensions, {}};
  points.values.assign(input.rows.size() * kTextDimensions, 0);
  std::vector<uint32_t> hashes;
  for (size_t i = 0; i < input.rows.size(); ++i) {
    if (budget.stop.stop_requested())
      return Fail(ErrorCode::kInterrupted, "coreset interrupted");
    MODICUM_TRY(const std::string_view text,
                TextOf(input.data.items[input.rows[i]]));
    hashes.clear();
    HashFeatures(text, {{1, 1}, {0, 0}}, hashes);
    float* point = &points.values[i * kTextDimensions];
    for (const uint32_t hash : hashes)
      point[hash % kTextDimensions] += (hash & 0x80000000U) != 0 ? 1.0F : -1.0F;
    float norm = 0;
    for (size_t d = 0; d < kTextDimensions; ++d) norm += point[d] * point[d];
    if (norm == 0) continue;
    for (size_t d = 0; d < kTextDimensions; ++d) point[d] /= std::sqrt(norm);
  }
  return points;
}

// Mean 0 and variance 1 by column; a missing value is the mean.
void Standardise(Points& points, size_t column) {
  double n = 0, sum = 0, squares = 0;
  for (size_t i = column; i < points.values.size(); i += points.dimensions) {
    const double value = points.values[i];
    if (std::isnan(value)) continue;
    ++n;
    sum += value;
    squares += value * value;
  }
  const double mean = n > 0 ? sum / n : 0;
  const double variance = n > 0 ? squares / n - mean * mean : 0;
  const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
  for (size_t i = column; i < points.values.size(); i += points.dimensions) {
    float& value = points.values[i];
    value = std::isnan(value) ? 0 : static_cast<float>((value - mean) * scale);
  }
}

Points TablePoints(const PassInput& input) {
  Points points{input.data.columns.size(), {}};
  for (const uint32_t row : input.rows) {
    const auto& values =
        std::get<Numbers>(input.data.items[row].payload).values;
    points.values.insert(points.values.end(), values.begin(), values.end());
  }
  for (size_t column = 0; column < points.dimensions; ++column)
    Standardise(points, column);
  return points;
}

float Distance(const float* a, const float* b, size_t dimensions) {
  float sum = 0;
  for (size_t d = 0; d < dimensions; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

// The member nearest to the members' mean: where the traversal begins.
size_t Middle(const Points& points, std::span<const uint32_t> members) {
  std::vector<float> mean(points.dimensions);
  for (const uint32_t member : members)
    for (size_t d = 0; d < mean.size(); ++d)
      mean[d] += points.at(member)[d] / static_cast<float>(members.size());
  size_t best = 0;
  float least = INFINITY;
  for (size_t i = 0; i < members.size(); ++i) {
    const float far = Distance(points.at(members[i]), mean.data(), mean.size());
    if (far < least) {
      least = far;
      best = i;
    }
  }
  return best;
}

// Appends `count` of `members`, each the farthest from those chosen before.
void Cover(const Points& points, std::span<const uint32_t> members,
           size_t count, std::vector<uint32_t>& chosen) {
  std::vector<float> far(members.size(), INFINITY);
  size_t next = Middle(points, members);
  for (size_t n = 0; n < count; ++n) {
    const float* center = points.at(members[next]);
    chosen.push_back(members[next]);
    far[next] = -1;  // not twice, though another row be equal
    size_t farthest = next;
    for (size_t i = 0; i < members.size(); ++i) {
      if (far[i] < 0) continue;
      far[i] = std::min(
          far[i], Distance(points.at(members[i]), center, points.dimensions));
      if (far[i] > far[farthest]) farthest = i;
    }
    next = farthest;
  }
}

class Coreset final : public Pass {
 public:
  std::string_view name() const override { return "coreset"; }
  std::string_view summary() const override {
    return "trains on a share of each class that covers it";
  }
  Needs needs() const override { return Needs::kArithmetic; }
  bool on_data() const override { return true; }

  Status Accepts(const PassInput& input) const override {
    for (const uint32_t row : input.rows) {
      const Payload& payload = input.data.items[row].payload;
      const auto* numbers = std::get_if<Numbers>(&payload);
      if (std::holds_alternative<Text>(payload) && input.data.columns.empty())
        continue;
      if (numbers != nullptr && !numbers->values.empty() &&
          numbers->values.size() == input.data.columns.size())
        continue;
      return Fail(ErrorCode::kUnavailable,
                  "coreset compares texts and rows of numbers; item " +
                      std::to_string(input.data.items[row].id) + " is neither");
    }
    return {};
  }
  std::vector<Params> Space(const PassInput&) const override {
    return KeepSpace({0.5, 0.25, 0.1});
  }

  // Hashing costs 10 ns a byte of text, a distance 20 ns, measured on the
  // mails and the languages.
  PassForecast Predict(const PassInput& input,
                       const Params& params) const override {
    const auto rows = static_cast<double>(input.rows.size());
    const auto classes =
        static_cast<double>(std::max<size_t>(1, input.data.labels.size()));
    const double part = std::min(rows / classes, static_cast<double>(kPart));
    const double centers = part * Get(params, "keep", 0.5);
    const auto text = static_cast<double>(PayloadBytes(input));
    return Forecast(1e-3 + 10e-9 * text + 20e-9 * rows * centers,
                    4.0 * kTextDimensions * rows);
  }

  Result<std::vector<uint32_t>> SelectRows(const PassInput& input,
                                           const Params& params,
                                           const Budget& budget) override {
    MODICUM_TRY(const double keep, KeepParam(params, name()));
    MODICUM_RETURN_IF_ERROR(Accepts(input));
    MODICUM_TRY(const Points points, PointsOf(input, budget));
    std::map<LabelIndex, std::vector<uint32_t>> classes;
    for (uint32_t i = 0; i < input.rows.size(); ++i)
      classes[input.data.items[input.rows[i]].label].push_back(i);
    std::vector<uint32_t> chosen;
    Rng rng(budget.seed);
    for (auto& [label, members] : classes) {
      rng.Shuffle(members);
      for (size_t at = 0; at < members.size(); at += kPart) {
        if (budget.stop.stop_requested())
          return Fail(ErrorCode::kInterrupted, "coreset interrupted");
        const auto part = std::span(members).subspan(
            at, std::min(kPart, members.size() - at));
        const double count = keep * static_cast<double>(part.size());
        Cover(points, part, static_cast<size_t>(std::ceil(count)), chosen);
      }
    }
    for (uint32_t& row : chosen) row = input.rows[row];
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }

 private:
  static Result<Points> PointsOf(const PassInput& input, const Budget& budget) {
    if (input.data.columns.empty()) return TextPoints(input, budget);
    return TablePoints(input);
  }
};

}  // namespace

Pass& CoresetPass() {
  static Coreset pass;
  return pass;
}

}  // namespace modicum
