// SPDX-License-Identifier: Apache-2.0
// What fit tries: a small explicit grid per family, humblest first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "model/engine.h"

namespace modicum {

struct Candidate {
  std::string name;  // unique in a fit: "linear C=10"
  std::string family;
  Params params;
  // The first of its family is always tried; the others only while they may
  // still pay (see fit.h).
  bool first_of_family = false;
};

// Hash of family and parameters: half of a trial's key.
Hash HashOf(const Candidate& candidate);

// `families` empty: all, in Families() order; else families, or candidates by
// name. kInvalidInput with "did you mean" for an unknown one.
Result<std::vector<Candidate>> EnumerateCandidates(
    const std::vector<std::string>& families);

}  // namespace modicum
