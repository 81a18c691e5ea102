// SPDX-License-Identifier: Apache-2.0
// The socket with its real client, and with clients that are none.
#include "agent/counter_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "probe/agent_probe.h"

namespace modicum {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CounterSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/modicum-socket-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    path_ = root_ + std::string(kAgentSocket);
  }
  void TearDown() override { fs::remove_all(root_); }

  // A joule more with each answer.
  std::function<std::string()> Counting() {
    return [this] {
      return WriteAgentMessage(
          {"one",
           {{{"package-0", "cpu", Scope::kPackage, Origin::kCounter, true},
             "rapl",
             kAgentRefresh,
             {},
             Joules(++answers_)}}});
    };
  }

  std::unique_ptr<CounterSocket> Serving() {
    auto socket = CounterSocket::Open(path_);
    EXPECT_TRUE(socket) << socket.error().message;
    (*socket)->Serve(Counting());
    return *std::move(socket);
  }

  Result<std::unique_ptr<Probe>> Open() const {
    return AgentProbe::Open({RootFs(root_), HostFacts{}});
  }

  int Connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      return fd;
    close(fd);
    return -1;
  }

  std::string root_, path_;
  std::atomic<int> answers_ = 0;
};

// What it says before it ends the connection.
std::string Rest(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
    text.append(buffer, static_cast<size_t>(n));
  close(fd);
  return text;
}

TEST_F(CounterSocketTest, AProgramMetersWithIt) {
  const auto socket = Serving();
  const auto probe = Open();
  ASSERT_TRUE(probe) << probe.error().message;
  Joules sum;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    const auto deltas = (*probe)->Read(MonotonicTime{});
    ASSERT_TRUE(deltas) << deltas.error().message;
    sum += (*deltas)[0].energy;
  }
  EXPECT_EQ(sum, Joules(answers_ - 1));
}

// The counters of a processor tell what others compute, read finely enough.
TEST_F(CounterSocketTest, NobodyReadsMoreFinelyThanTheRefresh) {
  const auto socket = Serving();
  const auto probe = Open();
  ASSERT_TRUE(probe);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE((*probe)->Read(MonotonicTime{}));
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - began;
  EXPECT_LE(answers_, took.count() / kAgentRefresh.value() + 2);
}

TEST_F(CounterSocketTest, ServesManyAtOnceAndKeepsNothingOfWhoLeft) {
  const auto socket = Serving();
  const auto descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"),
                         fs::directory_iterator());
  };
  const auto before = descriptors();
  {
    std::vector<std::unique_ptr<Probe>> probes;
    for (int i = 0; i < 200; ++i) {
      auto probe = Open();
      ASSERT_TRUE(probe) << probe.error().message;
      probes.push_back(*std::move(probe));
    }
    for (const auto& probe : probes) EXPECT_TRUE(probe->Read(MonotonicTime{}));
  }
  // It notices within a turn of its loop.
  for (int i = 0; i < 200 && descriptors() > before; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(descriptors(), before);
}

TEST_F(CounterSocketTest, WhoAsksForAnythingElseIsDisconnected) {
  const auto socket = Serving();
  for (const std::string& request :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("counter\n"),
        std::string(100'000, 'c')}) {
    const int fd = Connect();
    ASSERT_GE(fd, 0);
    send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    EXPECT_EQ(Rest(fd), "");
  }
  // In pieces it is a request all the same.
  const int fd = Connect();
  for (const char c : kAgentRequest) send(fd, &c, 1, MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
  EXPECT_THAT(Rest(fd), HasSubstr("package-0"));
}

TEST_F(CounterSocketTest, WhoDoesNotReadIsDisconnected) {
  const auto socket = Serving();
  const int fd = Connect();
  ASSERT_GE(fd, 0);
  while (send(fd, kAgentRequest.data(), kAgentRequest.size(), MSG_NOSIGNAL) > 0)
    ;
  close(fd);
  const auto probe = Open();
  EXPECT_TRUE(probe);
}

TEST_F(CounterSocketTest, EverybodyMayOpenItAndItGoesWithTheAgent) {
  {
    const auto socket = Serving();
    struct stat there {};
    ASSERT_EQ(stat(path_.c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777, 0666u);
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(CounterSocketTest, ASecondAgentIsRefusedAndADeadOneReplaced) {
  {
    const auto first = Serving();
    const auto second = CounterSocket::Open(path_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message,
              "an agent answers at " + path_ + " already");
  }
  // As a killed one leaves it.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  ASSERT_TRUE(fs::exists(path_));
  const auto socket = Serving();
  EXPECT_TRUE(Open());
}

TEST_F(CounterSocketTest, WhatIsThereAndNoSocketStays) {
  fs::create_directories(fs::path(path_).parent_path());
  std::ofstream(path_) << "mine";
  const auto socket = CounterSocket::Open(path_);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().message, path_ + " is there and is no socket");
  EXPECT_EQ(fs::file_size(path_), 4u);
}

TEST_F(CounterSocketTest, APathThatCannotBeIsNamed) {
  const auto too_long = CounterSocket::Open("/tmp/" + std::string(200, 'x'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ErrorCode::kInvalidInput);
  const auto nowhere = CounterSocket::Open("/proc/nothing/agent.sock");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().message,
            "cannot make the socket /proc/nothing/agent.sock: No such file or "
            "directory");
}

}  // namespace
}  // namespace modicum
