// SPDX-License-Identifier: Apache-2.0
// The module against a service on loopback that answers as it is told, in the
// shapes that DMTF documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "probe/bmc_probe.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RedfishTest : public testing::Test {
 protected:
  RedfishTest() {
    server_.Get(".*", [this](const httplib::Request& request,
                             httplib::Response& response) {
      Answer(request, response);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
    Set("URL", "http://127.0.0.1:" + std::to_string(port_));
    Set("USER", "meter");
    Set("PASSWORD", "s3cret");
    OneChassis();
  }
  ~RedfishTest() override {
    server_.stop();
    for (const char* name :
         {"URL", "USER", "PASSWORD", "CHASSIS", "INSECURE", "CA"})
      unsetenv(("MODICUM_REDFISH_" + std::string(name)).c_str());
  }
  static void Set(const std::string& name, const std::string& value) {
    setenv(("MODICUM_REDFISH_" + name).c_str(), value.c_str(), 1);
  }

  void Answer(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    auth_ = request.get_header_value("Authorization");
    const auto found = answers_.find(request.path);
    response.status = found == answers_.end() ? 404 : status_;
    if (found == answers_.end()) return;
    response.set_content(found->second, "application/json");
    if (!slow_) return;
    response.body.clear();
    response.set_content_provider(
        "application/json", [](size_t, httplib::DataSink& sink) {
          std::this_thread::sleep_for(std::chrono::seconds(1));
          sink.write(" ", 1);
          return true;
        });
  }

  void Put(const std::string& path, const std::string& answer) {
    const std::lock_guard lock(mutex_);
    answers_["/redfish/v1/Chassis" + path] = answer;
  }
  void AddChassis(const std::string& id, const std::string& type,
                  const std::string& more) {
    const std::string path = "/redfish/v1/Chassis/" + id;
    members_ += (members_.empty() ? "" : ", ") +
                std::string("{\"@odata.id\": \"") + path + "\"}";
    Put("", "{\"Members\": [" + members_ + "]}");
    Put("/" + id, "{\"@odata.id\": \"" + path + "\", \"Id\": \"" + id +
                      "\", \"ChassisType\": \"" + type + "\"" + more + "}");
  }
  static std::string Link(const std::string& key, const std::string& path) {
    return ", \"" + key + "\": {\"@odata.id\": \"/redfish/v1/Chassis" + path +
           "\"}";
  }
  void OneChassis() {
    AddChassis("1", "RackMount", Link("Power", "/1/Power"));
    Draw(344);
  }
  void Draw(int watts) {
    Put("/1/Power", "{\"PowerControl\": [{\"PowerConsumedWatts\": " +
                        std::to_string(watts) +
                        ", \"PowerMetrics\": {\"IntervalInMin\": 30}}]}");
  }

  Result<std::unique_ptr<Probe>> Open() {
    return OpenRedfish({fs_, HostFacts{}, At(0)});
  }
  ProbeReport Report() { return ReportRedfish({fs_, HostFacts{}, At(0)}); }
  Joules EnergyOfASecond() {
    auto probe = Open();
    if (!probe) {
      ADD_FAILURE() << probe.error().message;
      return {};
    }
    return (*(*probe)->Read(At(1)))[0].energy;
  }

  httplib::Server server_;
  std::mutex mutex_;
  int port_ = 0, requests_ = 0, status_ = 200;
  bool slow_ = false;
  std::string auth_, members_;
  std::map<std::string, std::string> answers_;
  const RootFs fs_{"/nonexistent"};
  std::jthread thread_;  // last: ends first
};

TEST_F(RedfishTest, TheWholeMachineByItsPower) {
  const auto probe = Open();
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  const Domain& domain = (*probe)->domains()[0];
  EXPECT_EQ(domain.name, "redfish");
  EXPECT_EQ(domain.component, "wall");
  EXPECT_EQ(domain.scope, Scope::kHost);
  EXPECT_EQ(domain.origin, Origin::kSensor);
  EXPECT_EQ((*probe)->relative_errors().size(), 2U);
  EXPECT_EQ((*(*probe)->Read(At(1)))[0].energy, Joules(344));
  EXPECT_EQ(auth_, "Basic bWV0ZXI6czNjcmV0");
  const ProbeReport report = Report();
  EXPECT_TRUE(report.usable);
  EXPECT_EQ(report.covers,
            "the whole machine, by chassis 1 of http://127.0.0.1:" +
                std::to_string(port_));
  EXPECT_EQ(report.reading, "watts, integrated; asked every 1 s");
  EXPECT_EQ(report.reason, "its own means are over 30 min");
}

TEST_F(RedfishTest, AsksOnInItsOwnThread) {
  const auto probe = Open();
  ASSERT_TRUE(probe.has_value());
  Draw(200);
  for (int tries = 0; tries < 100; ++tries) {
    const auto deltas = (*probe)->Read(At(1 + tries));
    ASSERT_TRUE(deltas.has_value());
    if ((*deltas)[0].energy == Joules(200)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "the new value never came";
}

TEST_F(RedfishTest, TheNewerFormGoesBeforeTheOlder) {
  members_.clear();
  AddChassis("1", "RackMount",
             Link("Power", "/1/Power") +
                 Link("EnvironmentMetrics", "/1/EnvironmentMetrics"));
  Put("/1/EnvironmentMetrics", R"({"PowerWatts": {"Reading": 300}})");
  EXPECT_EQ(EnergyOfASecond(), Joules(300));
  // Only where its reading is told.
  Put("/1/EnvironmentMetrics", R"({"PowerWatts": {"DataSourceUri":
      "/redfish/v1/Chassis/1/Sensors/total"}})");
  Put("/1/Sensors/total",
      R"({"ReadingType": "Power", "ReadingUnits": "W", "Reading": 310})");
  EXPECT_EQ(EnergyOfASecond(), Joules(310));
  Put("/1/EnvironmentMetrics", "{}");
  EXPECT_EQ(EnergyOfASecond(), Joules(344));
}

TEST_F(RedfishTest, TheOnlySensorOfTheWholeIsTaken) {
  members_.clear();
  AddChassis("1", "RackMount", Link("Sensors", "/1/Sensors"));
  Put("/1/Sensors", R"({"Members": [
      {"@odata.id": "/redfish/v1/Chassis/1/Sensors/cpu"},
      {"@odata.id": "/redfish/v1/Chassis/1/Sensors/gone"},
      {"@odata.id": "/redfish/v1/Chassis/1/Sensors/total"}]})");
  Put("/1/Sensors/cpu", R"({"ReadingType": "Power", "Reading": 90,
                            "PhysicalContext": "CPU"})");
  Put("/1/Sensors/total", R"({"ReadingType": "Power", "Reading": 320,
                              "PhysicalContext": "Chassis"})");
  EXPECT_EQ(EnergyOfASecond(), Joules(320));
}

TEST_F(RedfishTest, IndependentChassisAreSummedAndPartsAreNot) {
  AddChassis("2", "RackMount", Link("Power", "/2/Power"));
  Put("/2/Power", R"({"PowerControl": [{"PowerConsumedWatts": 100}]})");
  AddChassis("gpu", "Module", Link("Power", "/gpu/Power"));
  Put("/gpu/Power", R"({"PowerControl": [{"PowerConsumedWatts": 50}]})");
  EXPECT_EQ(EnergyOfASecond(), Joules(444));
  EXPECT_THAT(Report().covers, HasSubstr("by chassis 1, 2 of"));
  Set("CHASSIS", "gpu");
  EXPECT_EQ(EnergyOfASecond(), Joules(50));
  Set("CHASSIS", "3");
  EXPECT_EQ(Report().reason, "the BMC tells no chassis' power");
}

TEST_F(RedfishTest, ARefusedUserIsSaidWithoutHisPassword) {
  status_ = 401;
  const auto probe = Open();
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kPermission);
  EXPECT_THAT(probe.error().message,
              AllOf(HasSubstr("refuses the user (HTTP 401)"),
                    Not(HasSubstr("s3cret"))));
  EXPECT_THAT(probe.error().hint, Not(HasSubstr("s3cret")));
}

TEST_F(RedfishTest, OtherFailuresAreSaid) {
  status_ = 500;
  EXPECT_THAT(Report().reason, HasSubstr("answered HTTP 500"));
  status_ = 200;
  for (const char* garbage : {"", "<html>busy</html>", "[1, 2", "{}", "\xff"}) {
    Put("", garbage);
    EXPECT_THAT(Report().reason, HasSubstr("the BMC answered w")) << garbage;
  }
  Put("", "{\"Members\": [\"" + std::string(2 << 20, 'x') + "\"]}");
  EXPECT_THAT(Report().reason, HasSubstr("answered over 1 MiB"));
  answers_.clear();
  EXPECT_THAT(Report().reason, HasSubstr("is not there"));
  server_.stop();
  EXPECT_THAT(Report().reason, HasSubstr("does not answer"));
}

TEST_F(RedfishTest, WhoNeverEndsIsNotWaitedFor) {
  slow_ = true;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(Report().reason, HasSubstr("answers too slowly"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
}

TEST_F(RedfishTest, LaterFailuresAreGaps) {
  const auto probe = Open();
  ASSERT_TRUE(probe.has_value());
  status_ = 500;
  for (int tries = 0; tries < 100; ++tries) {
    const auto deltas = (*probe)->Read(At(1 + tries));
    if (!deltas) {
      EXPECT_EQ(deltas.error().code, ErrorCode::kRetry);
      EXPECT_THAT(deltas.error().message, HasSubstr("HTTP 500"));
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "the failure never came";
}

TEST_F(RedfishTest, APasswordGoesNowhereInTheClear) {
  Set("URL", "http://192.0.2.7");
  EXPECT_THAT(Report().reason, HasSubstr("in the clear"));
  for (const char* bad :
       {"192.0.2.7", "ftp://192.0.2.7", "https://", "https://u:p@192.0.2.7",
        "https://192.0.2.7/redfish"}) {
    Set("URL", bad);
    EXPECT_EQ(Report().reason, "MODICUM_REDFISH_URL is no address of a BMC");
  }
  EXPECT_EQ(requests_, 0);
}

// A BMC that signed its own certificate, as they come.
class SelfSigned {
 public:
  SelfSigned() {
    key_ = EVP_RSA_gen(2048);
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* name = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_ASC,
        reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate_, name);
    X509_sign(certificate_, key_, EVP_sha256());
  }
  ~SelfSigned() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  SelfSigned(const SelfSigned&) = delete;
  SelfSigned& operator=(const SelfSigned&) = delete;

  X509* certificate() const { return certificate_; }
  EVP_PKEY* key() const { return key_; }
  void Write(const std::string& path) const {
    std::FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate_);
    std::fclose(file);
  }

 private:
  X509* const certificate_ = X509_new();
  EVP_PKEY* key_ = nullptr;
};

TEST_F(RedfishTest, ACertificateThatNobodyTrustsIsRefused) {
  const SelfSigned own;
  httplib::SSLServer secure(own.certificate(), own.key());
  secure.Get(
      ".*", [this](const httplib::Request& request,
                   httplib::Response& response) { Answer(request, response); });
  const int port = secure.bind_to_any_port("127.0.0.1");
  const std::jthread thread([&secure] { secure.listen_after_bind(); });
  while (!secure.is_running()) std::this_thread::yield();
  Set("URL", "https://localhost:" + std::to_string(port));
  ProbeReport report = Report();
  EXPECT_THAT(report.reason, HasSubstr("does not answer: "));
  EXPECT_THAT(report.cure, HasSubstr("MODICUM_REDFISH_CA"));
  EXPECT_EQ(requests_, 0);  // nor was the password sent
  const std::string file = testing::TempDir() + "/modicum-redfish.pem";
  own.Write(file);
  Set("CA", file);
  EXPECT_EQ(EnergyOfASecond(), Joules(344));
  // Of another host's name it is none.
  Set("URL", "https://127.0.0.1:" + std::to_string(port));
  EXPECT_FALSE(Report().usable);
  unsetenv("MODICUM_REDFISH_CA");
  Set("INSECURE", "1");
  EXPECT_EQ(EnergyOfASecond(), Joules(344));
  std::remove(file.c_str());
  secure.stop();
}

TEST_F(RedfishTest, BesideItsPartsTheWholeIsNotAsked) {
  Domain package;
  package.component = "cpu";
  const auto probe = OpenRedfish(
      {fs_, HostFacts{}, At(0), std::optional<Calibration>(), {package}});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().message,
            "what it covers is counted by other sources");
  EXPECT_EQ(requests_, 0);
}

TEST_F(RedfishTest, WithoutAnAddressThereIsNone) {
  unsetenv("MODICUM_REDFISH_URL");
  EXPECT_EQ(Report().reason, "no BMC is named");
}

}  // namespace
}  // namespace modicum
