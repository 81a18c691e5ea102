// SPDX-License-Identifier: Apache-2.0
#include "fit/candidates.h"

#include <algorithm>

#include "base/suggest.h"

namespace modicum {
namespace {

// The grid: what text classifiers are usually tuned by, nothing exotic.
// Word bigrams, the inverse regularisation C and the loss for the linear
// model; the dimension for fastText; character n-grams help on odd spellings.
struct GridRow {
  std::string_view family;
  std::string_view name;
  Params params;
};

const std::vector<GridRow>& Grid() {
  using Text = std::string;
  static const auto* rows = new std::vector<GridRow>{
      {"majority", "majority", {}},
      {"linear", "linear", {{"word_ngrams", Text("1")}, {"C", 30.0}}},
      {"linear",
       "linear, bigrams",
       {{"word_ngrams", Text("1-2")}, {"C", 30.0}}},
      {"linear",
       "linear, bigrams, hinge",
       {{"word_ngrams", Text("1-2")}, {"C", 1.0}, {"solver", Text("svc")}}},
      {"linear",
       "linear, characters",
       {{"word_ngrams", Text("1-2")},
        {"char_ngrams", Text("3-5")},
        {"C", 30.0}}},
      {"fasttext",
       "fasttext, 8 dims",
       {{"dim", int64_t{8}}, {"epochs", int64_t{20}}}},
      {"fasttext",
       "fasttext, 16 dims",
       {{"dim", int64_t{16}}, {"epochs", int64_t{20}}}},
  };
  return *rows;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CheckNames(const std::vector<std::string>& names) {
  const auto families = Families();
  std::vector<std::string_view> known(families.begin(), families.end());
  for (const GridRow& row : Grid()) known.push_back(row.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string_view family : families)
      list += (list.empty() ? "" : ", ") + std::string(family);
    return Fail(
        ErrorCode::kInvalidInput,
        "families: unknown family '" + name + "'" + DidYouMean(name, known),
        "families are: " + list);
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
  MODICUM_RETURN_IF_ERROR(CheckNames(families));
  std::vector<Candidate> candidates;
  for (const GridRow& row : Grid()) {
    if (!families.empty() && !Contains(families, row.family) &&
        !Contains(families, row.name))
      continue;
    const bool first =
        candidates.empty() || candidates.back().family != row.family;
    candidates.push_back(Candidate{std::string(row.name),
                                   std::string(row.family), row.params, first});
  }
  return candidates;
}

}  // namespace modicum
