// SPDX-License-Identifier: Apache-2.0
// Why a fastText model decided.
#pragma once

#include <fasttext/fasttext.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"

namespace modicum {

// The `count` words and n-grams of words that speak most for the library's
// label `label`, or against it, in `line`: a text as CleanForFastText gives
// it, with its line end, and `units`, what the dictionary made of it.
//
// A text's hidden vector is the mean of its units' vectors, so a unit's effect
// on the logit of the label over the mean of the other logits is exact: its
// vector times the difference of the output vectors, over the number of units.
// The effects of all units sum to the log-odds for two classes, and to the
// mean log-odds against each other class for more. A word carries its
// character n-grams' effects; "</s>" is the end of the text.
std::vector<Reason> ExplainFastText(fasttext::FastText& fast_text,
                                    const std::string& line,
                                    const std::vector<int32_t>& units,
                                    int32_t label, int count);

}  // namespace modicum
