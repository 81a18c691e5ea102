// SPDX-License-Identifier: Apache-2.0
// Trials with programs that behave as a child may: pass, refuse, crash, hang;
// and what a child can no longer do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "dataset/temp_folder.h"
#include "model/ggml/sandbox.h"
#include "model/gguf/random_network.h"
#include "model/neural.h"

namespace modicum {
namespace {

class NetworkTrialTest : public testing::Test {
 protected:
  NetworkTrialTest() : network_(folder_.path() + "/network.gguf") {
    MODICUM_CHECK(WriteRandomNetwork({}, network_).has_value());
  }
  ~NetworkTrialTest() override { GuardNetworks({}); }

  // Files are tried by this shell script, which also counts its calls.
  void Guard(const std::string& script) {
    const std::string program =
        folder_.Write("program", "#!/bin/sh\necho \"$*\" >> " + folder_.path() +
                                     "/calls\n" + script + "\n");
    chmod(program.c_str(), 0755);
    GuardNetworks({program, folder_.path() + "/store/known"});
  }
  Status Open(const CallOptions& call = {},
              std::vector<std::string> adapters = {}) {
    NeuralSettings settings;
    settings.threads = 1;
    settings.lora = std::move(adapters);
    NullSink sink;
    MODICUM_TRY(NeuralEngine* const engine, FindNeuralEngine());
    return engine->Open(network_, settings, {}, call, sink)
        .map([](const auto&) {});
  }
  size_t Calls() const {
    const auto calls = ReadFile(folder_.path() + "/calls");
    return calls ? static_cast<size_t>(
                       std::count(calls->begin(), calls->end(), '\n'))
                 : 0;
  }

  const TempFolder folder_;
  const std::string network_;
};

TEST_F(NetworkTrialTest, AFileIsTriedUntilItPassed) {
  Guard("exit 0");
  EXPECT_TRUE(Open());
  EXPECT_TRUE(Open());
  EXPECT_EQ(Calls(), 1U);
  EXPECT_EQ(*ReadFile(folder_.path() + "/calls"),
            "try-network " + network_ + "\n");
  // Another file at the same place.
  ASSERT_TRUE(WriteRandomNetwork({.seed = 2}, network_));
  EXPECT_TRUE(Open());
  EXPECT_EQ(Calls(), 2U);
}

TEST_F(NetworkTrialTest, AdaptersAreTriedWithTheirNetwork) {
  Guard("exit 0");
  const std::string adapter = folder_.Write("a.gguf", "no adapter");
  EXPECT_TRUE(Open());
  // What the child let pass is checked here again.
  EXPECT_FALSE(Open({}, {adapter + ":0.5"}));
  EXPECT_FALSE(Open({}, {adapter}));
  EXPECT_EQ(*ReadFile(folder_.path() + "/calls"),
            "try-network " + network_ + "\ntry-network " + network_ + " " +
                adapter + "\n");
  Guard("kill -ABRT $$");
  folder_.Write("a.gguf", "another one");
  EXPECT_EQ(Open({}, {adapter}).error().message,
            network_ + " with " + adapter +
                ": a child process that loaded it did not survive (signal 6, "
                "Aborted), so it is not loaded here");
}

TEST_F(NetworkTrialTest, ACrashIsOneErrorAndNotForgotten) {
  Guard("echo 'GGML_ASSERT failed' >&2; kill -ABRT $$");
  for (int i = 1; i <= 2; ++i) {
    const Status opened = Open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(opened.error().message,
              network_ +
                  ": a child process that loaded it did not survive (signal 6, "
                  "Aborted), so it is not loaded here");
    EXPECT_EQ(Calls(), static_cast<size_t>(i));
  }
  GuardNetworks({});  // --trust
  EXPECT_TRUE(Open());
}

TEST_F(NetworkTrialTest, WhatTheChildRefusesIsItsError) {
  Guard("printf '%s\\n%s\\n%s' " +
        std::to_string(static_cast<int>(ErrorCode::kUnavailable)) +
        " 'no such thing' 'do that'; exit 1");
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(opened.error().message, "no such thing");
  EXPECT_EQ(opened.error().hint, "do that");
  Guard("echo nonsense; exit 1");
  EXPECT_THAT(Open().error().message, testing::HasSubstr("(exit code 1)"));
}

TEST_F(NetworkTrialTest, ItEndsWhereTheCallDoes) {
  Guard("exec sleep 100");
  CallOptions call;
  std::stop_source stop;
  call.stop = stop.get_token();
  const std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const Status opened = Open(call);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInterrupted);
}

TEST_F(NetworkTrialTest, AProgramThatIsNotThereIsSaid) {
  GuardNetworks({"/none/program", folder_.path() + "/known"});
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
}

// Ends with the number of the first thing that was not as it must be.
[[noreturn]] void TryToEscape(const std::string& folder) {
  const std::string file = folder + "/file";
  if (!EnterSandbox({Bytes(8e9), Seconds(30)})) _exit(1);
  const auto denied = [](int result) { return result < 0 && errno == EPERM; };
  if (!denied(socket(AF_INET, SOCK_STREAM, 0))) _exit(2);
  if (!denied(open(file.c_str(), O_WRONLY))) _exit(3);
  if (!denied(open((file + "2").c_str(), O_RDONLY | O_CREAT, 0600))) _exit(4);
  if (!denied(unlink(file.c_str()))) _exit(5);
  if (!denied(rename(file.c_str(), (file + "3").c_str()))) _exit(6);
  if (!denied(mkdir((file + "4").c_str(), 0700))) _exit(7);
  if (!denied(execl("/bin/true", "true", nullptr))) _exit(8);
  if (!denied(kill(getppid(), 0))) _exit(9);
  if (!denied(truncate(file.c_str(), 0))) _exit(10);
  if (open(file.c_str(), O_RDONLY) < 0) _exit(11);
  rlimit limit{};
  getrlimit(RLIMIT_CPU, &limit);
  if (limit.rlim_max > 30) _exit(12);
  if (fork() >= 0) _exit(13);
  if (syscall(SYS_tgkill, getppid(), getppid(), 0) == 0) _exit(14);
  if (raise(SIGURG) != 0) _exit(15);
  std::thread([] {}).join();
  _exit(0);
}

TEST_F(NetworkTrialTest, AChildCanOnlyReadAndCompute) {
  folder_.Write("file", "text");
  EXPECT_EXIT(TryToEscape(folder_.path()), testing::ExitedWithCode(0), "");
  EXPECT_EQ(*ReadFile(folder_.path() + "/file"), "text");
}

using Words = std::vector<std::string>;

// The trial itself, in a fork of this program.
TEST_F(NetworkTrialTest, LoadsEveryKindOfNetwork) {
  const auto engine = FindNeuralEngine();
  ASSERT_TRUE(engine);
  const auto network = [&](const RandomNetwork& kind) {
    const std::string path = folder_.path() + "/tried.gguf";
    MODICUM_CHECK(WriteRandomNetwork(kind, path).has_value());
    return path;
  };
  for (const RandomNetwork& kind :
       {RandomNetwork{}, RandomNetwork{.architecture = "bert"},
        RandomNetwork{
            .architecture = "bert", .pooling = 4, .labels = {"a", "b"}}})
    EXPECT_EXIT((*engine)->TryAndEnd(Words{network(kind)}),
                testing::ExitedWithCode(0), "");
  EXPECT_EXIT((*engine)->TryAndEnd(Words{"/none.gguf"}),
              testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace modicum
