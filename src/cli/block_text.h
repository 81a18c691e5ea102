// SPDX-License-Identifier: Apache-2.0
// Facts as blocks: a name on the left, its lines beside it, never wider than
// a small terminal where words allow.
#pragma once

#include <string>
#include <string_view>

namespace modicum {

// "name      text", wrapped; `text` alone is indented as deep when `name` is
// empty.
std::string BlockLine(std::string_view name, std::string_view text);

// What belongs to the line above: two columns deeper.
std::string BlockDetail(std::string_view text);

// A reason, and on a line of its own the cure where there is one.
std::string BlockFault(std::string_view reason, std::string_view cure);

}  // namespace modicum
