// SPDX-License-Identifier: Apache-2.0
// A fit's receipt as a page that stands alone: verdict, plots, card, tables,
// factors and how to check it. No script, nothing fetched.
#pragma once

#include <string>

#include "record/receipt.h"

namespace modicum {

std::string FormatFitHtml(const Receipt& receipt);

}  // namespace modicum
