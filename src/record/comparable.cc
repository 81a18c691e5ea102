// SPDX-License-Identifier: Apache-2.0
#include "record/comparable.h"

namespace modicum {
namespace {

tl::unexpected<Error> Differ(const std::string& what, const std::string& a,
                             const std::string& b, std::string why) {
  return Fail(
      ErrorCode::kInvalidInput,
      "not comparable: " + what + " differs, '" + a + "' and '" + b + "'",
      std::move(why));
}

// "measured" by a counter or a sensor, or "modelled" from load or a constant.
std::string OriginClass(Origin origin) {
  return IsMeasured(origin) ? "measured" : "modelled";
}

std::string Short(const Hash& hash) { return ToHex(hash).substr(0, 12); }

Status SameQuestion(const FitEvidence& a, const FitEvidence& b) {
  if (a.kind != b.kind)
    return Differ("the kind of task", a.kind, b.kind,
                  "qualities and joules of different tasks have no common "
                  "measure");
  if (a.metric != b.metric)
    return Differ("the metric", a.metric, b.metric,
                  "a figure of one metric is no better or worse than one of "
                  "another");
  if (a.data_hash != b.data_hash)
    return Differ("the data (SHA-256)", Short(a.data_hash), Short(b.data_hash),
                  "other data may be easier or its items longer");
  if (a.test.ids != b.test.ids)
    return Fail(ErrorCode::kInvalidInput,
                "not comparable: the test items differ (" +
                    std::to_string(a.test.ids.size()) + " and " +
                    std::to_string(b.test.ids.size()) + " items)",
                "fit with the same seed and the same shares of the data");
  return {};
}

Status SameScope(const Estimate<Joules>& a, const Estimate<Joules>& b) {
  if (a.scope != b.scope)
    return Differ("the scope of the energy", std::string(ScopeName(a.scope)),
                  std::string(ScopeName(b.scope)),
                  "joules of a part say nothing beside joules of the whole");
  if (OriginClass(a.origin) != OriginClass(b.origin))
    return Differ("the origin of the energy", OriginClass(a.origin),
                  OriginClass(b.origin),
                  "a model's error is common to all its figures and does not "
                  "cancel against a measurement");
  return {};
}

}  // namespace

const CandidateRow* ChosenRowOf(const FitResult& result) {
  return result.chosen.empty() ? nullptr : FindRow(result, result.chosen);
}

Status Comparable(const Receipt& a, const Receipt& b) {
  MODICUM_RETURN_IF_ERROR(SameQuestion(a.evidence, b.evidence));
  const CandidateRow* const first = ChosenRowOf(a.result);
  const CandidateRow* const second = ChosenRowOf(b.result);
  if (first == nullptr || second == nullptr || !first->joules_per_1000 ||
      !second->joules_per_1000)
    return Fail(
        ErrorCode::kInvalidInput,
        std::string("not comparable: the ") +
            (first == nullptr || !first->joules_per_1000 ? "first" : "second") +
            " receipt has no chosen model with a cost",
        "what no candidate met has no figure to stand in the table");
  MODICUM_RETURN_IF_ERROR(
      SameScope(*first->joules_per_1000, *second->joules_per_1000));
  if (a.evidence.idle_policy != b.evidence.idle_policy)
    return Differ("the idle policy", a.evidence.idle_policy,
                  b.evidence.idle_policy,
                  "one counts idle energy that the other leaves out");
  if (a.result.baseline != b.result.baseline)
    return Differ("the baseline", a.result.baseline, b.result.baseline,
                  "savings are against it; name one with `current` in the "
                  "task file");
  return {};
}

}  // namespace modicum
