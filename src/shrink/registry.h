// SPDX-License-Identifier: Apache-2.0
// All passes there are; see model/pass.h for what a pass is and
// docs/passes.md for what each saves, needs and costs.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "model/pass.h"

namespace modicum {

// Every pass of this build, those of engine modules last. A module that cannot
// be opened has none. Lifetime: that of the process. Thread-safe.
std::span<Pass* const> Passes();
// kNotFound with "did you mean".
Result<Pass*> FindPass(std::string_view name);

}  // namespace modicum
