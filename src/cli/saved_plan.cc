// SPDX-License-Identifier: Apache-2.0
#include "cli/saved_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace modicum {
namespace {

constexpr std::array<std::string_view, 8> kPlaceKeys = {
    "region", "provider", "intensity", "market_intensity",
    "pue",    "wue",      "tariff",    "currency"};

// "flag --region": given with this very command.
bool GivenNow(const Settings& settings, const std::string& key) {
  const auto origin = settings.origins.find(key);
  return origin != settings.origins.end() && origin->second.starts_with("flag");
}

tl::unexpected<Error> NoPlan(std::string why) {
  return Fail(ErrorCode::kInvalidInput, std::move(why),
              "modicum plan train ... --format json > plan.json writes one");
}

}  // namespace

std::vector<std::string> PlanCommand(std::string_view verb,
                                     const std::vector<std::string>& args,
                                     const Settings& settings) {
  std::vector<std::string> words = {std::string(verb)};
  words.insert(words.end(), args.begin(), args.end());
  for (const SettingRow& row : SettingRows()) {
    const auto origin = settings.origins.find(std::string(row.key));
    const bool set =
        origin != settings.origins.end() && origin->second != "default";
    if (!set || std::ranges::count(kPlaceKeys, row.key) == 0) continue;
    words.push_back(SettingFlag(row.key));
    words.push_back(row.print(settings));
  }
  return words;
}

Result<std::vector<std::string>> ParsePlanCommand(std::string_view json,
                                                  std::string_view verb) {
  const auto plan = nlohmann::json::parse(json, nullptr, false);
  if (plan.is_discarded() || !plan.is_object() || !plan.contains("verb") ||
      !plan["verb"].is_string())
    return NoPlan("it is no plan in JSON");
  const auto& stated = plan["verb"].get_ref<const std::string&>();
  if (stated != verb)
    return NoPlan(fmt::format("it is a plan of '{}', not of '{}'",
                              stated.substr(0, 20), verb));
  const auto command = plan.find("command");
  if (command == plan.end() || !command->is_array() || command->empty() ||
      !std::ranges::all_of(*command,
                           [](const auto& word) { return word.is_string(); }) ||
      command->front() != stated)
    return NoPlan("it does not hold the command that made it");
  auto words = command->get<std::vector<std::string>>();
  words.erase(words.begin());
  return words;
}

Status TakeSavedSettings(std::vector<std::string>& words, Settings& settings) {
  MODICUM_TRY(const SettingFlags saved, TakeSettingFlags(words));
  for (const auto& [key, text] : saved) {
    if (GivenNow(settings, key)) continue;
    for (const SettingRow& row : SettingRows())
      if (row.key == key && std::ranges::count(kPlaceKeys, row.key) > 0)
        MODICUM_RETURN_IF_ERROR(row.parse(settings, text));
  }
  return {};
}

}  // namespace modicum
