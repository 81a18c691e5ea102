// SPDX-License-Identifier: Apache-2.0
// The words of a payload, for what compares or counts text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataset/item.h"

namespace modicum {

// The text of a Text, TextPair (joined by a line end) or Tokens (joined by
// spaces); "" for what is not text.
std::string PayloadText(const Payload& payload);
bool IsText(const Payload& payload);
// The parts of `text` between ASCII white space.
std::vector<std::string_view> SplitWords(std::string_view text);

}  // namespace modicum
