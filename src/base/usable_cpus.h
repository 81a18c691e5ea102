// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace modicum {

// The CPUs that the kernel lets this process run on (sched_getaffinity), in
// order; {0} where it does not say.
std::vector<int> UsableCpus();

}  // namespace modicum
