// SPDX-License-Identifier: Apache-2.0
// Members of JSON that somebody else wrote: absent or of another type is
// nothing, never an exception. Slow to include: it brings nlohmann/json.hpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace modicum {

// Null when `object` is none or has no such member.
inline const nlohmann::json* JsonMember(const nlohmann::json& object,
                                        const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// "" where the member is no text.
inline std::string JsonText(const nlohmann::json& object, const char* key) {
  const nlohmann::json* member = JsonMember(object, key);
  return member != nullptr && member->is_string() ? member->get<std::string>()
                                                  : "";
}

}  // namespace modicum
