// SPDX-License-Identifier: Apache-2.0
// The service: its parts opened in turn, each stopped when it goes.
#include "agent/agent_service.h"
#include "agent/counter_socket.h"
#include "agent/http_endpoint.h"
#include "agent/otlp_push.h"

namespace modicum {
namespace {

class Service final : public AgentService {
 public:
  static Result<std::unique_ptr<AgentService>> Open(
      const AgentOptions& options) {
    auto service = std::make_unique<Service>();
    if (!options.socket.empty()) {
      MODICUM_TRY(service->socket_, CounterSocket::Open(options.socket));
    }
    if (!options.address.empty()) {
      MODICUM_TRY(service->http_,
                  HttpEndpoint::Open(options.address, options.port));
    }
    if (!options.otlp.empty()) {
      MODICUM_TRY(service->otlp_, OtlpPush::Open(options));
    }
    return service;
  }

  void Serve(AgentSource source) override {
    source_ = std::move(source);
    if (socket_) socket_->Serve(source_.counters);
    if (http_) http_->Serve(source_);
    if (otlp_) otlp_->Serve(source_);
  }

  std::string url() const override { return http_ ? http_->url() : ""; }

 private:
  AgentSource source_;
  std::unique_ptr<CounterSocket> socket_;
  std::unique_ptr<HttpEndpoint> http_;
  std::unique_ptr<OtlpPush> otlp_;
};

}  // namespace

// A Result by value over a C name: program and module are of one build.
#ifdef __clang__
#pragma clang diagnostic ignored "-Wreturn-type-c-linkage"
#endif
extern "C" __attribute__((visibility("default")))
Result<std::unique_ptr<AgentService>>
modicum_agent(const AgentOptions& options) {
  return Service::Open(options);
}

}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const char*
modicum_agent_abi() {
  return modicum::kAgentAbi;
}
