// SPDX-License-Identifier: Apache-2.0
#include "record/start_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "base/trim.h"

namespace modicum {
namespace {

using testing::IsEmpty;

// Inside a test, Run is a member of its class.
using Runs = std::vector<Run>;

constexpr char kOuter[] = "0b3c0000-0000-4000-8000-00000000000a";

HostFacts Host() {
  HostFacts host;
  host.boot = "this";
  return host;
}

Run Ended(int64_t from, int64_t to) {
  Run run = StartRun("run", "x", "", Host(), {from * 1'000'000});
  run.ended = {to * 1'000'000};
  run.status = RunStatus::kOk;
  run.bill = Bill{};
  return run;
}

class StartRunTest : public testing::Test {
 protected:
  ~StartRunTest() override { unsetenv(kRunVariable); }
};

TEST_F(StartRunTest, IsInsideTheRunThatStartedThisProcess) {
  EXPECT_THAT(Ended(0, 1).tags, IsEmpty());
  setenv(kRunVariable, kOuter, 1);
  EXPECT_EQ(Ended(0, 1).tags.at(kInsideTag), kOuter);
  for (const char* none : {"", "17", "0B3C0000-0000-4000-8000-00000000000A",
                           "0b3c0000-0000-4000-8000-00000000000a "}) {
    setenv(kRunVariable, none, 1);
    EXPECT_THAT(Ended(0, 1).tags, IsEmpty()) << none;
  }
}

class EndIfLostTest : public testing::Test {
 protected:
  EndIfLostTest() {
    run_ = StartRun("run", "x", "", {}, {});
    run_.host.boot = Trim(*ReadFile("/proc/sys/kernel/random/boot_id"));
  }
  RunStatus StatusWith(const std::string& process) {
    auto run = run_;
    run.tags[kProcessTag] = process;
    EndIfLost(run);
    EXPECT_FALSE(run.tags.contains(kProcessTag));
    return run.status;
  }
  static std::string ThisHost() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
  }
  // Of one that is no more.
  static std::string DeadProcess() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return std::to_string(child) +
           ThisProcess().substr(ThisProcess().find(' '));
  }

  Runs::value_type run_;
};

TEST_F(EndIfLostTest, IsInterruptedWhereItsProcessIsGone) {
  EXPECT_EQ(StatusWith(ThisProcess()), RunStatus::kRunning);
  EXPECT_EQ(StatusWith(DeadProcess()), RunStatus::kInterrupted);
  run_.status = RunStatus::kOk;
  EXPECT_EQ(StatusWith(DeadProcess()), RunStatus::kOk);
}

TEST_F(EndIfLostTest, OfAnotherNamespaceOrMachineNothingIsKnown) {
  const std::string dead = DeadProcess();
  EXPECT_EQ(StatusWith(dead.substr(0, dead.find(' ')) + " pid:[1]"),
            RunStatus::kRunning);
  EXPECT_EQ(StatusWith(""), RunStatus::kRunning);
  EXPECT_EQ(StatusWith("x y"), RunStatus::kRunning);
  run_.host.boot = "another";
  EXPECT_EQ(StatusWith(dead), RunStatus::kRunning);
  run_.host.hostname = ThisHost();  // it was started again
  EXPECT_EQ(StatusWith(ThisProcess()), RunStatus::kInterrupted);
}

class FindInsideTest : public testing::Test {
 protected:
  FindInsideTest() {
    runs_ = {Ended(0, 100), Ended(10, 90)};
    runs_[1].tags[kInsideTag] = runs_[0].id.text;
  }
  size_t Found() { return FindInside(runs_).size(); }

  Runs runs_;
};

TEST_F(FindInsideTest, IsWhatTheOtherHolds) {
  const RunsInside inside = FindInside(runs_);
  ASSERT_EQ(inside.size(), 1U);
  EXPECT_EQ(inside.at(runs_[1].id.text), &runs_[0]);
}

TEST_F(FindInsideTest, TheOtherMustBeAmongThem) {
  runs_[1].tags[kInsideTag] = kOuter;
  EXPECT_EQ(Found(), 0U);
  runs_[1].tags[kInsideTag] = runs_[1].id.text;  // itself
  EXPECT_EQ(Found(), 0U);
}

TEST_F(FindInsideTest, AnotherMachinesIsNone) {
  runs_[1].host.boot = "another";
  EXPECT_EQ(Found(), 0U);
}

TEST_F(FindInsideTest, OneThatOutlivesTheOtherIsNone) {
  runs_[1].ended = {105 * 1'000'000};
  EXPECT_EQ(Found(), 0U);
}

TEST_F(FindInsideTest, WhatWasNotMeteredOrStillRunsHoldsNothing) {
  runs_[0].status = RunStatus::kRunning;
  EXPECT_EQ(Found(), 0U);
  runs_[0].status = RunStatus::kFailed;  // it was metered all the same
  EXPECT_EQ(Found(), 1U);
  runs_[0].bill.reset();
  EXPECT_EQ(Found(), 0U);
}

}  // namespace
}  // namespace modicum
