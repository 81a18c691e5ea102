// SPDX-License-Identifier: Apache-2.0
// The program's version, stored with every run and in every artifact.
#pragma once

#include <string_view>

namespace modicum {

std::string_view Version();  // "0.1.0"

}  // namespace modicum
