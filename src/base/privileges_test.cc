// SPDX-License-Identifier: Apache-2.0
// In a child each: what is given up stays given up.
#include "base/privileges.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace modicum {
namespace {

// The exit code of a child that calls `check`.
template <class Check>
int InChild(Check check) {
  const pid_t child = fork();
  if (child == 0) _exit(check());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A line of /proc/self/status: "0000000000000000" for "CapEff:".
std::string OwnStatus(const std::string& key) {
  std::ifstream file("/proc/thread-self/status");
  for (std::string word, value; file >> word;)
    if (word == key && file >> value) return value;
  return "";
}

TEST(DropCapabilities, LeavesNone) {
  EXPECT_EQ(InChild([] {
              DropCapabilities();
              for (const char* set : {"CapEff:", "CapPrm:", "CapInh:"})
                if (OwnStatus(set) != "0000000000000000") return 1;
              return 0;
            }),
            0);
}

TEST(DropPrivileges, BecomesTheUserForGood) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  EXPECT_EQ(InChild([] {
              if (!DropPrivileges("nobody")) return 1;
              const uid_t nobody = getpwnam("nobody")->pw_uid;
              if (getuid() != nobody || geteuid() != nobody) return 2;
              if (setuid(0) == 0 || seteuid(0) == 0) return 3;
              if (getgroups(0, nullptr) != 0) return 4;
              if (OwnStatus("CapEff:") != "0000000000000000") return 5;
              return OwnStatus("NoNewPrivs:") == "1" ? 0 : 6;
            }),
            0);
}

TEST(DropPrivileges, AnUnknownUserIsAnErrorAndNothingIsGivenUp) {
  const auto status = DropPrivileges("nobody-has-this-name");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(status.error().message,
            "--user: there is no user 'nobody-has-this-name'");
  EXPECT_EQ(OwnStatus("NoNewPrivs:"), "0");
}

TEST(DropPrivileges, OnlyRootBecomesAnother) {
  EXPECT_EQ(
      InChild([] {
        if (geteuid() == 0 && !DropPrivileges("nobody")) return 1;
        const auto status = DropPrivileges("root");
        return !status && status.error().code == ErrorCode::kPermission ? 0 : 2;
      }),
      0);
}

}  // namespace
}  // namespace modicum
