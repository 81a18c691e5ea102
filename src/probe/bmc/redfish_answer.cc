// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc/redfish_answer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "record/json_lookup.h"

namespace modicum {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostMembers = 256;
constexpr size_t kMostPath = 512;
constexpr size_t kMostName = 64;
// A whole rack draws less.
constexpr double kMostWatts = 1e6;

tl::unexpected<Error> NoAnswer(std::string_view what) {
  return Fail(ErrorCode::kInvalidInput, "the BMC answered " + std::string(what),
              "is it a Redfish service?");
}

Result<Json> ParseObject(std::string_view answer) {
  Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) return NoAnswer("with no JSON object");
  return json;
}

// A path that can be asked of the same service, or "".
std::string PathOf(const std::string& text) {
  const bool plain = std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; });
  return text.starts_with("/redfish/") && plain && text.size() <= kMostPath
             ? text
             : "";
}

std::string LinkOf(const Json& object, const char* key) {
  const Json* link = JsonMember(object, key);
  return link == nullptr ? "" : PathOf(JsonText(*link, "@odata.id"));
}

// 0 is what services tell that have no sensor.
std::optional<Watts> WattsOf(const Json& object, const char* key) {
  const Json* value = JsonMember(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double watts = value->get<double>();
  if (!(watts > 0) || watts > kMostWatts) return std::nullopt;
  return Watts(watts);
}

// Of "PhysicalContext": a part of the chassis, not the whole.
bool IsPart(const std::string& context) {
  return !context.empty() && context != "Chassis" && context != "Intake" &&
         context != "PowerSubsystem";
}

bool OneOf(const std::string& type, std::initializer_list<const char*> types) {
  return std::ranges::find(types, type) != types.end();
}

// Of ChassisType: what stands in a rack, on a desk or in an enclosure by
// itself. "Module", "Card", "Component" and the like are parts.
bool IsWhole(const RedfishChassis& chassis) {
  return OneOf(chassis.type, {"", "RackMount", "StandAlone", "Blade", "Sled",
                              "Enclosure", "Other"});
}

// Of ChassisType: what holds more machines than this one.
bool IsGroup(const RedfishChassis& chassis) {
  return OneOf(chassis.type, {"Rack", "RackGroup", "Row", "Pod"});
}

const RedfishChassis* FindChassis(const std::vector<RedfishChassis>& all,
                                  const std::string& path) {
  const auto found = std::ranges::find(all, path, &RedfishChassis::path);
  return found == all.end() ? nullptr : &*found;
}

// In another that is here too, at any depth; links may run in a circle.
bool IsInside(const std::vector<RedfishChassis>& all,
              const RedfishChassis& chassis) {
  const RedfishChassis* outer = FindChassis(all, chassis.inside);
  return outer != nullptr && outer != &chassis && !IsGroup(*outer);
}

}  // namespace

Result<std::vector<std::string>> ParseRedfishMembers(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  const Json* members = JsonMember(json, "Members");
  if (members == nullptr || !members->is_array())
    return NoAnswer("without a list 'Members'");
  std::vector<std::string> paths;
  for (const Json& member : *members) {
    std::string path = PathOf(JsonText(member, "@odata.id"));
    if (!path.empty() && paths.size() < kMostMembers)
      paths.push_back(std::move(path));
  }
  return paths;
}

Result<RedfishChassis> ParseRedfishChassis(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  RedfishChassis chassis;
  chassis.path = PathOf(JsonText(json, "@odata.id"));
  if (chassis.path.empty()) return NoAnswer("with a chassis without a path");
  chassis.id = JsonText(json, "Id");
  if (chassis.id.empty())
    chassis.id = chassis.path.substr(chassis.path.rfind('/') + 1);
  chassis.type = JsonText(json, "ChassisType");
  if (const Json* links = JsonMember(json, "Links"))
    chassis.inside = LinkOf(*links, "ContainedBy");
  chassis.power = LinkOf(json, "Power");
  chassis.metrics = LinkOf(json, "EnvironmentMetrics");
  chassis.sensors = LinkOf(json, "Sensors");
  return chassis;
}

Result<RedfishPower> ParseRedfishPower(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  RedfishPower told;
  const Json* controls = JsonMember(json, "PowerControl");
  if (controls == nullptr || !controls->is_array()) return told;
  for (const Json& control : *controls) {
    if (IsPart(JsonText(control, "PhysicalContext"))) continue;
    told.power = WattsOf(control, "PowerConsumedWatts");
    if (!told.power) continue;
    const Json* metrics = JsonMember(control, "PowerMetrics");
    const Json* minutes =
        metrics == nullptr ? nullptr : JsonMember(*metrics, "IntervalInMin");
    if (minutes != nullptr && minutes->is_number() &&
        minutes->get<double>() > 0 && minutes->get<double>() < 1e6)
      told.over = Seconds(60 * minutes->get<double>());
    return told;
  }
  return told;
}

Result<RedfishPower> ParseRedfishMetrics(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  RedfishPower told;
  const Json* excerpt = JsonMember(json, "PowerWatts");
  if (excerpt == nullptr) return told;
  told.power = WattsOf(*excerpt, "Reading");
  told.sensor = PathOf(JsonText(*excerpt, "DataSourceUri"));
  return told;
}

Result<RedfishPower> ParseRedfishSensor(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  RedfishPower told;
  const std::string units = JsonText(json, "ReadingUnits");
  if (JsonText(json, "ReadingType") == "Power" &&
      (units.empty() || units == "W"))
    told.power = WattsOf(json, "Reading");
  return told;
}

Result<RedfishPower> ParseRedfishWholeSensor(std::string_view answer) {
  MODICUM_TRY(const Json json, ParseObject(answer));
  const std::string context = JsonText(json, "PhysicalContext");
  if (context.empty() || IsPart(context)) return RedfishPower{};
  return ParseRedfishSensor(answer);
}

Result<std::vector<size_t>> ChooseRedfishChassis(
    const std::vector<RedfishChassis>& chassis) {
  std::vector<size_t> wholes, parts;
  for (size_t i = 0; i < chassis.size(); ++i) {
    if (IsGroup(chassis[i]) || IsInside(chassis, chassis[i])) continue;
    (IsWhole(chassis[i]) ? wholes : parts).push_back(i);
  }
  if (!wholes.empty()) return wholes;
  if (parts.size() == 1) return parts;
  std::string names;
  for (const RedfishChassis& one : chassis)
    names += (names.empty() ? "" : ", ") + one.id.substr(0, kMostName);
  return Fail(ErrorCode::kInvalidInput,
              chassis.empty()
                  ? "the BMC tells no chassis' power"
                  : "the BMC tells the power of several parts and not what "
                    "holds what: " +
                        names,
              chassis.empty() ? "it may do so by IPMI: --probe ipmi"
                              : "name one in MODICUM_REDFISH_CHASSIS");
}

}  // namespace modicum
