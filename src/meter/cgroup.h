// SPDX-License-Identifier: Apache-2.0
// Control groups: which one a process is in, and what people call it.
#pragma once

#include <string>
#include <string_view>

namespace modicum {

// The path in the text of /proc/PID/cgroup: of the unified hierarchy (v2),
// else of the CPU controller, else of systemd's; "" when there is none.
std::string CgroupPath(std::string_view text);

// "docker 4f3a0c12ab45", "pod 8f2c0d1e container 4f3a0c12ab45", "slurm job 42
// step 0", "lxc web", "nginx.service", "app-firefox"; the path itself where it
// follows no known custom.
std::string CgroupName(std::string_view path);

}  // namespace modicum
