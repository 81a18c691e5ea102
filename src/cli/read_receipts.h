// SPDX-License-Identifier: Apache-2.0
// Receipts from files, with the file's name in every error.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "record/receipt.h"

namespace modicum {

Result<std::vector<Receipt>> ReadReceipts(
    const std::vector<std::string>& paths);

}  // namespace modicum
