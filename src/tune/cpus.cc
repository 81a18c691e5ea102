// SPDX-License-Identifier: Apache-2.0
#include "tune/cpus.h"

#include <set>

namespace modicum {

TuneMachine CpusOf(const RootFs& fs, const std::vector<int>& allowed) {
  TuneMachine cpus;
  cpus.all = allowed;
  std::set<std::string> cores;
  for (const int cpu : allowed) {
    const std::string topology =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    const auto package = fs.Read(topology + "physical_package_id");
    const auto core = fs.Read(topology + "core_id");
    if (!package || !core || cores.insert(*package + "/" + *core).second)
      cpus.one_a_core.push_back(cpu);
  }
  return cpus;
}

}  // namespace modicum
