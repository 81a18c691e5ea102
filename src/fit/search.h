// SPDX-License-Identifier: Apache-2.0
// Which candidate to try next: ask and tell. The search knows nothing of
// training; it is told scores and joules, and can be tested on any surface.
//
// The ladder: a small space is tried whole. A larger one is first tried on a
// part of the training rows (successive halving on items, Jamieson & Talwalkar
// 2016, with one halving step); what may still be good enough there is tried
// on all of them, cheapest first, and one that is not but costs little, for a
// cascade to begin with; then passes are tried from the cheapest good enough,
// each mildest first, as long as they help; then cascades.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evaluate/metric.h"
#include "fit/candidates.h"
#include "fit/choose.h"

namespace modicum {

struct Question {
  Candidate candidate;
  double fraction = 1;  // of the training rows
};

// What a trial told. Without scores it failed.
struct Told {
  Candidate candidate;
  std::vector<ItemScore> scores;  // all of the same items in the same order
  std::vector<double> confidence;
  std::optional<Estimate<Joules>> joules_per_1000;
  Joules spent;  // on the trial
};

// For Choose, in their order.
std::vector<Contender> ContendersOf(const std::vector<Told>& told);

struct SearchProblem {
  std::vector<Candidate> space;  // humblest first, trained without passes
  const Metric* metric = nullptr;
  Requirement requirement;
  // The first rung's share of the training rows; 1: no such rung.
  double first_rung = 0.125;
  // Up to this many candidates are tried whole.
  size_t small = 6;
  // Variants of a candidate by one more pass; see PassesOver.
  std::function<std::vector<std::vector<Candidate>>(const Candidate&)> passes;
  // Of passes, in an exhaustive search: without a bound a candidate has
  // hundreds of variants, which differ by little.
  size_t longest_chain = 2;
  // Cascades worth building of what is known; see ProposeCascades.
  std::function<std::vector<Candidate>(const std::vector<Told>&)> cascades;
};

// Ask, run, tell, until Next() is empty. A question must be told before the
// next one is asked. Not thread-safe.
class Search {
 public:
  virtual ~Search() = default;
  virtual std::optional<Question> Next() = 0;
  virtual void Tell(const Question& question, Told told) = 0;
  // Why a candidate of the space was left at its first rung; "" when it was
  // not.
  virtual std::string WhyDropped(const std::string& name) const = 0;
};

std::unique_ptr<Search> LadderSearch(SearchProblem problem);
// Every candidate with every chain of up to `longest_chain` passes, then the
// cascades: what the ladder is measured against.
std::unique_ptr<Search> ExhaustiveSearch(SearchProblem problem);

}  // namespace modicum
