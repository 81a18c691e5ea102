// SPDX-License-Identifier: Apache-2.0
#include "tune/cpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/usable_cpus.h"

namespace modicum {
namespace {

TEST(Cpus, OneOfEachCoreIsFound) {
  const std::string root = testing::TempDir() + "modicum_cpus";
  std::filesystem::remove_all(root);
  for (const int cpu : {0, 1, 2, 3}) {
    const std::string topology = root + "/sys/devices/system/cpu/cpu" +
                                 std::to_string(cpu) + "/topology";
    std::filesystem::create_directories(topology);
    std::ofstream(topology + "/physical_package_id") << "0\n";
    std::ofstream(topology + "/core_id") << cpu / 2 << "\n";
  }
  const TuneMachine cpus = CpusOf(RootFs(root), {1, 2, 3});
  EXPECT_EQ(cpus.all, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(cpus.one_a_core, (std::vector<int>{1, 2}));
  std::filesystem::remove_all(root);
}

TEST(Cpus, WithoutATopologyEveryCpuIsACore) {
  const TuneMachine cpus = CpusOf(RootFs("/no/where"), {0, 5});
  EXPECT_EQ(cpus.one_a_core, cpus.all);
  EXPECT_FALSE(UsableCpus().empty());
}

}  // namespace
}  // namespace modicum
