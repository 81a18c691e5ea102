// SPDX-License-Identifier: Apache-2.0
#include "model/explain_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/text_hasher.h"

namespace modicum {

namespace {

std::string Utf8(std::span<const char32_t> characters) {
  std::string text;
  for (const char32_t c : characters) AppendUtf8(c, text);
  return text;
}

// Keeps the text of the first n-gram with the wanted hash.
class FindNgram {
 public:
  explicit FindNgram(uint32_t wanted) : wanted_(wanted) {}

  void EndWord(std::span<const char32_t> word) {
    if (!found.empty()) return;
    std::rotate(last_.begin(), last_.end() - 1, last_.end());
    last_[0] = Utf8(word);
  }
  void Words(uint32_t hash, int n) {
    if (hash != wanted_ || !found.empty()) return;
    for (int i = n - 1; i >= 0; --i) {
      found += last_[static_cast<size_t>(i)];
      if (i > 0) found += ' ';
    }
  }
  void Characters(uint32_t hash, std::span<const char32_t> ngram) {
    if (hash == wanted_ && found.empty()) found = "'" + Utf8(ngram) + "'";
  }

  std::string found;

 private:
  const uint32_t wanted_;
  std::array<std::string, kMaxWordNgram> last_;  // newest first
};

}  // namespace

std::string NgramText(std::string_view text, const FeatureConfig& config,
                      uint32_t hash) {
  FindNgram find(hash);
  internal::Hasher(config, find).Run(text);
  return std::move(find.found);
}

std::vector<Reason> ExplainText(std::string_view text,
                                const FeatureConfig& config,
                                std::vector<HashEffect> effects, int count) {
  std::erase_if(effects, [](const HashEffect& e) { return e.effect == 0; });
  std::stable_sort(effects.begin(), effects.end(),
                   [](const HashEffect& a, const HashEffect& b) {
                     return std::abs(a.effect) > std::abs(b.effect);
                   });
  if (effects.size() > static_cast<size_t>(count))
    effects.resize(static_cast<size_t>(count));
  std::vector<Reason> reasons;
  for (const HashEffect& e : effects)
    reasons.push_back({NgramText(text, config, e.hash), e.effect});
  return reasons;
}

}  // namespace modicum
