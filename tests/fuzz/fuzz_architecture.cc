// SPDX-License-Identifier: Apache-2.0
// config.json of a planner: whatever it says, counts are finite, not negative,
// and no more are active than there are.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "plan/architecture.h"
#include "plan/memory.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modicum;
  const auto model = ParseConfig(
      std::string_view(reinterpret_cast<const char*>(data), size), "c");
  if (!model) {
    MODICUM_CHECK(!model.error().message.empty());
    return 0;
  }
  MODICUM_CHECK(std::isfinite(model->parameters) && model->parameters > 0);
  MODICUM_CHECK(model->active > 0 && model->active <= model->parameters);
  MODICUM_CHECK(KvBytes(*model, 1000, 16) >= 0);
  MODICUM_CHECK(TrainMemoryOf(*model, TrainSetup(), Parallelism()).total() > 0);
  return 0;
}
