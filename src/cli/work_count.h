// SPDX-License-Identifier: Apache-2.0
// How much work a command did, as its own output counts it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

class WorkCount {
 public:
  virtual ~WorkCount() = default;
  // One line of the output, without its end.
  virtual void Line(std::string_view line) = 0;
  virtual double total() const = 0;
  virtual std::string_view unit() const = 0;  // "token"
};

// `spec`:
//   token  what llama.cpp's programs print when they end ("eval time = 12 ms /
//          63 runs"): tokens generated, summed over all such lines
//   image  tqdm's bars ("50/50 [00:10<00:00", "37it [00:10, "): items done,
//          bars summed
//   other  a POSIX extended regular expression: the number in its first group,
//          summed over matching lines; without a group, the matching lines
// Numbers above 2^53 count nothing.
// kInvalidInput: not a regular expression.
Result<std::unique_ptr<WorkCount>> MakeWorkCount(const std::string& spec);

}  // namespace modicum
