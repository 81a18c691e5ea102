// SPDX-License-Identifier: Apache-2.0
// A table of charge rules: what is accepted has tags, and judges any process.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "meter/charge_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = ChargeRules::Parse(text, "rules.csv");
  if (!rules) return 0;
  static const RootFs kNowhere("/nonexistent");
  static const UserNames kUsers(kNowhere);
  ProcessCpuUse process;
  process.name = "python3";
  process.user = 1000;
  process.cgroup = "/system.slice/nginx.service";
  for (const auto& [key, value] : rules->TagsOf(process, kUsers))
    MODICUM_CHECK(rules->Has(key) && !value.empty());
  return 0;
}
