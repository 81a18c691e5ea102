// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/root_fs.h"
#include "tune/axes.h"

namespace modicum {

// `allowed` (UsableCpus()), one of each core where /sys says which share one;
// else every CPU is a core.
TuneMachine CpusOf(const RootFs& fs, const std::vector<int>& allowed);

}  // namespace modicum
