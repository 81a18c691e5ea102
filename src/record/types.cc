// SPDX-License-Identifier: Apache-2.0
#include "record/types.h"

#include <sys/random.h>

#include <array>

#include "base/result.h"

namespace modicum {

Uuid NewUuid() {
  std::array<uint8_t, 16> bytes{};
  MODICUM_CHECK(getrandom(bytes.data(), bytes.size(), 0) == 16);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);  // version 4
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);  // RFC 9562
  constexpr char kDigits[] = "0123456789abcdef";
  Uuid uuid;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid.text += '-';
    uuid.text += kDigits[bytes[i] >> 4];
    uuid.text += kDigits[bytes[i] & 15];
  }
  return uuid;
}

std::string_view RunStatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kOk:
      return "ok";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kInterrupted:
      return "interrupted";
  }
  return "?";
}

}  // namespace modicum
