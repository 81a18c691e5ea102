// SPDX-License-Identifier: Apache-2.0
#include "meter/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "base/file.h"

namespace modicum {
namespace {

ChildExit RunShell(const std::string& script) {
  auto child = Child::Start({"sh", "-c", script});
  EXPECT_TRUE(child);
  return (*child)->Wait();
}

Error StartError(const std::string& program) {
  const auto child = Child::Start({program});
  EXPECT_FALSE(child);
  return child.error();
}

TEST(Child, GivesTheExitCode) {
  EXPECT_EQ(RunShell("exit 0").shell_code(), 0);
  EXPECT_EQ(RunShell("exit 37").shell_code(), 37);
}

TEST(Child, ASignalIs128PlusItsNumber) {
  const ChildExit exit = RunShell("kill -KILL $$");
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.shell_code(), 137);
  EXPECT_FALSE(exit.asked);
}

TEST(Child, ACommandThatIsNotThere) {
  const Error error = StartError("modicum-no-such-command");
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.message,
            "cannot run 'modicum-no-such-command': command not found");
  EXPECT_EQ(error.hint,
            "check the spelling, or give its path: ./modicum-no-such-command");
  EXPECT_EQ(StartError("./no-such-file").message,
            "cannot run './no-such-file': no such file");
}

TEST(Child, AFileThatCannotBeRun) {
  const std::string path = testing::TempDir() + "child_test_script";
  ASSERT_TRUE(WriteFileAtomically(path, "not a program\n"));
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  Error error = StartError(path);
  EXPECT_EQ(error.code, ErrorCode::kPermission);
  EXPECT_EQ(error.message, "cannot run '" + path + "': not executable");
  EXPECT_EQ(error.hint, "chmod +x " + path);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  error = StartError(path);
  EXPECT_EQ(error.code, ErrorCode::kPermission);
  EXPECT_EQ(error.message, "cannot run '" + path + "': not a program");
  unlink(path.c_str());
}

TEST(Child, ASignalToUsIsPassedOnAndWeGoOn) {
  auto child = Child::Start({"sleep", "600"});
  ASSERT_TRUE(child);
  kill(getpid(), SIGTERM);
  const ChildExit exit = (*child)->Wait();
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_TRUE(exit.asked);
}

TEST(Child, EndsWithinTellsTheLivingFromTheEnded) {
  auto child = Child::Start({"sleep", "600"});
  ASSERT_TRUE(child);
  EXPECT_FALSE((*child)->EndsWithin(Milliseconds(1)));
  kill((*child)->pid(), SIGKILL);
  EXPECT_TRUE((*child)->EndsWithin(Seconds(600)));
  EXPECT_EQ((*child)->Wait().signal, SIGKILL);
}

TEST(Child, HandlersAreRestored) {
  struct sigaction before {};
  sigaction(SIGINT, nullptr, &before);
  RunShell("exit 0");
  struct sigaction after {};
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST(Child, ProcessesThatOutliveTheCommandAreReported) {
  EXPECT_FALSE(RunShell("exit 0").survivors);
  // The pipe's reader end tells the survivor to end.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string in = std::to_string(ends[0]);
  ASSERT_EQ(fcntl(ends[1], F_SETFD, FD_CLOEXEC), 0);
  const ChildExit exit = RunShell("(read x <&" + in + " &); exit 5");
  EXPECT_EQ(exit.code, 5);
  EXPECT_TRUE(exit.survivors);
  close(ends[1]);
  close(ends[0]);
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST(Child, SignalsHaveNames) {
  EXPECT_EQ(SignalName(9), "KILL");
  EXPECT_EQ(SignalName(99), "signal 99");
}

}  // namespace
}  // namespace modicum
