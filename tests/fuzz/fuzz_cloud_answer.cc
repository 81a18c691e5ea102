// SPDX-License-Identifier: Apache-2.0
// What a metadata service answers: a region that is accepted is a plain name,
// and makes a place whatever it is.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "place/cloud_region.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* provider : {"aws", "gcp", "azure"}) {
    const auto region = modicum::ParseCloudAnswer({provider, text});
    if (!region) continue;
    MODICUM_CHECK(!region->region.empty() && region->region.size() <= 40);
    for (const char c : region->region)
      MODICUM_CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-');
    modicum::PlaceQuery query;
    modicum::AddCloudRegion(*region, query);
    MODICUM_CHECK(modicum::FindPlace(query).has_value());
  }
  return 0;
}
