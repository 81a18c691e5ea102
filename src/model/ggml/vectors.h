// SPDX-License-Identifier: Apache-2.0
// What every network that makes vectors of whole texts does alike.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/neural.h"

namespace modicum {

// To length 1; of zeros nothing else can be made.
void Normalize(std::vector<float>& vector);
// kInvalidInput.
Status CheckNoneEmpty(std::span<const TokenIds> texts);
// kInvalidInput where the network at `path` gave what is no number.
Status CheckNumbers(const std::string& path, std::span<const float> numbers);
// What is cut keeps its last token, which says that it ends. `longest` >= 1.
TokenIds CutTo(const TokenIds& tokens, size_t longest);

// What the network at `path` is not: kUnavailable.
tl::unexpected<Error> NoVectors(const std::string& path);
tl::unexpected<Error> NoClasses(const std::string& path);
tl::unexpected<Error> NoDecoder(const std::string& path);
tl::unexpected<Error> NoReranker(const std::string& path);

}  // namespace modicum
