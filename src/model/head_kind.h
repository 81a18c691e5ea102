// SPDX-License-Identifier: Apache-2.0
// What the head of an encoder says of the tokens of a text.
#pragma once

#include <string_view>

namespace modicum {

enum class HeadKind {
  kFillMask,             // which token is hidden: masked language modelling
  kTokenClassification,  // a label for each
  kQuestionAnswering,    // whether an answer begins or ends there
};
inline constexpr HeadKind kHeadKinds[] = {HeadKind::kFillMask,
                                          HeadKind::kTokenClassification,
                                          HeadKind::kQuestionAnswering};

// As the field names the tasks.
constexpr std::string_view HeadKindName(HeadKind kind) {
  constexpr std::string_view kNames[] = {"fill-mask", "token-classification",
                                         "question-answering"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace modicum
