// SPDX-License-Identifier: Apache-2.0
#include "model/pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"

namespace modicum {

namespace {

auto Refuse(std::string_view pass, const char* what) {
  return Fail(ErrorCode::kInternal,
              "pass " + std::string(pass) + " does not " + what);
}

}  // namespace

std::string ToString(const PassStep& step) {
  if (step.params.empty()) return step.pass;
  return step.pass + " " + ToString(step.params);
}

Result<TrainedModel> Pass::Apply(const PassInput&, const Params&, const Budget&,
                                 const std::string&, PhaseSink&) {
  return Refuse(name(), "rewrite models");
}

Result<std::vector<uint32_t>> Pass::SelectRows(const PassInput&, const Params&,
                                               const Budget&) {
  return Refuse(name(), "choose rows");
}

Status CheckPassParams(const Params& params, std::string_view pass,
                       std::span<const std::string_view> known) {
  const std::string hint =
      known.empty() ? "it has none"
                    : fmt::format("it has: {}", fmt::join(known, ", "));
  for (const auto& [name, value] : params) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("pass {} has no parameter '{}'{}", pass, name,
                            DidYouMean(name, known)),
                hint);
  }
  if (params.size() == known.size()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("pass {} needs all its parameters", pass), hint);
}

}  // namespace modicum
