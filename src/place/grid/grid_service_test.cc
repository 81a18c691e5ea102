// SPDX-License-Identifier: Apache-2.0
// The module against a service on loopback that answers as it is told.
#include "place/grid_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/format.h"
#include "place/intensity_series.h"

namespace modicum {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kMinute = 60'000'000;

// Two days of half hours from the one that `now` is in, as the service of
// Great Britain answers.
std::string UkAnswer(WallTime now) {
  std::string text;
  const int64_t first = now.micros - now.micros % (30 * kMinute);
  for (int i = 0; i < 96; ++i)
    text += (i == 0 ? "" : ",") + std::string(R"({"from": ")") +
            FormatUtc({first + i * 30 * kMinute}).substr(0, 16) +
            R"(Z", "intensity": {"forecast": )" + std::to_string(100 + i) +
            "}}";
  return R"({"data": [)" + text + "]}";
}

class GridServiceTest : public testing::Test {
 protected:
  GridServiceTest() {
    server_.Get(".*", [this](const httplib::Request& request,
                             httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      ++requests_;
      path_ = request.target;
      auth_ = request.get_header_value("Authorization") +
              request.get_header_value("auth-token");
      response.status = status_;
      if (drips_) {
        response.set_content_provider(
            1000, "application/json",
            [](size_t, size_t, httplib::DataSink& sink) {
              std::this_thread::sleep_for(std::chrono::milliseconds(50));
              return sink.write(" ", 1);
            });
        return;
      }
      response.set_content(
          request.path == "/login" ? R"({"token": "t0ken"})" : answer_,
          "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
    std::string name = "/tmp/modicum-grid-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    query_.service = "uk";
    query_.now = {1'790'000'000 * int64_t{1'000'000}};
    query_.base_url = "http://127.0.0.1:" + std::to_string(port_);
    query_.environment = [this](const std::string& key) {
      const auto found = variables_.find(key);
      return found == variables_.end() ? std::nullopt
                                       : std::optional(found->second);
    };
    answer_ = UkAnswer(query_.now);
  }
  ~GridServiceTest() override {
    server_.stop();
    std::filesystem::remove_all(folder_);
  }

  Result<GridSeries> Fetch() { return FetchGridSeries(query_, folder_); }

  httplib::Server server_;
  std::mutex mutex_;
  int port_ = 0;
  int requests_ = 0;
  int status_ = 200;
  bool drips_ = false;
  std::string answer_, path_, auth_;
  std::map<std::string, std::string> variables_;
  std::string folder_;
  GridQuery query_;
  std::jthread thread_;  // last: ends first
};

TEST_F(GridServiceTest, AsksOnceInHalfAnHour) {
  const auto first = Fetch();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->note, "");
  EXPECT_EQ(path_,
            "/intensity/" + FormatUtc(query_.now).substr(0, 16) + "Z/fw48h");
  const auto series = IntensitySeries::Parse(first->csv, "uk");
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_EQ(series->step(), Seconds(1800));
  query_.now.micros += 29 * kMinute;
  EXPECT_EQ(Fetch()->csv, first->csv);
  EXPECT_EQ(requests_, 1);
  query_.now.micros += 2 * kMinute;
  answer_ = UkAnswer(query_.now);
  ASSERT_TRUE(Fetch());
  EXPECT_EQ(requests_, 2);
}

TEST_F(GridServiceTest, GoesByTheLastForecastWhenItCannotBeAsked) {
  const auto first = Fetch();
  ASSERT_TRUE(first);
  const WallTime asked = query_.now;
  query_.now.micros += 120 * kMinute;
  status_ = 500;
  const auto kept = Fetch();
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->csv, first->csv);
  EXPECT_THAT(kept->note, HasSubstr("answered HTTP 500; goes by its forecast "
                                    "of " +
                                    FormatUtc(asked) +
                                    " until the next command asks it again"));
  // Two days later it says nothing of the present.
  query_.now.micros += 48 * 60 * kMinute;
  const auto none = Fetch();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kRetry);
  EXPECT_EQ(none.error().hint,
            "the fault is the service's: the next command asks it again; a CSV "
            "file does as well");
}

TEST_F(GridServiceTest, EachStatusHasItsCure) {
  const auto hint = [this](int status) {
    status_ = status;
    return Fetch().error().hint;
  };
  EXPECT_EQ(hint(404), "its address may have changed; a CSV file does as well");
  EXPECT_THAT(hint(429), StartsWith("it is asked too often"));
  EXPECT_THAT(hint(403), StartsWith("is there a proxy in between"));
  query_.service = "electricitymaps";
  query_.zone = "XY";
  variables_["ELECTRICITYMAPS_TOKEN"] = "s3cret";
  EXPECT_EQ(hint(404),
            "does it have forecasts of 'XY'? a CSV file does as well");
  EXPECT_EQ(hint(401),
            "check ELECTRICITYMAPS_TOKEN, and that it may ask for forecasts of "
            "'XY'");
  query_.service = "watttime";
  variables_ = {{"WATTTIME_USER", "u"}, {"WATTTIME_PASSWORD", "p"}};
  EXPECT_THAT(hint(403),
              StartsWith("check WATTTIME_USER and WATTTIME_PASSWORD"));
}

TEST_F(GridServiceTest, NoHoursAreNoFault) {
  answer_ = R"({"data": []})";
  const auto none = Fetch();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "carbonintensity.org.uk has no forecast for these hours");
  EXPECT_THAT(none.error().hint, StartsWith("the next command asks it again"));
}

TEST_F(GridServiceTest, GarbageIsNotKept) {
  answer_ = "<html>busy</html>";
  const auto garbage = Fetch();
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().message,
            "carbonintensity.org.uk answered without a list 'data'");
  answer_ = UkAnswer(query_.now);
  EXPECT_TRUE(Fetch());
}

TEST_F(GridServiceTest, ABrokenCacheIsAskedForAgain) {
  ASSERT_TRUE(Fetch());
  for (const auto& file :
       std::filesystem::directory_iterator(folder_ + "/grid"))
    std::ofstream(file.path()) << "# 2026-09-21T13:33:20Z\ntime,gco2e";
  ASSERT_TRUE(Fetch());
  EXPECT_EQ(requests_, 2);
}

TEST_F(GridServiceTest, SendsTheKeyAndAsksForTheZone) {
  query_.service = "electricitymaps";
  query_.zone = "DE";
  auto missing = Fetch();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kPermission);
  EXPECT_EQ(missing.error().message,
            "electricitymaps needs a key in ELECTRICITYMAPS_TOKEN");
  EXPECT_EQ(requests_, 0);
  variables_["ELECTRICITYMAPS_TOKEN"] = "s3cret";
  answer_ = R"({"forecast": [
      {"carbonIntensity": 326, "datetime": "2026-09-21T13:00:00.000Z"},
      {"carbonIntensity": 300, "datetime": "2026-09-21T14:00:00.000Z"}]})";
  ASSERT_TRUE(Fetch());
  EXPECT_EQ(path_, "/v3/carbon-intensity/forecast?zone=DE");
  EXPECT_EQ(auth_, "s3cret");
  query_.zone = "PL";  // another question: nothing of it is kept
  status_ = 401;
  const auto refused = Fetch();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("s3cret")));
  query_.zone = "DE&zone=PL";
  EXPECT_EQ(Fetch().error().message, "'DE&zone=PL' is no zone");
}

TEST_F(GridServiceTest, LogsIn) {
  query_.service = "watttime";
  query_.zone = "CAISO_NORTH";
  variables_ = {{"WATTTIME_USER", "u"}, {"WATTTIME_PASSWORD", "p"}};
  answer_ = R"({"meta": {"signal_type": "co2_aoer",
                         "units": "lbs_co2_per_mwh"},
      "data": [{"point_time": "2026-09-21T13:30:00+00:00", "value": 900},
               {"point_time": "2026-09-21T13:35:00+00:00", "value": 800}]})";
  const auto series = Fetch();
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_EQ(path_, "/v3/forecast?signal_type=co2_aoer&region=CAISO_NORTH");
  EXPECT_EQ(auth_, "Bearer t0ken");
  EXPECT_EQ(requests_, 2);
}

TEST_F(GridServiceTest, OneThatDoesNotAnswerInTimeIsSaid) {
  query_.patience = Seconds(0.2);
  std::unique_lock held(mutex_);  // the server waits for it
  const auto series = Fetch();
  held.unlock();
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().code, ErrorCode::kRetry);
  EXPECT_THAT(series.error().message, HasSubstr("did not answer within 0.2 s"));
}

TEST_F(GridServiceTest, OneThatDripsIsNotWaitedFor) {
  drips_ = true;
  query_.patience = Seconds(0.3);
  const auto series = Fetch();
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().code, ErrorCode::kRetry);
  EXPECT_THAT(series.error().message, HasSubstr("did not answer within 0.3 s"));
}

TEST_F(GridServiceTest, NobodyThereIsSaid) {
  server_.stop();
  const auto series = Fetch();
  ASSERT_FALSE(series);
  EXPECT_EQ(series.error().code, ErrorCode::kRetry);
  EXPECT_THAT(series.error().message, HasSubstr("refused the connection"));
}

TEST(ParseGridQuery, TellsServicesFromFiles) {
  EXPECT_TRUE(ParseGridQuery("uk"));
  const auto maps = ParseGridQuery("electricitymaps:US-CAL-CISO");
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->zone, "US-CAL-CISO");
  for (const char* file : {"uk.csv", "uk:", "uk:GB", "electricitymaps",
                           "electricitymaps:", "PL.csv", "./uk", ""})
    EXPECT_FALSE(ParseGridQuery(file)) << file;
}

}  // namespace
}  // namespace modicum
