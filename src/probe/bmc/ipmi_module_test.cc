// SPDX-License-Identifier: Apache-2.0
// The module against ipmi_sim, the simulator of a BMC that OpenIPMI has, over
// RMCP+ on loopback. Skipped where it is not installed (Debian: openipmi).
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/module_library.h"
#include "probe/bmc_probe.h"
#include "probe/test_machines.h"

namespace modicum {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSimulator[] = "/usr/bin/ipmi_sim";

// A UDP port that nobody has now.
int FreePort() {
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket_fd);
  return ntohs(address.sin_port);
}

class IpmiTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access(kSimulator, X_OK) != 0)
      GTEST_SKIP() << kSimulator << " is not installed";
    std::string name = "/tmp/modicum-ipmi-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    port_ = FreePort();
    Draw("215");
    WriteConfiguration();
    StartSimulator();
    Set("HOST", "127.0.0.1:" + std::to_string(port_));
    Set("USER", "meter");
    Set("PASSWORD", "s3cret");
    // The simulator gives the extensions of groups to administrators alone.
    Set("PRIVILEGE", "admin");
  }
  void TearDown() override {
    for (const char* name : {"HOST", "USER", "PASSWORD", "PRIVILEGE"})
      unsetenv(("MODICUM_IPMI_" + std::string(name)).c_str());
    if (simulator_ > 0) {
      kill(simulator_, SIGKILL);
      waitpid(simulator_, nullptr, 0);
    }
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  static void Set(const std::string& name, const std::string& value) {
    setenv(("MODICUM_IPMI_" + name).c_str(), value.c_str(), 1);
  }
  void Draw(const std::string& text) const {
    std::ofstream(folder_ + "/watts.new") << text << "\n";
    std::filesystem::rename(folder_ + "/watts.new", folder_ + "/watts");
  }

  void WriteConfiguration() const {
    std::filesystem::create_directories(folder_ + "/state");
    std::ofstream(folder_ + "/lan.conf")
        << "name \"modicum\"\nset_working_mc 0x20\n  startlan 1\n"
        << "    addr 127.0.0.1 " << port_ << "\n    priv_limit admin\n"
        << "    allowed_auths_user none md5\n"
        << "    allowed_auths_admin none md5\n"
        << "    guid a123456789abcdefa123456789abcdef\n  endlan\n"
        << "  user 2 true \"meter\" \"s3cret\" admin 10 none md5\n"
        << "loadlib \"" MODICUM_BINARY_DIR "/bin/libfake-dcmi.so\" \""
        << folder_ << "/watts\"\n";
    std::ofstream(folder_ + "/sim.cmd")
        << "mc_setbmc 0x20\n"
        << "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 "
           "persist_sdr\nmc_enable 0x20\n";
  }
  void StartSimulator() {
    const std::string configuration = folder_ + "/lan.conf";
    const std::string commands = folder_ + "/sim.cmd";
    const std::string state = folder_ + "/state";
    const std::string log = folder_ + "/log";
    const char* arguments[] = {
        kSimulator,       "-c", configuration.c_str(), "-f",
        commands.c_str(), "-s", state.c_str(),         "-n",
        nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {1, 2})
      posix_spawn_file_actions_addopen(&actions, fd, log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_EQ(posix_spawn(&simulator_, kSimulator, &actions, nullptr,
                          const_cast<char* const*>(arguments), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
  }

  // It takes a moment to listen.
  Result<std::unique_ptr<Probe>> Open() const {
    auto probe = OpenIpmi({fs_, HostFacts{}, At(0)});
    for (int tries = 0;
         tries < 5 && !probe && probe.error().code == ErrorCode::kRetry;
         ++tries)
      probe = OpenIpmi({fs_, HostFacts{}, At(0)});
    return probe;
  }

  std::string folder_;
  int port_ = 0;
  pid_t simulator_ = 0;
  const RootFs fs_{"/nonexistent"};
};

TEST_F(IpmiTest, TheWholeMachineByDcmiOverTheNetwork) {
  const auto probe = Open();
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  const Domain& domain = (*probe)->domains()[0];
  EXPECT_EQ(domain.name, "ipmi");
  EXPECT_EQ(domain.component, "wall");
  EXPECT_EQ(domain.origin, Origin::kSensor);
  EXPECT_EQ((*(*probe)->Read(At(1)))[0].energy, Joules(215));
  Draw("180");
  for (int tries = 0; tries < 100; ++tries) {
    const auto deltas = (*probe)->Read(At(2 + tries));
    ASSERT_TRUE(deltas.has_value()) << deltas.error().message;
    if ((*deltas)[0].energy == Joules(180)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "the new value never came";
}

TEST_F(IpmiTest, ABmcWithoutDcmiSaysSo) {
  Draw("code 193");
  const auto probe = Open();
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(probe.error().message, "the BMC has no DCMI");
}

TEST_F(IpmiTest, ThePrivilegeThatIsMissingIsSaid) {
  Set("PRIVILEGE", "user");
  const auto probe = Open();
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kPermission);
  EXPECT_EQ(probe.error().message,
            "the BMC does not let this user read its power");
  EXPECT_THAT(probe.error().hint, HasSubstr("MODICUM_IPMI_PRIVILEGE"));
  Set("PRIVILEGE", "root");
  EXPECT_EQ(Open().error().message, "MODICUM_IPMI_PRIVILEGE is none: 'root'");
}

TEST_F(IpmiTest, AWrongPasswordIsRefusedAndNotShown) {
  ASSERT_TRUE(Open().has_value());
  Set("PASSWORD", "wr0ng");
  const auto probe = OpenIpmi({fs_, HostFacts{}, At(0)});
  ASSERT_FALSE(probe.has_value());
  EXPECT_EQ(probe.error().code, ErrorCode::kPermission)
      << probe.error().message;
  EXPECT_THAT(probe.error().message, Not(HasSubstr("wr0ng")));
}

TEST_F(IpmiTest, ABmcThatGoesAwayIsAGap) {
  const auto probe = Open();
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  kill(simulator_, SIGKILL);
  waitpid(simulator_, nullptr, 0);
  simulator_ = 0;
  for (int tries = 0; tries < 300; ++tries) {
    const auto deltas = (*probe)->Read(At(1 + tries));
    if (!deltas) {
      EXPECT_NE(deltas.error().message, "");
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "it was never missed";
}

TEST(IpmiModule, WhatIsTooLongForIpmiIsSaid) {
  setenv("MODICUM_IPMI_HOST", "127.0.0.1", 1);
  setenv("MODICUM_IPMI_PASSWORD", "twenty-one characters", 1);
  const RootFs fs("/nonexistent");
  const auto report = ReportIpmi({fs, HostFacts{}, At(0)});
  unsetenv("MODICUM_IPMI_HOST");
  unsetenv("MODICUM_IPMI_PASSWORD");
  EXPECT_EQ(report.reason, "MODICUM_IPMI_PASSWORD is too long for IPMI");
}

// Where there is no driver, that is said; where there is one, it answers.
TEST(IpmiModule, AsksThisMachinesOwnBmc) {
  const auto library = ModuleLibrary::Open("ipmi", ModuleFolders());
  ASSERT_TRUE(library.has_value()) << library.error().message;
  const auto open = library->Symbol<OpenBmcFunction>("modicum_ipmi");
  const auto meter =
      open([](const std::string&) -> std::optional<std::string> { return {}; });
  if (meter) {
    EXPECT_THAT((*meter)->covers(), HasSubstr("/dev/ipmi0"));
    return;
  }
  EXPECT_THAT(meter.error().message, testing::StartsWith("/dev/ipmi0"));
  EXPECT_NE(meter.error().hint, "");
}

TEST(IpmiModule, WithoutADeviceOrAnAddressThereIsNone) {
  const RootFs fs("/nonexistent");
  const auto report = ReportIpmi({fs, HostFacts{}, At(0)});
  EXPECT_FALSE(report.usable);
  EXPECT_EQ(report.reason, "there is no /dev/ipmi0, and no BMC is named");
  EXPECT_THAT(report.cure, HasSubstr("modprobe ipmi_si ipmi_devintf"));
}

}  // namespace
}  // namespace modicum
