// SPDX-License-Identifier: Apache-2.0
// Types chosen for a network's tensors, as people read them.
#pragma once

#include <string>

#include "tune/mixed_precision.h"

namespace modicum {

// Lines of "label     text". `max_divergence` in nats a token.
std::string FormatPrecision(const MixedPrecision& precision,
                            double max_divergence);

}  // namespace modicum
