// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>

namespace modicum {
namespace {

// Returns once the token is asked to stop, which happens on another thread.
void WaitFor(std::stop_token token) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, token, [] { return false; });
}

// The wait status of a child that runs `body`.
template <class Body>
int StatusOf(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(StopSignals, TheFirstSignalAsksToStop) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    const StopSignals signals;
    EXPECT_FALSE(signals.token().stop_requested());
    raise(signal_number);
    WaitFor(signals.token());
    EXPECT_TRUE(signals.token().stop_requested());
  }
}

TEST(StopSignals, TheSecondEndsTheProcess) {
  const int status = StatusOf([] {
    const StopSignals signals;
    raise(SIGINT);
    WaitFor(signals.token());
    raise(SIGINT);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(StopSignals, AnIgnoredSignalStaysIgnored) {
  const int status = StatusOf([] {
    signal(SIGINT, SIG_IGN);
    const StopSignals signals;
    raise(SIGINT);
    raise(SIGINT);
    _exit(signals.token().stop_requested() ? 1 : 0);
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignals, AClosedPipeIsAFailedWrite) {
  const int status = StatusOf([] {
    const StopSignals signals;
    int ends[2];
    if (pipe(ends) != 0) _exit(2);
    close(ends[0]);
    _exit(write(ends[1], "x", 1) < 0 && errno == EPIPE ? 0 : 1);
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignals, AStartedCommandHasTheDefaults) {
  const int status = StatusOf([] {
    const StopSignals signals;
    execl("/bin/sh", "sh", "-c", "kill -PIPE $$; exit 3", nullptr);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGPIPE);
}

TEST(StopSignals, AfterwardsSignalsHaveTheirDefaultEffect) {
  const int status = StatusOf([] {
    { const StopSignals signals; }
    raise(SIGTERM);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

}  // namespace
}  // namespace modicum
