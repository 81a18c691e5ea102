// SPDX-License-Identifier: Apache-2.0
#include "meter/cgroup.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

const std::string kId =
    "4f3a0c12ab4599d0e1f24f3a0c12ab4599d0e1f24f3a0c12ab4599d0e1f20123";

TEST(CgroupPath, OfTheUnifiedHierarchy) {
  EXPECT_EQ(CgroupPath("0::/system.slice/nginx.service\n"),
            "/system.slice/nginx.service");
  EXPECT_EQ(CgroupPath("0::/\n"), "/");
}

TEST(CgroupPath, OfTheCpuControllerWhereTheUnifiedOneIsEmpty) {
  EXPECT_EQ(CgroupPath("12:memory:/m\n3:cpu,cpuacct:/docker/x\n"
                       "1:name=systemd:/s\n0::/\n"),
            "/docker/x");
  EXPECT_EQ(CgroupPath("1:name=systemd:/s\n"), "/s");
}

TEST(CgroupPath, OfBrokenText) {
  EXPECT_EQ(CgroupPath(""), "");
  EXPECT_EQ(CgroupPath("0:"), "");
  EXPECT_EQ(CgroupPath("nonsense\n0::/a:b\n"), "/a:b");
}

TEST(CgroupName, Containers) {
  EXPECT_EQ(CgroupName("/system.slice/docker-" + kId + ".scope"),
            "docker 4f3a0c12ab45");
  EXPECT_EQ(CgroupName("/docker/" + kId), "docker 4f3a0c12ab45");
  EXPECT_EQ(CgroupName("/machine.slice/libpod-" + kId + ".scope/container"),
            "podman 4f3a0c12ab45");
  EXPECT_EQ(CgroupName("/lxc.payload.web/system.slice/a.service"), "lxc web");
}

TEST(CgroupName, PodsOfBothDrivers) {
  EXPECT_EQ(
      CgroupName("/kubepods.slice/kubepods-burstable.slice/"
                 "kubepods-burstable-pod8f2c0d1e_1b2c_4d5e_8f90_a1b2c3d4e5f6"
                 ".slice/cri-containerd-" +
                 kId + ".scope"),
      "pod 8f2c0d1e container 4f3a0c12ab45");
  EXPECT_EQ(
      CgroupName(
          "/kubepods/besteffort/pod8f2c0d1e-1b2c-4d5e-8f90-a1b2c3d4e5f6/" +
          kId),
      "pod 8f2c0d1e container 4f3a0c12ab45");
  EXPECT_EQ(CgroupName("/kubepods/pod8f2c0d1e-1b2c"), "pod 8f2c0d1e");
}

TEST(CgroupName, SlurmStepsOfBothVersions) {
  EXPECT_EQ(CgroupName("/slurm/uid_1000/job_42/step_0/task_1"),
            "slurm job 42 step 0");
  EXPECT_EQ(CgroupName("/system.slice/slurmstepd.scope/job_7/step_batch/user"),
            "slurm job 7 step batch");
}

TEST(CgroupName, UnitsAndUsers) {
  EXPECT_EQ(CgroupName("/system.slice/nginx.service"), "nginx.service");
  EXPECT_EQ(CgroupName("/user.slice/user-1000.slice/session-3.scope"),
            "user 1000 session-3");
  EXPECT_EQ(CgroupName("/user.slice/user-1000.slice/user@1000.service/app.slice"
                       "/app-org\\x2dfirefox-12.scope"),
            "app-org-firefox-12");
  EXPECT_EQ(CgroupName("/user.slice/user-1000.slice/user@1000.service/x"),
            "user 1000");
  EXPECT_EQ(CgroupName("/system.slice/broken\\x2.service"),
            "broken\\x2.service");
}

TEST(CgroupName, AnUnknownCustomKeepsItsPath) {
  EXPECT_EQ(CgroupName("/"), "/");
  EXPECT_EQ(CgroupName("/my/own"), "/my/own");
  EXPECT_EQ(CgroupName("/docker/short"), "/docker/short");
}

}  // namespace
}  // namespace modicum
