// SPDX-License-Identifier: Apache-2.0
// The server of cpp-httplib.
#include "agent/http_endpoint.h"

#include <httplib.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace modicum {
namespace {

constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr size_t kThreads = 4;

constexpr char kIndex[] =
    "<!doctype html><html lang=\"en\"><title>modicum agent</title>"
    "<h1>modicum agent</h1><p><a href=\"/metrics\">metrics</a>, "
    "<a href=\"/health\">health</a></p></html>\n";

class Endpoint final : public HttpEndpoint {
 public:
  explicit Endpoint(std::string address) : address_(std::move(address)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // The library would share the port with whoever has it already.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // Who is slow, or keeps a connection that it does not use, holds a thread.
    server_.set_read_timeout(2);
    server_.set_write_timeout(5);
    server_.set_keep_alive_timeout(1);
    server_.set_payload_max_length(1024);
  }

  ~Endpoint() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status Listen(int port) {
    errno = 0;
    port_ = port == 0 ? server_.bind_to_any_port(address_.c_str())
            : server_.bind_to_port(address_.c_str(), port) ? port
                                                           : -1;
    if (port_ < 0)
      return Fail(ErrorCode::kIo,
                  "cannot listen on " + address_ + ":" + std::to_string(port) +
                      (errno == 0 ? "" : std::string(": ") + strerror(errno)),
                  "--listen ADDRESS:PORT names another, --listen none does "
                  "without");
    return {};
  }

  void Serve(const AgentSource& source) override {
    server_.Get("/metrics", [&source](const auto&, httplib::Response& reply) {
      reply.set_content(PrometheusText(source.metrics()), kTextFormat);
    });
    server_.Get("/health", [&source](const auto&, httplib::Response& reply) {
      const bool healthy = source.healthy();
      reply.status = healthy ? 200 : 503;
      reply.set_content(healthy ? "ok\n" : "no interval has ended lately\n",
                        "text/plain");
    });
    server_.Get("/", [](const auto&, httplib::Response& reply) {
      reply.set_content(kIndex, "text/html; charset=utf-8");
    });
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }

  std::string url() const override {
    const bool six = address_.find(':') != std::string::npos;
    return "http://" + (six ? "[" + address_ + "]" : address_) + ":" +
           std::to_string(port_) + "/metrics";
  }

 private:
  const std::string address_;
  int port_ = -1;
  httplib::Server server_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Open(
    const std::string& address, int port) {
  auto endpoint = std::make_unique<Endpoint>(address);
  MODICUM_RETURN_IF_ERROR(endpoint->Listen(port));
  return endpoint;
}

}  // namespace modicum
