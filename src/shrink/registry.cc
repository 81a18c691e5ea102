// SPDX-License-Identifier: Apache-2.0
#include "shrink/registry.h"

#include <fmt/format.h>

#include <vector>

#include "base/suggest.h"
#include "shrink/passes.h"

namespace modicum {

namespace {

// Families whose engine brings passes of its own.
constexpr std::string_view kWithPasses[] = {"fasttext"};

// In the order in which a chain may use them: over data first, `prune` before
// `8-bit`, whose weights it cannot read.
std::vector<Pass*> AllPasses() {
  std::vector<Pass*> passes{
      &DedupePass(),     &CoresetPass(),   &PrunePass(),    &EightBitPass(),
      &FewerTreesPass(), &ShallowerPass(), &PrecisionPass()};
  for (const std::string_view family : kWithPasses)
    if (const auto engine = EngineOf(family))
      for (Pass* pass : (*engine)->passes()) passes.push_back(pass);
  return passes;
}

}  // namespace

std::span<Pass* const> Passes() {
  static const std::vector<Pass*> passes = AllPasses();
  return passes;
}

Result<Pass*> FindPass(std::string_view name) {
  std::vector<std::string_view> names;
  for (Pass* pass : Passes()) {
    if (pass->name() == name) return pass;
    names.push_back(pass->name());
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("no pass '{}'{}", name, DidYouMean(name, names)),
              fmt::format("there are: {}", fmt::join(names, ", ")));
}

}  // namespace modicum
