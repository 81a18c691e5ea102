// SPDX-License-Identifier: Apache-2.0
// The local socket on which programs without permission read the agent's
// counters.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace modicum {

// One thread for all clients. Each line of a client is answered by a line; one
// that asks for anything else, does not read its answers, or comes when too
// many are there is disconnected. Thread-safe.
class CounterSocket {
 public:
  // Open to everybody who may reach `path`; its folder is made when missing.
  // A socket left behind by an agent that was killed is replaced; kIo where
  // another agent answers on it.
  static Result<std::unique_ptr<CounterSocket>> Open(const std::string& path);
  ~CounterSocket();
  // Once. `answer` is asked at most once in kAgentRefresh.
  void Serve(std::function<std::string()> answer);

 private:
  struct Client {
    int fd;
    std::string request;
  };
  explicit CounterSocket(std::string path) : path_(std::move(path)) {}
  Status Bind();
  void Run();
  void Accept();
  // False when it is to be disconnected.
  bool Take(Client& client);
  const std::string& Answer();

  const std::string path_;
  std::function<std::string()> answer_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  // a pipe: written to when it is to end
  std::vector<Client> clients_;
  std::string last_;  // answer
  int64_t last_at_ = 0;
  std::thread thread_;
};

}  // namespace modicum
