// SPDX-License-Identifier: Apache-2.0
// What this process had other machines do for it: tokens, their price by a
// price list, their energy by assumption. No meter here sees it; whoever
// measures takes the difference of two readings and adds it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/estimate.h"
#include "base/units.h"

namespace modicum {

// Of one endpoint.
struct RemoteUse {
  uint64_t requests = 0;
  uint64_t unlabelled = 0;  // answers that held no label
  std::string example;      // the latest of those, cut
  uint64_t tokens_in = 0;
  uint64_t tokens_out = 0;
  double price = 0;  // major units of `currency`, by the price list
  std::string currency;
  Joules energy;             // assumed, at its geometric middle
  double energy_rel_sd = 0;  // one standard deviation of its logarithm
};

// By the endpoint's name.
using RemoteUses = std::map<std::string, RemoteUse>;

// Thread-safe.
void AddRemoteUse(const std::string& endpoint, const RemoteUse& use);
// Since the process began. Thread-safe.
RemoteUses RemoteUseSoFar();

// What came after `before`, a reading of an earlier time; endpoints that did
// nothing since are left out.
RemoteUses RemoteUseSince(const RemoteUses& before);

// The sum, kAssumed, of other machines' wall: each endpoint's error is shared
// by all that it does ("remote energy: NAME").
Estimate<Joules> RemoteEnergy(const RemoteUses& uses);
// `own` and that together; `own` itself where nothing was asked elsewhere.
Estimate<Joules> WithRemote(const Estimate<Joules>& own,
                            const RemoteUses& uses);
double RemotePrice(const RemoteUses& uses);
// "3 of 40 answers held no label (for example: "Sure!")"; "" for none.
std::string UnlabelledText(const RemoteUse& use);

}  // namespace modicum
