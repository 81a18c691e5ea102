// SPDX-License-Identifier: Apache-2.0
// Asks the metadata services of AWS, Google Cloud and Azure at once, each in
// its own way. Nobody is asked by name, no proxy and no redirect is followed,
// and all of it ends in time. Takes nothing from the program.
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "place/cloud_region.h"

namespace modicum {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// A region's name is shorter, and so is a token of AWS (56 characters).
constexpr size_t kMostText = 512;

class MetadataService {
 public:
  MetadataService(const std::string& url, SteadyTime deadline)
      : client_(url), deadline_(deadline) {
    client_.set_follow_location(false);
    client_.set_keep_alive(false);
    client_.set_decompress(false);
  }

  // What was answered with 200, short and with the header `wanted`.
  std::optional<std::string> Ask(const std::string& method,
                                 const std::string& path,
                                 const httplib::Headers& headers,
                                 const std::string& wanted = "") {
    using std::chrono::microseconds;
    const auto left = std::chrono::duration_cast<microseconds>(
        deadline_ - std::chrono::steady_clock::now());
    if (left <= microseconds(0)) return std::nullopt;
    client_.set_connection_timeout(left);
    client_.set_read_timeout(left);
    client_.set_write_timeout(left);
    std::string text;
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.headers = headers;
    request.content_receiver = [&text](const char* data, size_t size, uint64_t,
                                       uint64_t) {
      text.append(data, size);
      return text.size() <= kMostText;
    };
    const auto reply = client_.send(request);
    if (!reply || reply->status != 200) return std::nullopt;
    if (!wanted.empty() && !reply->has_header(wanted.c_str()))
      return std::nullopt;
    return text;
  }

  // Wakes who waits for it.
  void Stop() { client_.stop(); }

 private:
  httplib::Client client_;
  const SteadyTime deadline_;
};

// The second version of AWS's service: a token first.
std::optional<std::string> AskAws(MetadataService& service) {
  const auto token =
      service.Ask("PUT", "/latest/api/token",
                  {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}});
  if (!token || token->empty() ||
      token->find_first_of(" \t\r\n") != std::string::npos)
    return std::nullopt;
  return service.Ask("GET", "/latest/meta-data/placement/region",
                     {{"X-aws-ec2-metadata-token", *token}});
}

std::optional<std::string> AskGoogle(MetadataService& service) {
  return service.Ask("GET", "/computeMetadata/v1/instance/zone",
                     {{"Metadata-Flavor", "Google"}}, "Metadata-Flavor");
}

std::optional<std::string> AskAzure(MetadataService& service) {
  return service.Ask("GET",
                     "/metadata/instance/compute/location"
                     "?api-version=2021-02-01&format=text",
                     {{"Metadata", "true"}});
}

struct Attempt {
  const char* provider;
  std::optional<std::string> (*ask)(MetadataService&);
  std::unique_ptr<MetadataService> service = {};
  std::optional<std::string> answer = {};
  std::atomic<bool> done = false;
  std::thread thread = {};
};

bool AllDone(const std::array<Attempt, 3>& attempts) {
  return std::all_of(attempts.begin(), attempts.end(),
                     [](const Attempt& one) { return one.done.load(); });
}

std::vector<CloudAnswer> AskAll(const CloudQuery& query) {
  const SteadyTime deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(query.patience.value()));
  std::array<Attempt, 3> attempts = {
      {{"aws", AskAws}, {"azure", AskAzure}, {"gcp", AskGoogle}}};
  for (Attempt& one : attempts) {
    one.service = std::make_unique<MetadataService>(query.base_url, deadline);
    one.thread = std::thread([&one] {
      one.answer = one.ask(*one.service);
      one.done = true;
    });
  }
  constexpr std::chrono::milliseconds kLook(1);
  while (!AllDone(attempts)) {
    std::this_thread::sleep_for(kLook);
    // An answer that drips would go on beyond every timeout of its own.
    if (std::chrono::steady_clock::now() > deadline)
      for (Attempt& one : attempts)
        if (!one.done) one.service->Stop();
  }
  std::vector<CloudAnswer> answers;
  for (Attempt& one : attempts) {
    one.thread.join();
    if (one.answer) answers.push_back({one.provider, *one.answer});
  }
  return answers;
}

}  // namespace

#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default"))) std::vector<CloudAnswer>
modicum_cloud(const CloudQuery& query) {
  return AskAll(query);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_cloud_abi() {
  return modicum::kCloudAbi;
}
