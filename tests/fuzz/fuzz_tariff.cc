// SPDX-License-Identifier: Apache-2.0
// A tariff's file: what is accepted has a price for any moment, and a mean
// price lies between the cheapest and the dearest.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "place/tariff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tariff = modicum::Tariff::Parse(
      {reinterpret_cast<const char*>(data), size}, "tariff");
  if (!tariff) {
    MODICUM_CHECK(!tariff.error().message.empty());
    return 0;
  }
  const auto [low, high] =
      std::ranges::minmax(tariff->bands(), {}, &modicum::Tariff::Band::price);
  MODICUM_CHECK(tariff->mean() >= low.price * (1 - 1e-9) &&
                tariff->mean() <= high.price * (1 + 1e-9));
  const modicum::WallTime now{int64_t{1'790'000'000} * 1'000'000 + 7};
  MODICUM_CHECK(tariff->NextEdge(now) > now);
  const modicum::EnergySlice slice{now, modicum::Hours(30), modicum::Joules(1)};
  const auto price = modicum::PriceOf(*tariff, {&slice, 1});
  MODICUM_CHECK(price.paid.mean >= low.price * (1 - 1e-9) &&
                price.paid.mean <= high.price * (1 + 1e-9));
  return 0;
}
