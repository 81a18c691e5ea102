// SPDX-License-Identifier: Apache-2.0
// Feature selection: the n-grams that tell the classes apart.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/documents.h"

namespace modicum {

// The chi-squared statistic of an n-gram t and a class c from document counts
// (Yang and Pedersen 1997, "A comparative study on feature selection in text
// categorization", section 2.4):
//   N (AD - CB)^2 / ((A+C) (B+D) (A+B) (C+D))
// A: in c with t, B: not in c with t, C: in c without t, D: neither, N: all.
// 0 when a sum of the denominator is 0.
double ChiSquared(double a, double b, double c, double d);

// The `keep` entries of `vocabulary` with the highest score, which is the
// largest chi-squared of all classes (their chi^2_max), in the vocabulary's
// order. Equal scores: the earlier entry. classes[i] is that of documents[i],
// below class_count.
std::vector<HashCount> SelectByChiSquared(
    const std::vector<Document>& documents, std::span<const uint32_t> classes,
    uint32_t class_count, const std::vector<HashCount>& vocabulary,
    size_t keep);

}  // namespace modicum
