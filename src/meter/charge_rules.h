// SPDX-License-Identifier: Apache-2.0
// Whom a process is charged to, by rules over its user, group and command.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/root_fs.h"
#include "meter/census.h"
#include "meter/user_names.h"

namespace modicum {

using ChargeTags = std::map<std::string, std::string>;

// A CSV table with the columns match, pattern, tags:
//   user,alice,team=search
//   cgroup,docker *,team=web;stage=prod
//   command,python*,team=ml
//   any,*,team=shared
// match is user, cgroup (its path or what people call it), command or any;
// the pattern is a shell's (fnmatch). The first rule that fits counts.
class ChargeRules {
 public:
  ChargeRules() = default;
  // kInvalidInput names file and line.
  static Result<ChargeRules> Parse(std::string_view csv,
                                   const std::string& file);
  // No rules for "".
  static Result<ChargeRules> Read(const std::string& file);

  // Empty where no rule fits.
  const ChargeTags& TagsOf(const ProcessCpuUse& process,
                           const UserNames& users) const;
  // Whether a rule gives this tag.
  bool Has(std::string_view tag) const;
  std::vector<std::string_view> Tags() const;  // each once

 private:
  enum class Match { kUser, kCgroup, kCommand, kAny };
  struct Rule {
    Match match = Match::kAny;
    std::string pattern;
    ChargeTags tags;
  };
  static Result<Rule> RuleOf(const std::vector<std::string>& cells);
  static bool Fits(const Rule& rule, const ProcessCpuUse& process,
                   const UserNames& users);

  std::vector<Rule> rules_;
};

}  // namespace modicum
