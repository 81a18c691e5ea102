// SPDX-License-Identifier: Apache-2.0
// Names of users by number, from /etc/passwd.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "base/root_fs.h"

namespace modicum {

// Users that a directory service adds are not in the file: they stay numbers.
class UserNames {
 public:
  explicit UserNames(const RootFs& fs);
  // "alice", or "1000" where the file does not have it.
  std::string NameOf(uid_t user) const;
  // By name or number; nullopt: neither.
  std::optional<uid_t> Find(const std::string& name) const;

 private:
  std::map<uid_t, std::string> names_;
};

}  // namespace modicum
