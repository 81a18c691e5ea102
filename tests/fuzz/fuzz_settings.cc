// SPDX-License-Identifier: Apache-2.0
// Any bytes as modicum.toml: settings or an error that can be printed.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  modicum::Settings settings;
  const modicum::Status status =
      modicum::ApplySettingsText(settings, {}, "modicum.toml", text);
  if (!status && status.error().message.empty()) __builtin_trap();
  for (const modicum::SettingRow& row : modicum::SettingRows()) {
    modicum::Settings again;
    if (settings.origins.count(std::string(row.key)) != 0 &&
        !row.parse(again, row.print(settings)))
      __builtin_trap();  // what was accepted must be accepted when printed
  }
  return 0;
}
