// SPDX-License-Identifier: Apache-2.0
#include "base/remote_use.h"

#include <fmt/format.h>

#include <mutex>

namespace modicum {
namespace {

std::mutex& Mutex() {
  static std::mutex mutex;
  return mutex;
}
RemoteUses& Total() {
  static RemoteUses total;
  return total;
}

}  // namespace

void AddRemoteUse(const std::string& endpoint, const RemoteUse& use) {
  const std::lock_guard lock(Mutex());
  RemoteUse& sum = Total()[endpoint];
  sum.requests += use.requests;
  sum.unlabelled += use.unlabelled;
  if (use.unlabelled > 0) sum.example = use.example;
  sum.tokens_in += use.tokens_in;
  sum.tokens_out += use.tokens_out;
  sum.price += use.price;
  sum.currency = use.currency;
  sum.energy += use.energy;
  sum.energy_rel_sd = use.energy_rel_sd;
}

RemoteUses RemoteUseSoFar() {
  const std::lock_guard lock(Mutex());
  return Total();
}

RemoteUses RemoteUseSince(const RemoteUses& before) {
  RemoteUses uses = RemoteUseSoFar();
  for (const auto& [endpoint, earlier] : before) {
    RemoteUse& use = uses[endpoint];
    use.requests -= earlier.requests;
    use.unlabelled -= earlier.unlabelled;
    use.tokens_in -= earlier.tokens_in;
    use.tokens_out -= earlier.tokens_out;
    use.price -= earlier.price;
    use.energy += -earlier.energy;
    if (use.requests == 0) uses.erase(endpoint);
  }
  return uses;
}

Estimate<Joules> RemoteEnergy(const RemoteUses& uses) {
  auto sum = Exactly(Joules(0), Origin::kAssumed, Scope::kWall);
  for (const auto& [endpoint, use] : uses)
    sum = sum + Exactly(use.energy, Origin::kAssumed, Scope::kWall)
                    .WithShared(InternSource("remote energy: " + endpoint),
                                use.energy_rel_sd);
  return sum;
}

Estimate<Joules> WithRemote(const Estimate<Joules>& own,
                            const RemoteUses& uses) {
  return uses.empty() ? own : own + RemoteEnergy(uses);
}

double RemotePrice(const RemoteUses& uses) {
  double sum = 0;
  for (const auto& [endpoint, use] : uses) sum += use.price;
  return sum;
}

std::string UnlabelledText(const RemoteUse& use) {
  if (use.unlabelled == 0) return {};
  return fmt::format("{} of {} answers held no label (for example: \"{}\")",
                     use.unlabelled, use.requests, use.example);
}

}  // namespace modicum
