// SPDX-License-Identifier: Apache-2.0
// Asks a BMC's Redfish service. What counts is found out once; then each
// reading is one request a chassis.
#include <fmt/format.h>
#include <httplib.h>

#include <chrono>

#include "probe/bmc.h"
#include "probe/bmc/redfish_answer.h"

namespace modicum {
namespace {

constexpr time_t kPatience = 3;              // seconds, of one wait
constexpr std::chrono::seconds kLongest(5);  // of a whole answer
constexpr size_t kMostAnswer = 1 << 20;
constexpr size_t kMostSensors = 64;  // that are looked at
constexpr char kChassis[] = "/redfish/v1/Chassis";

struct Access {
  std::string url;  // without a slash at its end
  std::string user, password;
  std::string ca;  // file of certificates to trust
  bool insecure = false;
};

// "https://10.0.0.7" -> "10.0.0.7".
std::string HostOf(const std::string& url) {
  const size_t at = url.find("://") + 3;
  return url.substr(at, url.find_first_of(":/", at) - at);
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "[";
}

// A password goes in the clear only where nobody else can listen.
Status CheckUrl(const Access& access) {
  const bool http = access.url.starts_with("http://");
  const bool https = access.url.starts_with("https://");
  const std::string rest = access.url.substr(access.url.find("://") + 3);
  if ((!http && !https) || rest.empty() ||
      rest.find_first_of("/@?# ") != std::string::npos)
    return Fail(ErrorCode::kInvalidInput,
                "MODICUM_REDFISH_URL is no address of a BMC",
                "for example https://192.0.2.7; the user goes in "
                "MODICUM_REDFISH_USER");
  if (http && !access.user.empty() && !access.insecure &&
      !IsLoopback(HostOf(access.url)))
    return Fail(ErrorCode::kInvalidInput,
                "MODICUM_REDFISH_URL would send the password in the clear",
                "use https://, or MODICUM_REDFISH_INSECURE=1 on a network of "
                "your own");
  return {};
}

Result<Access> AccessOf(const BmcVariables& variable) {
  Access access;
  access.url = variable("MODICUM_REDFISH_URL").value_or("");
  while (access.url.ends_with('/')) access.url.pop_back();
  access.user = variable("MODICUM_REDFISH_USER").value_or("");
  access.password = variable("MODICUM_REDFISH_PASSWORD").value_or("");
  access.ca = variable("MODICUM_REDFISH_CA").value_or("");
  access.insecure = variable("MODICUM_REDFISH_INSECURE").value_or("0") != "0";
  MODICUM_RETURN_IF_ERROR(CheckUrl(access));
  return access;
}

// One request, answered whole or with an error that names its address.
class Service {
 public:
  explicit Service(const Access& access)
      : url_(access.url), client_(access.url) {
    client_.set_connection_timeout(kPatience);
    client_.set_read_timeout(kPatience);
    client_.set_write_timeout(kPatience);
    client_.set_follow_location(false);  // a password goes nowhere else
    client_.set_keep_alive(true);
    if (!access.user.empty())
      client_.set_basic_auth(access.user.c_str(), access.password.c_str());
    if (!access.ca.empty()) client_.set_ca_cert_path(access.ca.c_str());
    client_.enable_server_certificate_verification(!access.insecure);
  }

  Result<std::string> Get(const std::string& path) {
    std::string body;
    int status = 0;
    const auto until = std::chrono::steady_clock::now() + kLongest;
    bool late = false;
    const auto reply = client_.Get(
        path.c_str(), {{"Accept", "application/json"}},
        [&](const httplib::Response& response) {
          status = response.status;
          return true;
        },
        [&](const char* data, size_t length) {
          body.append(data, length);
          late = std::chrono::steady_clock::now() > until;
          return !late && body.size() <= kMostAnswer;
        });
    return Judge(url_ + path, status, body, late,
                 reply ? "" : httplib::to_string(reply.error()));
  }
  const std::string& url() const { return url_; }

 private:
  static Result<std::string> Judge(const std::string& where, int status,
                                   std::string& body, bool late,
                                   const std::string& broken) {
    if (body.size() > kMostAnswer)
      return Fail(ErrorCode::kInvalidInput, where + " answered over 1 MiB",
                  "is it a Redfish service?");
    if (late) return Fail(ErrorCode::kRetry, where + " answers too slowly", "");
    if (!broken.empty())
      return Fail(ErrorCode::kRetry, where + " does not answer: " + broken,
                  where.starts_with("https://")
                      ? "is its certificate one of MODICUM_REDFISH_CA's?"
                      : "does MODICUM_REDFISH_URL name the BMC?");
    if (status == 401 || status == 403)
      return Fail(ErrorCode::kPermission,
                  fmt::format("{} refuses the user (HTTP {})", where, status),
                  "MODICUM_REDFISH_USER and MODICUM_REDFISH_PASSWORD name one "
                  "that may read");
    if (status == 404)
      return Fail(ErrorCode::kUnavailable, where + " is not there", "");
    if (status != 200)
      return Fail(ErrorCode::kRetry,
                  fmt::format("{} answered HTTP {}", where, status), "");
    return std::move(body);
  }

  const std::string url_;
  httplib::Client client_;
};

// Where a chassis tells its power, and in which form.
using Parse = Result<RedfishPower> (*)(std::string_view);
struct Spring {
  std::string path;
  Parse parse = nullptr;
};

class RedfishMeter final : public BmcMeter {
 public:
  explicit RedfishMeter(const Access& access) : service_(access) {}

  // Which chassis count, and where they tell it.
  Status Discover(const std::optional<std::string>& only) {
    MODICUM_TRY(const std::string list, service_.Get(kChassis));
    MODICUM_TRY(const auto paths, ParseRedfishMembers(list));
    std::vector<RedfishChassis> telling;
    std::vector<Spring> springs;
    for (const std::string& path : paths) {
      MODICUM_TRY(const std::string answer, service_.Get(path));
      MODICUM_TRY(RedfishChassis chassis, ParseRedfishChassis(answer));
      if (only && chassis.id != *only) continue;
      MODICUM_TRY(const Spring spring, FindSpring(chassis));
      if (spring.path.empty()) continue;
      telling.push_back(std::move(chassis));
      springs.push_back(spring);
    }
    MODICUM_TRY(const auto chosen, ChooseRedfishChassis(telling));
    for (const size_t i : chosen) {
      springs_.push_back(springs[i]);
      names_ += (names_.empty() ? "" : ", ") + telling[i].id;
    }
    return {};
  }

  std::string covers() const override {
    return fmt::format("the whole machine, by chassis {} of {}", names_,
                       service_.url());
  }
  std::string note() const override {
    return over_ ? fmt::format("its own means are over {:.0f} min",
                               over_->value() / 60)
                 : "";
  }

  Result<Watts> Read() override {
    Watts sum;
    for (const Spring& spring : springs_) {
      MODICUM_TRY(const RedfishPower told, Ask(spring));
      if (!told.power)
        return Fail(ErrorCode::kRetry,
                    service_.url() + spring.path + " tells no power now");
      sum = sum + *told.power;
    }
    return sum;
  }

 private:
  Result<RedfishPower> Ask(const Spring& spring) {
    MODICUM_TRY(const std::string answer, service_.Get(spring.path));
    MODICUM_TRY(RedfishPower told, spring.parse(answer));
    if (told.over) over_ = told.over;
    return told;
  }

  // What is not there is looked for elsewhere; everything else fails.
  Result<RedfishPower> Try(const Spring& spring) {
    if (spring.path.empty()) return RedfishPower{};
    auto told = Ask(spring);
    if (!told && told.error().code == ErrorCode::kUnavailable)
      return RedfishPower{};
    return told;
  }

  // The newer form before the older one; a sensor of its own at last.
  Result<Spring> FindSpring(const RedfishChassis& chassis) {
    const Spring metrics{chassis.metrics, ParseRedfishMetrics};
    MODICUM_TRY(const RedfishPower newer, Try(metrics));
    if (newer.power) return metrics;
    const Spring sensor{newer.sensor, ParseRedfishSensor};
    MODICUM_TRY(const RedfishPower named, Try(sensor));
    if (named.power) return sensor;
    const Spring power{chassis.power, ParseRedfishPower};
    MODICUM_TRY(const RedfishPower older, Try(power));
    if (older.power) return power;
    return FindSensor(chassis.sensors);
  }

  // The one sensor of a whole chassis' power; of several none.
  Result<Spring> FindSensor(const std::string& collection) {
    Spring found;
    if (collection.empty()) return found;
    auto list = service_.Get(collection);
    if (!list && list.error().code == ErrorCode::kUnavailable) return found;
    if (!list) return Fail(std::move(list).error());
    MODICUM_TRY(const auto paths, ParseRedfishMembers(*list));
    for (size_t i = 0; i < std::min(paths.size(), kMostSensors); ++i) {
      const Spring sensor{paths[i], ParseRedfishWholeSensor};
      MODICUM_TRY(const RedfishPower told, Try(sensor));
      if (!told.power) continue;
      if (!found.path.empty()) return Spring{};
      found = sensor;
    }
    return found;
  }

  Service service_;
  std::vector<Spring> springs_;
  std::string names_;
  std::optional<Seconds> over_;
};

Result<std::unique_ptr<BmcMeter>> OpenHere(const BmcVariables& variable) {
  MODICUM_TRY(const Access access, AccessOf(variable));
  auto meter = std::make_unique<RedfishMeter>(access);
  MODICUM_RETURN_IF_ERROR(meter->Discover(variable("MODICUM_REDFISH_CHASSIS")));
  return meter;
}

}  // namespace

// A Result by value over a C name: program and module are of one build.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default")))
Result<std::unique_ptr<BmcMeter>>
modicum_redfish(const BmcVariables& variable) {
  return OpenHere(variable);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_redfish_abi() {
  return modicum::kBmcAbi;
}
