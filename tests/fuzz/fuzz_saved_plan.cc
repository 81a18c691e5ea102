// SPDX-License-Identifier: Apache-2.0
// A saved plan: its words are as many as it holds, and only settings of the
// place are taken from it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/saved_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto words = modicum::ParsePlanCommand(text, "train");
  if (!words) return 0;
  modicum::Settings settings;
  const size_t before = words->size();
  const bool taken = modicum::TakeSavedSettings(*words, settings).has_value();
  if (words->size() > before) __builtin_trap();
  if (taken && !settings.ledger.empty()) __builtin_trap();
  return 0;
}
