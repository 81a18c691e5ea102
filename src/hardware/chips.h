// SPDX-License-Identifier: Apache-2.0
// The chip tables behind FindChip and PowerOf.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace modicum {

// A model name without brand marks, case and punctuation:
// "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz" -> "intel xeon e5-2620 v3 @
// 2.40ghz".
std::string NormalCpuName(std::string_view cpu_model);

// The generation that a masked name stands for: "Rome"; nullopt: no pattern of
// data/cpu_generations.csv matches.
std::optional<std::string> FindGeneration(std::string_view cpu_model);

}  // namespace modicum
