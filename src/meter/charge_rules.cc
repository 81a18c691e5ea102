// SPDX-License-Identifier: Apache-2.0
#include "meter/charge_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "base/csv.h"
#include "base/file.h"
#include "base/key_value.h"
#include "base/suggest.h"
#include "meter/cgroup.h"
#include "meter/words.h"

namespace modicum {
namespace {

constexpr size_t kColumns = 3;

bool Matches(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

// "team=search;stage=prod".
Result<ChargeTags> ParseTags(std::string_view text) {
  ChargeTags tags;
  while (!text.empty()) {
    const std::string_view tag = TakeUntil(text, ';');
    auto split = ParseKeyValue(tag);
    if (!split || split->second.empty())
      return Fail(ErrorCode::kInvalidInput,
                  "'" + std::string(tag) + "' is not KEY=VALUE",
                  "for example team=search;stage=prod");
    tags.insert(*std::move(split));
  }
  if (tags.empty())
    return Fail(ErrorCode::kInvalidInput, "the rule has no tags",
                "for example team=search");
  return tags;
}

}  // namespace

Result<ChargeRules::Rule> ChargeRules::RuleOf(
    const std::vector<std::string>& cells) {
  constexpr std::array<std::string_view, 4> kNames = {"user", "cgroup",
                                                      "command", "any"};
  if (cells.size() != kColumns)
    return Fail(
        ErrorCode::kInvalidInput,
        std::to_string(cells.size()) + " columns instead of match,pattern,tags",
        "for example user,alice,team=search");
  const auto match = std::find(kNames.begin(), kNames.end(), cells[0]);
  if (match == kNames.end())
    return Fail(
        ErrorCode::kInvalidInput,
        "unknown match '" + cells[0] + "'" + DidYouMean(cells[0], kNames),
        "use user, cgroup, command or any");
  Rule rule;
  rule.match = static_cast<Match>(match - kNames.begin());
  rule.pattern = cells[1];
  MODICUM_TRY(rule.tags, ParseTags(cells[2]));
  return rule;
}

Result<ChargeRules> ChargeRules::Parse(std::string_view csv,
                                       const std::string& file) {
  ChargeRules rules;
  CsvReader reader(csv);
  while (true) {
    const auto record = reader.Next();
    if (!record) return Fail(reader.Located(file, record.error()));
    if (!*record) return rules;
    const std::vector<std::string>& cells = **record;
    const bool comment = cells[0].starts_with('#');
    const bool head = rules.rules_.empty() && cells[0] == "match";
    if (comment || head) continue;
    auto rule = RuleOf(cells);
    if (!rule) return Fail(reader.Located(file, rule.error()));
    rules.rules_.push_back(*std::move(rule));
  }
}

Result<ChargeRules> ChargeRules::Read(const std::string& file) {
  if (file.empty()) return ChargeRules();
  MODICUM_TRY(const std::string text, ReadFile(file));
  return Parse(text, file);
}

bool ChargeRules::Fits(const Rule& rule, const ProcessCpuUse& process,
                       const UserNames& users) {
  switch (rule.match) {
    case Match::kUser:
      return Matches(rule.pattern, users.NameOf(process.user)) ||
             rule.pattern == std::to_string(process.user);
    case Match::kCgroup:
      return Matches(rule.pattern, process.cgroup) ||
             Matches(rule.pattern, CgroupName(process.cgroup));
    case Match::kCommand:
      return Matches(rule.pattern, process.name);
    case Match::kAny:
      return true;
  }
  return false;
}

const ChargeTags& ChargeRules::TagsOf(const ProcessCpuUse& process,
                                      const UserNames& users) const {
  static const ChargeTags kNone;
  const auto rule =
      std::find_if(rules_.begin(), rules_.end(),
                   [&](const Rule& one) { return Fits(one, process, users); });
  return rule == rules_.end() ? kNone : rule->tags;
}

bool ChargeRules::Has(std::string_view tag) const {
  const auto tags = Tags();
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::vector<std::string_view> ChargeRules::Tags() const {
  std::vector<std::string_view> tags;
  for (const Rule& rule : rules_)
    for (const auto& [key, value] : rule.tags)
      if (std::find(tags.begin(), tags.end(), key) == tags.end())
        tags.push_back(key);
  return tags;
}

}  // namespace modicum
