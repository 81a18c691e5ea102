// SPDX-License-Identifier: Apache-2.0
// For tests: an endpoint on loopback that answers as it is told.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace modicum {

class ChatServer {
 public:
  using Handler =
      std::function<void(const httplib::Request&, httplib::Response&)>;

  explicit ChatServer(Handler handler) {
    server_.Post("/v1/chat/completions", [this, handler = std::move(handler)](
                                             const httplib::Request& request,
                                             httplib::Response& response) {
      ++requests_;
      handler(request, response);
    });
    server_.set_tcp_nodelay(true);  // an answer is small: 40 ms each else
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~ChatServer() { server_.stop(); }
  ChatServer(const ChatServer&) = delete;
  ChatServer& operator=(const ChatServer&) = delete;

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
  }
  int requests() const { return requests_; }

  static std::string Completion(const std::string& text) {
    return R"({"choices": [{"message": {"role": "assistant", "content": ")" +
           text +
           R"("}}], "usage": {"prompt_tokens": 40, "completion_tokens": 2}})";
  }
  static void Answer(httplib::Response& response, const std::string& text) {
    response.set_content(Completion(text), "application/json");
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  std::jthread thread_;
};

}  // namespace modicum
