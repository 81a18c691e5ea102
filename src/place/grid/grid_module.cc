// SPDX-License-Identifier: Apache-2.0
// Asks a service for its forecast.
#include <fmt/format.h>
#include <httplib.h>

#include <chrono>

#include "base/format.h"
#include "place/grid/grid_answer.h"
#include "place/grid_service.h"

namespace modicum {
namespace {

constexpr size_t kMostAnswer = 8 << 20;

// One request, answered whole or with an error that names its address.
class Service {
 public:
  Service(const GridQuery& query, const std::string& own_url)
      : url_(query.base_url.empty() ? own_url : query.base_url),
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
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    bool late = false;
    const auto reply = client_.Get(
        path.c_str(), headers,
        [&](const httplib::Response& response) {
          status = response.status;
          return true;
        },
        [&](const char* data, size_t length) {
          body.append(data, length);
          late = std::chrono::steady_clock::now() > deadline;
          return !late && body.size() <= kMostAnswer;
        });
    const std::string where = url_ + path.substr(0, path.find('?'));
    if (body.size() > kMostAnswer)
      return Fail(ErrorCode::kInvalidInput, where + " answered over 8 MiB",
                  "is it the service that was meant?");
    if (late)
      return Fail(ErrorCode::kRetry, where + " answers too slowly",
                  "a CSV file does as well");
    if (!reply)
      return Fail(
          ErrorCode::kRetry,
          where + " does not answer: " + httplib::to_string(reply.error()),
          "a CSV file does as well");
    if (status == 401 || status == 403)
      return Fail(ErrorCode::kPermission,
                  fmt::format("{} refuses the key (HTTP {})", where, status),
                  "does it include forecasts of that zone?");
    if (status != 200)
      return Fail(ErrorCode::kRetry,
                  fmt::format("{} answered HTTP {}", where, status),
                  "is the zone one of its own? a CSV file does as well");
    return body;
  }

  void Login(const std::string& user, const std::string& password) {
    client_.set_basic_auth(user.c_str(), password.c_str());
  }

 private:
  const std::string url_;
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
  Service service(query, "https://api.carbonintensity.org.uk");
  // "2026-11-26T19:30:00Z" -> "2026-11-26T19:30Z".
  const std::string from = FormatUtc(query.now).substr(0, 16) + "Z";
  MODICUM_TRY(const std::string answer,
              service.Get("/intensity/" + from + "/fw48h"));
  return UkCsv(answer);
}

Result<std::string> AskElectricityMaps(const GridQuery& query) {
  MODICUM_TRY(const std::string key, Key(query, "ELECTRICITYMAPS_TOKEN"));
  Service service(query, "https://api.electricitymaps.com");
  MODICUM_TRY(const std::string answer,
              service.Get("/v3/carbon-intensity/forecast?zone=" + query.zone,
                          {{"auth-token", key}}));
  return ElectricityMapsCsv(answer);
}

Result<std::string> AskWattTime(const GridQuery& query) {
  MODICUM_TRY(const std::string user, Key(query, "WATTTIME_USER"));
  MODICUM_TRY(const std::string password, Key(query, "WATTTIME_PASSWORD"));
  Service login(query, "https://api.watttime.org");
  login.Login(user, password);
  MODICUM_TRY(const std::string reply, login.Get("/login"));
  MODICUM_TRY(const std::string token, WattTimeToken(reply));
  Service service(query, "https://api.watttime.org");
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
