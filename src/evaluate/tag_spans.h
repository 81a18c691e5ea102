// SPDX-License-Identifier: Apache-2.0
// Entities out of tags, and how many of them are right, as the shared task of
// CoNLL 2003 counted them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "evaluate/ratio_metric.h"
#include "model/model.h"

namespace modicum {

// Of tags B-TYPE, I-TYPE and O, one a word (IOB2). An entity begins at B-, and
// at an I- that does not go on with an entity of its type; it ends before the
// next word that does not go on with it. Any other tag is none.
std::vector<TagSpan> SpansOf(std::span<const std::string_view> tags);

// Twice the entities that are right, over those wanted and those answered
// together: summed up it is their F1. Right: the same words and type.
Fraction EntityRatio(std::span<const TagSpan> wanted,
                     std::span<const TagSpan> answered);

// The words whose tag is right, over all.
Fraction WordRatio(std::span<const std::string_view> wanted,
                   std::span<const std::string_view> answered);

// By the metric's name: "f1" of entities, "accuracy" of words.
Fraction TagRatio(std::string_view metric,
                  std::span<const std::string_view> wanted,
                  std::span<const std::string_view> answered);

}  // namespace modicum
