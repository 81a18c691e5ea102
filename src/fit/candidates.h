// SPDX-License-Identifier: Apache-2.0
// What fit may try: a small explicit space per family and kind of task,
// humblest first, and what passes make of its members.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "fit/networks.h"
#include "model/engine.h"
#include "model/pass.h"

namespace modicum {

struct Candidate {
  std::string name;  // unique in a fit: "linear, bigrams"
  std::string family;
  Params params;
  // In order: those over the data come before the training, the others after.
  std::vector<PassStep> passes;
  // Of a cascade, cheapest first; its params hold the thresholds.
  std::vector<Candidate> stages;
  // The humblest of its family.
  bool first_of_family = false;
  // Not tried unless the task names it or its family.
  bool when_named = false;
};

// Hash of all that makes the model: half of a trial's key.
Hash HashOf(const Candidate& candidate);

// `families` empty: all that take the kind of task but those tried only when
// named; else families, or candidates by name. kInvalidInput with "did you
// mean" for an unknown one; kUnavailable for one whose module is not installed.
// Families that run a network have candidates for each of `networks`.
Result<std::vector<Candidate>> EnumerateCandidates(
    std::string_view kind, const std::vector<std::string>& families,
    const Networks& networks = {});

// The candidate with one more pass: "linear; prune keep=0.1".
Candidate WithPass(const Candidate& candidate, const PassStep& step);

// The last step of a chain may be how the model is run: "threads" and "batch"
// (items per call), which change no answer.
inline constexpr char kRunStep[] = "run";
// The run step's parameters, or null.
const Params* RunSettingsOf(const Candidate& candidate);

// One list for each pass that takes the candidate's model and is not in its
// chain yet, mildest first, and one of run settings with up to `threads`
// threads. `data` and `rows` are what would be trained on.
std::vector<std::vector<Candidate>> PassesOver(const Candidate& candidate,
                                               const Dataset& data,
                                               std::span<const uint32_t> rows,
                                               int threads);

}  // namespace modicum
