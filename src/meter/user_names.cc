// SPDX-License-Identifier: Apache-2.0
#include "meter/user_names.h"

#include "meter/words.h"

namespace modicum {

// passwd(5): name:password:uid:... ; of a number's names the first counts.
UserNames::UserNames(const RootFs& fs) {
  const auto text = fs.Read("/etc/passwd");
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = TakeUntil(rest, '\n');
    const std::string_view name = TakeUntil(line, ':');
    TakeUntil(line, ':');  // the password
    uid_t user = 0;
    if (ParseNumber(TakeUntil(line, ':'), user)) names_.emplace(user, name);
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
