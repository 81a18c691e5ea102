// SPDX-License-Identifier: Apache-2.0
#include "meter/user_names.h"

#include <algorithm>

#include "meter/words.h"

namespace modicum {

// passwd(5): name:password:uid:... ; of a number's names the first counts.
UserNames::UserNames(const RootFs& fs) {
  const auto text = fs.Read("/etc/passwd");
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t length = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    const size_t name = line.find(':');
    const size_t password = line.find(':', name + 1);
    if (name == std::string_view::npos || password == std::string_view::npos)
      continue;
    const size_t number = line.find(':', password + 1);
    uid_t user = 0;
    if (ParseNumber(line.substr(password + 1, number - password - 1), user))
      names_.emplace(user, line.substr(0, name));
  }
}

std::string UserNames::NameOf(uid_t user) const {
  const auto found = names_.find(user);
  return found == names_.end() ? std::to_string(user) : found->second;
}

std::optional<uid_t> UserNames::Find(const std::string& name) const {
  for (const auto& [user, known] : names_)
    if (known == name) return user;
  uid_t user = 0;
  if (ParseNumber(name, user)) return user;
  return std::nullopt;
}

}  // namespace modicum
