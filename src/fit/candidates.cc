// SPDX-License-Identifier: Apache-2.0
#include "fit/candidates.h"

#include <algorithm>

#include "base/suggest.h"

namespace modicum {
namespace {

// The grid: what text classifiers are usually tuned by, nothing exotic.
// Word bigrams and the inverse regularisation C for the linear model,
// dimension and epochs for fastText; character n-grams help on odd spellings.
struct GridRow {
  std::string_view family;
  std::string_view name;
  Params params;
};

const std::vector<GridRow>& Grid() {
  static const auto* rows = new std::vector<GridRow>{
      {"majority", "majority", {}},
      {"linear", "linear", {{"word_ngrams", std::string("1")}, {"C", 10.0}}},
      {"linear",
       "linear, bigrams",
       {{"word_ngrams", std::string("1-2")}, {"C", 10.0}}},
      {"linear",
       "linear, bigrams, C=100",
       {{"word_ngrams", std::string("1-2")}, {"C", 100.0}}},
      {"linear",
       "linear, bigrams, characters",
       {{"word_ngrams", std::string("1-2")},
        {"char_ngrams", std::string("3-5")},
        {"C", 10.0}}},
      {"fasttext",
       "fasttext",
       {{"dim", int64_t{16}},
        {"epochs", int64_t{20}},
        {"word_ngrams", int64_t{1}}}},
      {"fasttext",
       "fasttext, bigrams",
       {{"dim", int64_t{16}},
        {"epochs", int64_t{20}},
        {"word_ngrams", int64_t{2}}}},
  };
  return *rows;
}

Status CheckFamilies(const std::vector<std::string>& families) {
  const auto known = Families();
  for (const std::string& family : families) {
    if (std::find(known.begin(), known.end(), family) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known)
      names += (names.empty() ? "" : ", ") + std::string(name);
    return Fail(
        ErrorCode::kInvalidInput,
        "families: unknown family '" + family + "'" + DidYouMean(family, known),
        "families are: " + names);
  }
  return {};
}

}  // namespace

Hash HashOf(const Candidate& candidate) {
  Sha256 hash;
  hash.AddField(candidate.family);
  hash.AddField(ToString(candidate.params));
  return hash.Finish();
}

Result<std::vector<Candidate>> EnumerateCandidates(
    const std::vector<std::string>& families) {
  MODICUM_RETURN_IF_ERROR(CheckFamilies(families));
  std::vector<Candidate> candidates;
  for (const GridRow& row : Grid()) {
    if (!families.empty() && std::find(families.begin(), families.end(),
                                       row.family) == families.end())
      continue;
    const bool first =
        candidates.empty() || candidates.back().family != row.family;
    candidates.push_back(Candidate{std::string(row.name),
                                   std::string(row.family), row.params, first});
  }
  return candidates;
}

}  // namespace modicum
