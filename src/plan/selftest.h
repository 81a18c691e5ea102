// SPDX-License-Identifier: Apache-2.0
// Published runs, predicted by what the others say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/plan.h"

namespace modicum {

struct Replayed {
  std::string name;
  std::string family;
  std::string what;  // "GPU-hours", "energy", "J/token"
  Range<double> predicted;
  double published = 0;
  double naive = 0;       // the formula beside it; 0: none
  bool held_out = true;   // nothing of its family entered the prediction
  bool circular = false;  // the figure was computed from TDP: not judged

  double error() const { return predicted.mid / published - 1; }
  double naive_error() const { return naive / published - 1; }
  bool covered() const {
    return published >= predicted.low && published <= predicted.high;
  }
};

double MedianAbsoluteError(const std::vector<Replayed>& rows);
double MeanAbsoluteError(const std::vector<Replayed>& rows);
int Covered(const std::vector<Replayed>& rows);
// Two-sided exact binomial test of `hits` of `n` at probability `p`.
double BinomialTest(int hits, int n, double p);

// Each family left out in turn. `by_developer`: all of Meta's LLaMA, Llama 2
// and Llama 3 as one family.
std::vector<Replayed> ReplayHours(bool by_developer = false);
// Energy of runs whose hours are given: the metered ones, each family left
// out, and those computed from TDP, marked circular.
std::vector<Replayed> ReplayEnergy();

// Joules per output token of measured servers. The coefficients were fitted by
// others' measurements of which these rows are a part, with models held out.
std::vector<Replayed> ReplayInference();

// One row of the figures that must be met.
struct Target {
  std::string name;
  double value = 0;
  double limit = 0;
  bool at_least = false;

  bool met() const { return at_least ? value >= limit : value <= limit; }
};
struct Selftest {
  Plan plan;
  std::vector<Target> targets;
  bool passed() const;
};
Selftest RunSelftest();

}  // namespace modicum
