// SPDX-License-Identifier: Apache-2.0
#include "cli/read_receipts.h"

#include "base/file.h"

namespace modicum {

Result<std::vector<Receipt>> ReadReceipts(
    const std::vector<std::string>& paths) {
  std::vector<Receipt> receipts;
  for (const std::string& path : paths) {
    MODICUM_TRY(const std::string text, ReadFile(path));
    auto receipt = ParseReceipt(text);
    if (!receipt)
      return Fail(receipt.error().code, path + ": " + receipt.error().message,
                  receipt.error().hint);
    receipts.push_back(*std::move(receipt));
  }
  return receipts;
}

}  // namespace modicum
