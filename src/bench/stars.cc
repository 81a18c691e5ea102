// SPDX-License-Identifier: Apache-2.0
#include "bench/stars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/format.h"
#include "base/hash.h"

namespace modicum {
namespace {

constexpr int kMostStars = 5;
constexpr std::string_view kPublishedNote = "published figures are not rated";

using Rows = std::vector<const BenchRow*>;

bool SameWorkload(const BenchRow& a, const BenchRow& b) {
  return a.task == b.task && a.data_hash == b.data_hash && a.batch == b.batch &&
         a.length == b.length && a.new_tokens == b.new_tokens;
}

// Measured, and a number that bands can be cut of.
bool HasEnergy(const BenchRow& row) {
  return row.joules_per_1000 &&
         std::isfinite(row.joules_per_1000->mid.value()) &&
         row.joules_per_1000->mid >= Joules(0);
}

Scope ScopeOf(const BenchRow& row) { return row.joules_per_1000->scope; }

bool Measured(const BenchRow& row) {
  return IsMeasured(row.joules_per_1000->origin);
}

std::string_view MeasuredName(bool measured) {
  return measured ? "measured" : "modelled";
}

// What a row may be rated among, or why there is nothing.
struct Choice {
  Rows rows;
  std::string why_not;
};

// Keeps what agrees with `row`; the reason when nothing is left.
template <class Same, class Describe>
bool Narrow(Rows& rows, Same same, std::string& why_not, Describe describe) {
  const BenchRow* const one = rows.front();
  std::erase_if(rows, [&](const BenchRow* other) { return !same(*other); });
  if (!rows.empty()) return true;
  why_not = describe(*one);
  return false;
}

Choice ChooseSet(const BenchRow& row, const std::vector<BenchRow>& all) {
  Choice choice;
  for (const BenchRow& other : all)
    if (HasEnergy(other) && SameWorkload(row, other))
      choice.rows.push_back(&other);
  if (choice.rows.empty()) {
    choice.why_not =
        "no row of the set has the same task, data, batch and length";
    return choice;
  }
  const bool fair =
      Narrow(
          choice.rows,
          [&](const BenchRow& o) { return ScopeOf(o) == ScopeOf(row); },
          choice.why_not,
          [&](const BenchRow& o) {
            return fmt::format(
                "its scope is {}, the set's {}: figures of different scopes "
                "are not rated together",
                ScopeName(ScopeOf(row)), ScopeName(ScopeOf(o)));
          }) &&
      Narrow(
          choice.rows,
          [&](const BenchRow& o) { return Measured(o) == Measured(row); },
          choice.why_not,
          [&](const BenchRow& o) {
            return fmt::format(
                "its energy is {}, the set's {}: they are not rated together",
                MeasuredName(Measured(row)), MeasuredName(Measured(o)));
          }) &&
      Narrow(
          choice.rows,
          [&](const BenchRow& o) { return o.idle_policy == row.idle_policy; },
          choice.why_not,
          [&](const BenchRow& o) {
            return fmt::format(
                "its idle is charged {}, the set's {}: they are not rated "
                "together",
                row.idle_policy, o.idle_policy);
          });
  if (fair && choice.rows.size() < kLeastForStars) {
    choice.why_not = fmt::format(
        "only {} row{} of its workload and scope: fewer than {} tell nothing "
        "by fifths",
        choice.rows.size(), choice.rows.size() == 1 ? "" : "s", kLeastForStars);
    choice.rows.clear();
  }
  return choice;
}

std::string AboutSet(const BenchRow& row) {
  std::string text = fmt::format("{}, {}", row.task, row.data);
  if (row.batch != 1) text += fmt::format(", batch {}", row.batch);
  if (row.length != 0) text += fmt::format(", {} words", row.length);
  return text + fmt::format(", scope {}, {}, idle {}", ScopeName(ScopeOf(row)),
                            MeasuredName(Measured(row)), row.idle_policy);
}

StarSet SetOf(const BenchRow& row, const Rows& rows,
              const StarReference* reference) {
  std::set<std::string_view> machines;
  for (const BenchRow* one : rows) machines.insert(one->machine);
  return {StarSetHash(rows), AboutSet(row),
          reference != nullptr ? reference->name : "these rows", rows.size(),
          machines.size()};
}

void Rate(BenchRow& row, const Rows& rows) {
  std::vector<double> joules;
  for (const BenchRow* one : rows)
    joules.push_back(one->joules_per_1000->mid.value());
  const double own = row.joules_per_1000->mid.value();
  row.stars_equal_width = EqualWidthStars(own, joules);
  row.stars_quintile = QuintileStars(own, joules);
}

// A user's figure beside a published one is the study's flaw made anew.
void NotePublished(BenchResult& result) {
  std::erase_if(result.notes, [](const std::string& note) {
    return note.starts_with(kPublishedNote);
  });
  const auto measured =
      std::find_if(result.rows.begin(), result.rows.end(), HasEnergy);
  if (measured == result.rows.end() || result.published.empty()) return;
  const std::string& scope = result.published[0].figure.scope;
  result.notes.push_back(fmt::format(
      "{} with these rows: theirs is another scope ({}), these are scope {}",
      kPublishedNote, scope.substr(0, scope.find(';')),
      ScopeName(ScopeOf(*measured))));
}

}  // namespace

int EqualWidthStars(double joules, std::span<const double> set) {
  const auto [least, most] = std::minmax_element(set.begin(), set.end());
  if (!(*most > *least)) return joules <= *least ? kMostStars : 1;
  const double band = kMostStars * (joules - *least) / (*most - *least);
  return kMostStars - static_cast<int>(std::clamp(band, 0.0, kMostStars - 1.0));
}

int QuintileStars(double joules, std::span<const double> set) {
  const auto below = std::count_if(
      set.begin(), set.end(), [&](double other) { return other < joules; });
  const auto fifth =
      static_cast<int>(kMostStars * below / static_cast<int64_t>(set.size()));
  return kMostStars - std::min(fifth, kMostStars - 1);
}

std::string StarSetHash(std::span<const BenchRow* const> rows) {
  std::vector<std::string> lines;
  for (const BenchRow* row : rows)
    lines.push_back(fmt::format("{}\t{}\t{}\n",
                                row->joules_per_1000->mid.value(), row->model,
                                row->machine));
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.Add(line);
  return ToHex(hash.Finish());
}

void RateRows(BenchResult& result, const StarReference* reference) {
  result.star_sets.clear();
  const std::vector<BenchRow> own = result.rows;
  for (BenchRow& row : result.rows) {
    row.stars_equal_width.reset();
    row.stars_quintile.reset();
    row.star_set.clear();
    row.unrated.clear();
    if (!HasEnergy(row)) continue;
    Choice choice =
        ChooseSet(row, reference != nullptr ? reference->rows : own);
    row.unrated = std::move(choice.why_not);
    if (choice.rows.empty()) continue;
    Rate(row, choice.rows);
    StarSet set = SetOf(row, choice.rows, reference);
    row.star_set = set.sha256;
    const bool known = std::any_of(
        result.star_sets.begin(), result.star_sets.end(),
        [&](const StarSet& other) { return other.sha256 == set.sha256; });
    if (!known) result.star_sets.push_back(std::move(set));
  }
  NotePublished(result);
}

}  // namespace modicum
