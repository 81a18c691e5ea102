// SPDX-License-Identifier: Apache-2.0
#include "model/fasttext/fasttext_explain.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "model/payload.h"

namespace modicum {

namespace {

// Sums of floats in another order differ by less.
constexpr double kNothing = 1e-12;

// The output vector of `label` less the mean of the others.
std::vector<double> Contrast(const fasttext::FastText& fast_text,
                             int32_t label) {
  const auto output = fast_text.getOutputMatrix();
  std::vector<double> contrast(static_cast<size_t>(output->cols()));
  const auto others =
      static_cast<double>(std::max<int64_t>(1, output->rows() - 1));
  for (int64_t row = 0; row < output->rows(); ++row)
    for (size_t d = 0; d < contrast.size(); ++d)
      contrast[d] += (row == label ? 1 : -1 / others) *
                     double{output->at(row, static_cast<int64_t>(d))};
  return contrast;
}

class Explanation {
 public:
  Explanation(fasttext::FastText& fast_text, const std::string& line,
              size_t units, int32_t label)
      : fast_text_(fast_text),
        line_(line),
        units_(static_cast<double>(units)),
        contrast_(Contrast(fast_text, label)),
        vector_(fast_text.getDimension()) {}

  // By name. An n-gram's own effect is what the dictionary adds for its words
  // together and for none of the shorter runs in them.
  std::map<std::string, double> Effects() {
    const auto words = Words();
    const auto longest = static_cast<size_t>(fast_text_.getArgs().wordNgrams);
    std::map<std::string, double> effects;
    for (size_t first = 0; first < words.size(); ++first) {
      for (size_t n = 1; n <= longest && first + n <= words.size(); ++n) {
        const auto sum = [&](size_t from, size_t count) {
          return count == 0 ? 0 : SumOf(words, from, count);
        };
        double own = sum(first, n);
        if (n > 1)
          own +=
              sum(first + 1, n - 2) - sum(first, n - 1) - sum(first + 1, n - 1);
        effects[Name(words, first, n)] += own;
      }
    }
    return effects;
  }

 private:
  struct Range {
    size_t begin, end;
  };

  // The words between blanks, and the end of the line as one more.
  std::vector<Range> Words() const {
    std::vector<Range> words;
    for (size_t at = 0; at < line_.size();) {
      const size_t begin = line_.find_first_not_of(' ', at);
      if (begin >= line_.size()) break;
      const bool ends = line_[begin] == '\n';
      at = ends ? begin + 1
                : std::min(line_.size(), line_.find_first_of(" \n", begin));
      words.push_back({begin, at});
    }
    return words;
  }

  // The effect of all units that the dictionary makes of these words alone.
  double SumOf(const std::vector<Range>& words, size_t first, size_t n) {
    const size_t begin = words[first].begin;
    std::istringstream in(
        line_.substr(begin, words[first + n - 1].end - begin));
    std::vector<int32_t> units, labels;
    fast_text_.getDictionary()->getLine(in, units, labels);
    double sum = 0;
    for (const int32_t unit : units) sum += EffectOf(unit);
    return sum;
  }
  double EffectOf(int32_t unit) {
    const auto [at, is_new] = known_.try_emplace(unit, 0);
    if (!is_new) return at->second;
    fast_text_.getInputVector(vector_, unit);
    for (size_t d = 0; d < contrast_.size(); ++d)
      at->second += contrast_[d] * double{vector_[static_cast<int64_t>(d)]};
    return at->second /= units_;
  }

  std::string Name(const std::vector<Range>& words, size_t first,
                   size_t n) const {
    std::string name;
    for (size_t i = first; i < first + n; ++i) {
      if (i > first) name += ' ';
      const std::string word =
          line_.substr(words[i].begin, words[i].end - words[i].begin);
      name += word == "\n" ? "</s>" : word;
    }
    return name;
  }

  fasttext::FastText& fast_text_;
  const std::string& line_;
  const double units_;
  const std::vector<double> contrast_;
  fasttext::Vector vector_;
  std::map<int32_t, double> known_;  // effects by unit
};

}  // namespace

std::vector<Reason> ExplainFastText(fasttext::FastText& fast_text,
                                    const std::string& line,
                                    const std::vector<int32_t>& units,
                                    int32_t label, int count) {
  if (units.empty()) return {};
  std::vector<Reason> reasons;
  for (const auto& [name, effect] :
       Explanation(fast_text, line, units.size(), label).Effects())
    if (std::abs(effect) > kNothing) reasons.push_back({name, effect});
  KeepStrongest(reasons, count);
  return reasons;
}

}  // namespace modicum
