// SPDX-License-Identifier: Apache-2.0
#include "probe/bmc/redfish_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace modicum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RedfishAnswer, MembersAreTheServicesOwnPaths) {
  EXPECT_THAT(*ParseRedfishMembers(R"({"Members": [
      {"@odata.id": "/redfish/v1/Chassis/1"},
      {"@odata.id": "https://192.0.2.9/redfish/v1/Chassis/2"},
      {"@odata.id": "/redfish/v1/Chassis/3 HTTP/1.1\r\nX: y"},
      {"@odata.id": "/etc/passwd"}, {"@odata.id": 7}, {}, null, 3]})"),
              ElementsAre("/redfish/v1/Chassis/1"));
  EXPECT_THAT(*ParseRedfishMembers(R"({"Members": []})"), IsEmpty());
  for (const char* none : {"", "[]", "{}", "null", R"({"Members": 1})", "{",
                           "<html>busy</html>", "\xff\xfe"})
    EXPECT_FALSE(ParseRedfishMembers(none).has_value()) << none;
}

TEST(RedfishAnswer, AChassisSaysWhatTellsItsPower) {
  const auto chassis = ParseRedfishChassis(R"({
      "@odata.id": "/redfish/v1/Chassis/1U", "Id": "1U",
      "ChassisType": "RackMount",
      "Links": {"ContainedBy": {"@odata.id": "/redfish/v1/Chassis/Rack"}},
      "Power": {"@odata.id": "/redfish/v1/Chassis/1U/Power"},
      "EnvironmentMetrics":
          {"@odata.id": "/redfish/v1/Chassis/1U/EnvironmentMetrics"},
      "Sensors": {"@odata.id": "/redfish/v1/Chassis/1U/Sensors"}})");
  ASSERT_TRUE(chassis.has_value());
  EXPECT_EQ(chassis->id, "1U");
  EXPECT_EQ(chassis->type, "RackMount");
  EXPECT_EQ(chassis->inside, "/redfish/v1/Chassis/Rack");
  EXPECT_EQ(chassis->power, "/redfish/v1/Chassis/1U/Power");
  EXPECT_EQ(chassis->metrics, "/redfish/v1/Chassis/1U/EnvironmentMetrics");
  EXPECT_EQ(chassis->sensors, "/redfish/v1/Chassis/1U/Sensors");
  EXPECT_FALSE(ParseRedfishChassis(R"({"Id": "1"})").has_value());
  EXPECT_EQ(
      ParseRedfishChassis(R"({"@odata.id": "/redfish/v1/Chassis/A"})")->id,
      "A");
}

// The form of Power, with its interval and limits.
TEST(RedfishAnswer, PowerIsWhatTheChassisConsumes) {
  const auto told = ParseRedfishPower(R"({"PowerControl": [
      {"MemberId": "0", "Name": "Server Power Control",
       "PowerConsumedWatts": 344, "PowerRequestedWatts": 800,
       "PowerCapacityWatts": 800, "PowerMetrics": {"IntervalInMin": 30,
       "MinConsumedWatts": 271, "MaxConsumedWatts": 489,
       "AverageConsumedWatts": 319}, "PowerLimit": {"LimitInWatts": 500}}]})");
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->power, Watts(344));
  EXPECT_EQ(told->over, Seconds(1800));
}

TEST(RedfishAnswer, OfSeveralControlsPartsAreLeftOut) {
  EXPECT_EQ(ParseRedfishPower(R"({"PowerControl": [
      {"PhysicalContext": "CPU", "PowerConsumedWatts": 90},
      {"PowerConsumedWatts": null},
      {"PhysicalContext": "Intake", "PowerConsumedWatts": 250.5},
      {"PowerConsumedWatts": 90}]})")
                ->power,
            Watts(250.5));
  for (const char* none :
       {"{}", R"({"PowerControl": {}})", R"({"PowerControl": [null, 3, {}]})",
        R"({"PowerControl": [{"PowerConsumedWatts": 0}]})",
        R"({"PowerControl": [{"PowerConsumedWatts": -5}]})",
        R"({"PowerControl": [{"PowerConsumedWatts": "344"}]})",
        R"({"PowerControl": [{"PowerConsumedWatts": 1e300}]})"}) {
    ASSERT_TRUE(ParseRedfishPower(none).has_value()) << none;
    EXPECT_FALSE(ParseRedfishPower(none)->power) << none;
  }
}

TEST(RedfishAnswer, MetricsHaveAReadingOrItsSensor) {
  const auto told = ParseRedfishMetrics(R"({"PowerWatts": {
      "DataSourceUri": "/redfish/v1/Chassis/1/Sensors/TotalPower",
      "Reading": 374}})");
  EXPECT_EQ(told->power, Watts(374));
  EXPECT_EQ(told->sensor, "/redfish/v1/Chassis/1/Sensors/TotalPower");
  const auto none = ParseRedfishMetrics(R"({"TemperatureCelsius": {}})");
  EXPECT_FALSE(none->power);
  EXPECT_EQ(none->sensor, "");
}

TEST(RedfishAnswer, ASensorIsOfPowerInWatts) {
  EXPECT_EQ(ParseRedfishSensor(
                R"({"ReadingType": "Power", "ReadingUnits": "W",
                    "Reading": 374, "PhysicalContext": "GPU"})")
                ->power,
            Watts(374));
  for (const char* other :
       {R"({"ReadingType": "Temperature", "Reading": 37})",
        R"({"ReadingType": "Power", "ReadingUnits": "kW", "Reading": 37})",
        R"({"ReadingType": "Power", "Reading": null})"})
    EXPECT_FALSE(ParseRedfishSensor(other)->power) << other;
  EXPECT_TRUE(ParseRedfishWholeSensor(
                  R"({"ReadingType": "Power", "Reading": 374,
                      "PhysicalContext": "Chassis"})")
                  ->power);
  for (const char* part :
       {R"({"ReadingType": "Power", "Reading": 90, "PhysicalContext": "CPU"})",
        R"({"ReadingType": "Power", "Reading": 90})"})
    EXPECT_FALSE(ParseRedfishWholeSensor(part)->power) << part;
}

// "1 RackMount": a chassis of that id and type; "2 Sled 1": inside "1".
std::vector<RedfishChassis> Chassis(
    const std::vector<std::vector<std::string>>& rows) {
  std::vector<RedfishChassis> all;
  for (const auto& row : rows) {
    RedfishChassis chassis;
    chassis.id = row[0];
    chassis.path = "/redfish/v1/Chassis/" + row[0];
    chassis.type = row[1];
    if (row.size() > 2) chassis.inside = "/redfish/v1/Chassis/" + row[2];
    all.push_back(chassis);
  }
  return all;
}

TEST(ChooseRedfishChassis, WhatIsInsideAnotherIsNotCountedTwice) {
  EXPECT_THAT(*ChooseRedfishChassis(Chassis({{"1", "RackMount"}})),
              ElementsAre(0));
  EXPECT_THAT(*ChooseRedfishChassis(Chassis({{"blade", "Blade", "enclosure"},
                                             {"enclosure", "Enclosure"},
                                             {"gpu", "Module", "blade"}})),
              ElementsAre(1));
  // Inside one that tells no power: it stands for itself.
  EXPECT_THAT(*ChooseRedfishChassis(Chassis({{"blade", "Blade", "away"}})),
              ElementsAre(0));
}

TEST(ChooseRedfishChassis, PartsAreNotAddedToTheWhole) {
  EXPECT_THAT(*ChooseRedfishChassis(Chassis({{"gpu-1", "Module"},
                                             {"self", "RackMount"},
                                             {"nic", "Card"},
                                             {"board", "Component"}})),
              ElementsAre(1));
}

TEST(ChooseRedfishChassis, WholesWithoutEachOtherAreSummed) {
  EXPECT_THAT(
      *ChooseRedfishChassis(Chassis({{"left", "Sled"}, {"right", "Sled"}})),
      ElementsAre(0, 1));
}

TEST(ChooseRedfishChassis, ARackHoldsOthersMachines) {
  EXPECT_THAT(*ChooseRedfishChassis(
                  Chassis({{"rack", "Rack"}, {"1", "RackMount", "rack"}})),
              ElementsAre(1));
}

TEST(ChooseRedfishChassis, SeveralPartsAloneAreNotGuessed) {
  const auto parts =
      ChooseRedfishChassis(Chassis({{"gpu-1", "Module"}, {"gpu-2", "Module"}}));
  ASSERT_FALSE(parts.has_value());
  EXPECT_THAT(parts.error().message, HasSubstr("gpu-1, gpu-2"));
  EXPECT_THAT(parts.error().hint, HasSubstr("MODICUM_REDFISH_CHASSIS"));
  EXPECT_FALSE(ChooseRedfishChassis({}).has_value());
  EXPECT_FALSE(
      ChooseRedfishChassis(Chassis({{"a", "Sled", "b"}, {"b", "Sled", "a"}}))
          .has_value());
}

}  // namespace
}  // namespace modicum
