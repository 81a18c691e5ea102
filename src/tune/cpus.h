// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/root_fs.h"
#include "tune/axes.h"

namespace modicum {

// `allowed` as the kernel lets this process run (sched_getaffinity), one of
// each core where /sys says which share one; else every CPU is a core.
TuneCpus CpusOf(const RootFs& fs, const std::vector<int>& allowed);
std::vector<int> AllowedCpus();

}  // namespace modicum
