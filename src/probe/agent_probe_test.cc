// SPDX-License-Identifier: Apache-2.0
// The client against an agent that answers as it is told.
#include "probe/agent_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <thread>

namespace modicum {
namespace {

using testing::HasSubstr;

// One client at a time, one answer to each request.
class ScriptedAgent {
 public:
  explicit ScriptedAgent(const std::string& root)
      : path_(root + std::string(kAgentSocket)) {
    std::filesystem::create_directories(
        std::filesystem::path(path_).parent_path());
    unlink(path_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address),
        0);
    EXPECT_EQ(listen(listener_, 4), 0);
    thread_ = std::thread([this] { Run(); });
  }
  ~ScriptedAgent() {
    shutdown(listener_, SHUT_RDWR);
    Hang();
    thread_.join();
    close(listener_);
  }

  void Answer(std::string text) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(text);
  }
  // Ends the connection that is open.
  void Hang() {
    const std::lock_guard lock(mutex_);
    if (client_ >= 0) shutdown(client_, SHUT_RDWR);
  }

 private:
  void Run() {
    while (true) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      {
        const std::lock_guard lock(mutex_);
        client_ = fd;
      }
      char buffer[64];
      while (recv(fd, buffer, sizeof buffer, 0) > 0) {
        const std::lock_guard lock(mutex_);
        send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
      const std::lock_guard lock(mutex_);
      client_ = -1;
      close(fd);
    }
  }

  const std::string path_;
  std::mutex mutex_;
  std::string answer_;
  int listener_ = -1;
  int client_ = -1;
  std::thread thread_;
};

class AgentProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/modicum-agent-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static std::string Message(double cpu, double dram = 0, int gaps = 0,
                             const std::string& instance = "one") {
    const auto counter = [gaps](const char* name, const char* component,
                                double joules) {
      return DomainCounter{
          {name, component, Scope::kPackage, Origin::kCounter, true},
          "rapl",
          Seconds(0.02),
          {{InternSource("RAPL"), 0.05}},
          Joules(joules),
          gaps};
    };
    return WriteAgentMessage({instance,
                              {counter("package-0", "cpu", cpu),
                               counter("dram-0", "dram", dram)}}) +
           "\n";
  }

  static Result<std::unique_ptr<Probe>> OpenUnder(const std::string& root) {
    return AgentProbe::Open({RootFs(root), HostFacts{}});
  }
  Result<std::unique_ptr<Probe>> Open() { return OpenUnder(root_); }

  std::string root_;
};

TEST_F(AgentProbeTest, ReadsWhatTheAgentCounted) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100, 10));
  const auto probe = Open();
  ASSERT_TRUE(probe) << probe.error().message;
  ASSERT_EQ((*probe)->domains().size(), 2u);
  EXPECT_EQ((*probe)->domains()[1].name, "dram-0");
  EXPECT_EQ((*probe)->update_period(), Seconds(0.02));
  ASSERT_EQ((*probe)->relative_errors().size(), 1u);
  agent.Answer(Message(130, 12));
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_TRUE(deltas);
  EXPECT_EQ((*deltas)[0].energy, Joules(30));
  EXPECT_EQ((*deltas)[1].energy, Joules(2));
  EXPECT_FALSE((*deltas)[0].gap);
  // Nothing new is nothing drawn.
  EXPECT_EQ((*(*probe)->Read(MonotonicTime{}))[0].energy, Joules(0));
}

TEST_F(AgentProbeTest, AnAgentStartedAnewIsAGapAndThenGoesOn) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  agent.Hang();
  EXPECT_FALSE((*probe)->Read(MonotonicTime{}));
  agent.Answer(Message(120, 0, 0, "two"));
  const auto gap = (*probe)->Read(MonotonicTime{});
  ASSERT_TRUE(gap) << gap.error().message;
  EXPECT_TRUE((*gap)[0].gap);
  agent.Answer(Message(125, 0, 0, "two"));
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_TRUE(deltas);
  EXPECT_FALSE((*deltas)[0].gap);
  EXPECT_EQ((*deltas)[0].energy, Joules(5));
}

TEST_F(AgentProbeTest, AConnectionThatIsLostLosesNoEnergy) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  agent.Hang();
  EXPECT_FALSE((*probe)->Read(MonotonicTime{}));
  agent.Answer(Message(150));
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_TRUE(deltas);
  EXPECT_EQ((*deltas)[0].energy, Joules(50));
}

TEST_F(AgentProbeTest, ItsGapsAreGapsHere) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  agent.Answer(Message(110, 0, 1));
  EXPECT_TRUE((*(*probe)->Read(MonotonicTime{}))[0].gap);
  agent.Answer(Message(90, 0, 1));  // no counter does that
  EXPECT_TRUE((*(*probe)->Read(MonotonicTime{}))[0].gap);
}

TEST_F(AgentProbeTest, WhatIsNoAnswerIsAFailedReadAndTheNextTriesAgain) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  for (const std::string& answer :
       {std::string("no json\n"), std::string("{}\n"),
        std::string(kMostAgentMessage + 1, 'x')}) {
    agent.Answer(answer);
    const auto deltas = (*probe)->Read(MonotonicTime{});
    ASSERT_FALSE(deltas);
    EXPECT_EQ(deltas.error().code, ErrorCode::kRetry);
  }
  agent.Answer(Message(101));
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_TRUE(deltas) << deltas.error().message;
  EXPECT_EQ((*deltas)[0].energy, Joules(1));
}

TEST_F(AgentProbeTest, OneThatHangsDoesNotHangUs) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  agent.Answer("");
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_FALSE(deltas);
  EXPECT_THAT(deltas.error().message, HasSubstr("does not answer"));
}

TEST_F(AgentProbeTest, AnotherMachinesDomainsAreNoneOfOurs) {
  ScriptedAgent agent(root_);
  agent.Answer(Message(100));
  const auto probe = Open();
  ASSERT_TRUE(probe);
  agent.Answer(WriteAgentMessage({"two", {}}) + "\n");
  const auto deltas = (*probe)->Read(MonotonicTime{});
  ASSERT_FALSE(deltas);
  EXPECT_THAT(deltas.error().message, HasSubstr("meters something else"));
}

TEST_F(AgentProbeTest, ModelsAndDevicesAreNotTakenFromIt) {
  ScriptedAgent agent(root_);
  AgentMessage message{"one", {}};
  message.counters.push_back(
      {{"cpu", "cpu", Scope::kPackage, Origin::kModelled}, "cpu-load", {}, {}});
  message.counters.push_back(
      {{"gpu-0", "gpu", Scope::kDevice, Origin::kCounter}, "nvml", {}, {}});
  agent.Answer(WriteAgentMessage(message) + "\n");
  const auto probe = Open();
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(probe.error().message, HasSubstr("has no counter"));
}

TEST_F(AgentProbeTest, NoAgentIsUnavailable) {
  const auto none = Open();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(none.error().message,
            "no agent listens at " + root_ + std::string(kAgentSocket));
  { const ScriptedAgent agent(root_); }
  const auto ended = Open();
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("has ended"));
  const auto far = OpenUnder(std::string(200, 'x'));
  ASSERT_FALSE(far);
  EXPECT_THAT(far.error().message, HasSubstr("too long a path"));
}

}  // namespace
}  // namespace modicum
