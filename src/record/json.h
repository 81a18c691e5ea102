// SPDX-License-Identifier: Apache-2.0
// Lossless JSON of the record's types: an estimate is written whole, with
// its shared errors by source name, and numbers read back bit for bit. Text
// that is not UTF-8 is the one exception: its bad bytes become U+FFFD.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/types.h"

namespace modicum {

enum class JsonStyle {
  kStored,    // one line, nothing that can be derived
  kReadable,  // two-space indent; estimates also have unit, low and high
  kReceipt,   // the members of kReadable; whole numbers beyond 2^53 are text
};

// T is Estimate<Joules | GramsCo2e | Litres | Amount | Scalar | Seconds>,
// Bill, HostFacts, Run, Measurement, Trial, CostSamples, TrialEvidence,
// FitEvidence, FitResult, CandidateRow or BenchResult.
template <class T>
nlohmann::json ToJson(const T& value, JsonStyle style = JsonStyle::kStored);
template <class T>
std::string ToJsonText(const T& value, JsonStyle style = JsonStyle::kStored);

// Any JSON, as people read it: lines indented by two, bad bytes as above, and a
// line end.
std::string ReadableText(const nlohmann::json& json);

// kInvalidInput names the place and fault ("bill.energy.mid: not a number").
// Members that are not known are ignored, as later versions add some.
template <class T>
Result<T> FromJson(const nlohmann::json& json);
template <class T>
Result<T> FromJsonText(std::string_view text);

// What kReceipt wrote, strictly: no other members, no contradiction between
// an estimate and its low, high and unit, finite numbers only. `path` begins
// the place in messages. T is FitEvidence or FitResult.
template <class T>
Result<T> FromReceiptJson(const nlohmann::json& json, std::string_view path);

}  // namespace modicum
