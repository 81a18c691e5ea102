// SPDX-License-Identifier: Apache-2.0
// Asks a service for its forecast.
#include <fmt/format.h>
#include <httplib.h>

#include <chrono>

#include "base/format.h"
#include "base/http_failure.h"
#include "place/grid/grid_answer.h"
#include "place/grid_service.h"

namespace modicum {
namespace {

constexpr size_t kMostAnswer = 8 << 20;
// What the service wants of the environment.
constexpr char kMapsToken[] = "ELECTRICITYMAPS_TOKEN";
constexpr char kWattTimeUser[] = "WATTTIME_USER";
constexpr char kWattTimePassword[] = "WATTTIME_PASSWORD";

// The hint, and what helps always.
std::string WithFile(const std::string& hint) {
  return hint + (hint.ends_with('?') ? " " : "; ") + "a CSV file does as well";
}

// One request, answered whole or with an error that names its address.
class Service {
 public:
  // `keys`: the variables that hold them; empty where it needs none.
  Service(const GridQuery& query, const std::string& own_url, std::string keys)
      : url_(query.base_url.empty() ? own_url : query.base_url),
        keys_(std::move(keys)),
        zone_(query.zone),
        client_(url_),
        patience_(static_cast<int64_t>(query.patience.value() * 1e6)) {
    client_.set_connection_timeout(patience_);
    client_.set_read_timeout(patience_);
    client_.set_write_timeout(patience_);
    client_.set_follow_location(false);  // a key goes nowhere else
  }

  Result<std::string> Get(const std::string& path,
                          const httplib::Headers& headers = {}) {
    std::string body;
    int status = 0;
    // One that drips would go on beyond every timeout of its own.
    const auto began = std::chrono::steady_clock::now();
    const auto reply = client_.Get(
        path.c_str(), headers,
        [&](const httplib::Response& response) {
          status = response.status;
          return true;
        },
        [&](const char* data, size_t length) {
          body.append(data, length);
          return std::chrono::steady_clock::now() - began < patience_ &&
                 body.size() <= kMostAnswer;
        });
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - began;
    const std::string where = url_ + path.substr(0, path.find('?'));
    if (body.size() > kMostAnswer)
      return Fail(ErrorCode::kInvalidInput, where + " answered over 8 MiB",
                  "is it the service that was meant?");
    if (!reply) {
      HttpFailure why =
          WhyNoAnswer({url_, reply.error(), status != 0, Seconds(took.count()),
                       Seconds(static_cast<double>(patience_.count()) / 1e6),
                       "the next command asks it again"});
      return Fail(ErrorCode::kRetry, where + " " + why.what,
                  WithFile(why.hint));
    }
    if (status != 200) return Fail(ErrorOf(status, where));
    return body;
  }

  void Login(const std::string& user, const std::string& password) {
    client_.set_basic_auth(user.c_str(), password.c_str());
  }

 private:
  Error ErrorOf(int status, const std::string& where) const {
    if ((status == 401 || status == 403) && !keys_.empty())
      return {ErrorCode::kPermission,
              fmt::format("{} refuses the key (HTTP {})", where, status),
              fmt::format("check {}, and that it may ask for forecasts of '{}'",
                          keys_, zone_)};
    std::string cure = "is there a proxy in between that answers instead?";
    if (status >= 500)
      cure = "the fault is the service's: the next command asks it again";
    else if (status == 429)
      cure = "it is asked too often: wait before the next command asks again";
    else if (status == 400 || status == 404)
      cure = zone_.empty()
                 ? "its address may have changed"
                 : fmt::format("does it have forecasts of '{}'?", zone_);
    return {ErrorCode::kRetry,
            fmt::format("{} answered HTTP {}", where, status), WithFile(cure)};
  }

  const std::string url_;
  const std::string keys_;
  const std::string zone_;
  httplib::Client client_;
  const std::chrono::microseconds patience_;
};

Result<std::string> Key(const GridQuery& query, const std::string& name) {
  const auto key = query.environment(name);
  if (!key)
    return Fail(ErrorCode::kPermission,
                query.service + " needs a key in " + name,
                "export " + name + "=..., or name a CSV file instead");
  if (key->find_first_of("\r\n") != std::string::npos)
    return Fail(ErrorCode::kInvalidInput, name + " has a line end in it");
  return *key;
}

// Letters, digits, - and _ alone, as all zones have them.
Status CheckZone(const std::string& zone) {
  for (const char c : zone)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' &&
        c != '_')
      return Fail(ErrorCode::kInvalidInput, "'" + zone + "' is no zone",
                  "for example electricitymaps:DE or watttime:CAISO_NORTH");
  return {};
}

Result<std::string> AskUk(const GridQuery& query) {
  Service service(query, "https://api.carbonintensity.org.uk", "");
  // "2026-11-26T19:30:00Z" -> "2026-11-26T19:30Z".
  const std::string from = FormatUtc(query.now).substr(0, 16) + "Z";
  MODICUM_TRY(const std::string answer,
              service.Get("/intensity/" + from + "/fw48h"));
  return UkCsv(answer);
}

Result<std::string> AskElectricityMaps(const GridQuery& query) {
  MODICUM_TRY(const std::string key, Key(query, kMapsToken));
  Service service(query, "https://api.electricitymaps.com", kMapsToken);
  MODICUM_TRY(const std::string answer,
              service.Get("/v3/carbon-intensity/forecast?zone=" + query.zone,
                          {{"auth-token", key}}));
  return ElectricityMapsCsv(answer);
}

Result<std::string> AskWattTime(const GridQuery& query) {
  MODICUM_TRY(const std::string user, Key(query, kWattTimeUser));
  MODICUM_TRY(const std::string password, Key(query, kWattTimePassword));
  const std::string keys =
      std::string(kWattTimeUser) + " and " + kWattTimePassword;
  Service login(query, "https://api.watttime.org", keys);
  login.Login(user, password);
  MODICUM_TRY(const std::string reply, login.Get("/login"));
  MODICUM_TRY(const std::string token, WattTimeToken(reply));
  Service service(query, "https://api.watttime.org", keys);
  MODICUM_TRY(
      const std::string answer,
      service.Get("/v3/forecast?signal_type=co2_aoer&region=" + query.zone,
                  {{"Authorization", "Bearer " + token}}));
  return WattTimeCsv(answer);
}

Result<std::string> AskHere(const GridQuery& query) {
  MODICUM_RETURN_IF_ERROR(CheckZone(query.zone));
  if (query.service == "uk") return AskUk(query);
  if (query.service == "electricitymaps") return AskElectricityMaps(query);
  return AskWattTime(query);
}

}  // namespace

// A Result by value over a C name: program and module are of one build.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default"))) Result<std::string>
modicum_grid(const GridQuery& query) {
  return AskHere(query);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_grid_abi() {
  return modicum::kGridAbi;
}
