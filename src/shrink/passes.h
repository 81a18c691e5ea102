// SPDX-License-Identifier: Apache-2.0
// The passes that are part of the program, one file each. Lifetime: that of
// the process.
#pragma once

#include "model/pass.h"

namespace modicum {

Pass& DedupePass();
Pass& CoresetPass();
Pass& PrunePass();
Pass& EightBitPass();
Pass& FewerTreesPass();
Pass& ShallowerPass();
Pass& PrecisionPass();

}  // namespace modicum
