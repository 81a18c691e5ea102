// SPDX-License-Identifier: Apache-2.0
// The module against a service on loopback that plays each cloud.
#include "place/cloud_region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/csv.h"
#include "data/cloud_regions.h"
#include "place/place_settings.h"
#include "place/tables.h"

namespace modicum {
namespace {

using httplib::Request;
using httplib::Response;
using testing::HasSubstr;

class CloudRegionTest : public testing::Test {
 protected:
  ~CloudRegionTest() override { server_.stop(); }

  Result<CloudRegion> Ask() {
    if (!thread_.joinable()) {
      const int port = server_.bind_to_any_port("127.0.0.1");
      query_.base_url = "http://127.0.0.1:" + std::to_string(port);
      thread_ = std::jthread([this] { server_.listen_after_bind(); });
      while (!server_.is_running()) std::this_thread::yield();
    }
    const auto began = std::chrono::steady_clock::now();
    auto region = AskCloudRegion(query_);
    took_ =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began)
            .count();
    return region;
  }

  void PlayAws(const std::string& region) {
    server_.Put("/latest/api/token", [](const Request& in, Response& out) {
      out.status =
          in.has_header("X-aws-ec2-metadata-token-ttl-seconds") ? 200 : 400;
      out.set_content("t0ken==", "text/plain");
    });
    server_.Get("/latest/meta-data/placement/region",
                [region](const Request& in, Response& out) {
                  out.status = in.get_header_value(
                                   "X-aws-ec2-metadata-token") == "t0ken=="
                                   ? 200
                                   : 401;
                  out.set_content(region, "text/plain");
                });
  }
  void PlayGoogle(const std::string& zone, bool as_google = true) {
    server_.Get("/computeMetadata/v1/instance/zone",
                [zone, as_google](const Request& in, Response& out) {
                  out.status =
                      in.get_header_value("Metadata-Flavor") == "Google" ? 200
                                                                         : 403;
                  if (as_google) out.set_header("Metadata-Flavor", "Google");
                  out.set_content(zone, "application/text");
                });
  }
  void PlayAzure(const std::string& location) {
    server_.Get("/metadata/instance/compute/location",
                [location](const Request& in, Response& out) {
                  out.status = in.get_header_value("Metadata") == "true" &&
                                       in.get_param_value("format") == "text" &&
                                       in.has_param("api-version")
                                   ? 200
                                   : 400;
                  out.set_content(location, "text/plain");
                });
  }

  httplib::Server server_;
  CloudQuery query_;
  double took_ = 0;      // seconds
  std::jthread thread_;  // last: ends first
};

TEST_F(CloudRegionTest, AwsByATokenFirst) {
  PlayAws("eu-west-1");
  const auto region = Ask();
  ASSERT_TRUE(region) << region.error().message;
  EXPECT_EQ(region->provider, "aws");
  EXPECT_EQ(region->region, "eu-west-1");
  EXPECT_EQ(PlaceOfCloudRegion(*region), "IE");
}

TEST_F(CloudRegionTest, GoogleByItsZone) {
  PlayGoogle("projects/123456/zones/us-central1-a");
  const auto region = Ask();
  ASSERT_TRUE(region) << region.error().message;
  EXPECT_EQ(region->provider, "gcp");
  EXPECT_EQ(region->region, "us-central1");
  EXPECT_EQ(PlaceOfCloudRegion(*region), "US-IA");
}

TEST_F(CloudRegionTest, AzureByItsLocation) {
  PlayAzure("westeurope");
  const auto region = Ask();
  ASSERT_TRUE(region) << region.error().message;
  EXPECT_EQ(region->provider, "azure");
  EXPECT_EQ(PlaceOfCloudRegion(*region), "NL");
}

// ---- Faults ----------------------------------------------------------------

TEST_F(CloudRegionTest, NobodyAnswers) {
  const auto nothing = Ask();  // 404 to everything
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(nothing.error().message, "no cloud's metadata service answers");
  server_.stop();
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
}

TEST_F(CloudRegionTest, GarbageIsNoRegion) {
  for (const std::string text :
       {"", "<html>login</html>", "EU-WEST-1", "eu west 1", "../etc/passwd",
        "eu-west-1\n\x1b[31m"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(ParseCloudAnswer({"aws", text}));
    EXPECT_FALSE(ParseCloudAnswer({"gcp", "projects/7/zones/" + text + "-b"}));
  }
  EXPECT_FALSE(ParseCloudAnswer({"gcp", "europe-west1-b"}));
  EXPECT_FALSE(ParseCloudAnswer({"aws", std::string(41, 'a')}));
  PlayAws("<html>login</html>");
  const auto region = Ask();
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().message,
            "the metadata service of aws names no region");
}

TEST_F(CloudRegionTest, WhoAnswersAsSeveralCloudsIsNotBelieved) {
  PlayAws("eu-west-1");
  PlayAzure("westeurope");
  EXPECT_EQ(Ask().error().message,
            "the metadata service answers as several clouds");
}

TEST_F(CloudRegionTest, OnlyGoogleIsGoogle) {
  PlayGoogle("projects/1/zones/us-central1-a", false);
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
}

TEST_F(CloudRegionTest, RedirectsAreNotFollowed) {
  std::atomic<int> followed = 0;
  server_.Get(
      "/metadata/instance/compute/location",
      [](const Request&, Response& out) { out.set_redirect("/elsewhere"); });
  server_.Get("/elsewhere", [&followed](const Request&, Response& out) {
    ++followed;
    out.set_content("westeurope", "text/plain");
  });
  EXPECT_FALSE(Ask());
  EXPECT_EQ(followed, 0);
}

TEST_F(CloudRegionTest, AHugeAnswerIsCutOff) {
  PlayAzure(std::string(100 << 20, 'a'));
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
}

TEST_F(CloudRegionTest, ASlowAnswerEndsInTime) {
  query_.patience = Milliseconds(100);
  server_.Get("/metadata/instance/compute/location",
              [this](const Request&, Response& out) {
                while (server_.is_running() && took_ == 0)
                  std::this_thread::sleep_for(std::chrono::milliseconds(1));
                out.set_content("westeurope", "text/plain");
              });
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
  EXPECT_GE(took_, 0.09);
}

// A byte now and then keeps each read in time, but not all of them.
TEST_F(CloudRegionTest, AnAnswerThatDripsEndsInTime) {
  query_.patience = Milliseconds(100);
  server_.Get(
      "/metadata/instance/compute/location", [](const Request&, Response& out) {
        out.set_chunked_content_provider(
            "text/plain", [](size_t, httplib::DataSink& sink) {
              std::this_thread::sleep_for(std::chrono::milliseconds(20));
              return sink.write("a", 1);
            });
      });
  EXPECT_EQ(Ask().error().code, ErrorCode::kUnavailable);
  EXPECT_GE(took_, 0.09);
  EXPECT_LT(took_, 5);  // the drip is 10 s long, the machine may be busy
}

// ---- The table, and what a place makes of it -------------------------------

TEST(CloudRegions, EveryRowIsAKnownProviderAndPlaceOnce) {
  const EmbeddedTable table(kCloudRegionsCsv);
  std::set<std::string> seen;
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string& region = table.at(i, "region");
    EXPECT_NE(FindProvider(table.at(i, "provider")), nullptr) << region;
    EXPECT_NE(FindRegion(table.at(i, "place")), nullptr) << region;
    EXPECT_NE(table.at(i, "place"), "US") << region;  // a state is known
    EXPECT_TRUE(seen.insert(table.at(i, "provider") + region).second) << region;
    EXPECT_TRUE(ParseCloudAnswer({"aws", region})) << region;
  }
  EXPECT_GE(table.size(), 130U);
}

TEST(CloudRegions, TheBillSaysWhereItIsFrom) {
  PlaceQuery query;
  AddCloudRegion(CloudRegion{"aws", "eu-west-1"}, query);
  const auto place = FindPlace(query);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->name,
            "Ireland (AWS region eu-west-1, asked of the instance's metadata)");
  EXPECT_EQ(place->id, "IE");
  EXPECT_FALSE(place->assumed);
  EXPECT_TRUE(place->rented);
  EXPECT_NEAR(place->pue.mid.value(), 1.14, 1e-9);
}

TEST(CloudRegions, AnUnknownRegionIsNotGuessed) {
  PlaceQuery query;
  AddCloudRegion(CloudRegion{"gcp", "mars-north1"}, query);
  const auto place = FindPlace(query);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->name,
            "world average (assumed: where Google Cloud region mars-north1 is, "
            "is not known)");
  EXPECT_TRUE(place->assumed);
  EXPECT_NEAR(place->pue.mid.value(), 1.09, 1e-9);
}

TEST(CloudRegions, WhatIsNamedWins) {
  Settings settings;
  settings.detect_region = true;
  settings.region = "PL";
  const PlaceQuery named = PlaceQueryOf(settings);  // nothing is asked
  EXPECT_EQ(named.region, "PL");
  EXPECT_EQ(named.asked, "");
  PlaceQuery query{.provider = "on-prem"};
  AddCloudRegion(CloudRegion{"aws", "us-east-1"}, query);
  EXPECT_EQ(query.region, "US-VA");
  EXPECT_EQ(query.provider, "on-prem");
}

}  // namespace
}  // namespace modicum
