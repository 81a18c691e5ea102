// SPDX-License-Identifier: Apache-2.0
// The table [place] of a task or bench file. Slow to include (toml++).
#pragma once

#include "base/toml_section.h"
#include "place/place.h"

namespace modicum {

inline Status ReadPlace(TomlSection& section, PlaceQuery& place) {
  section.Read("region", place.region);
  section.Read("provider", place.provider);
  section.Read("intensity", place.intensity);
  section.Read("market_intensity", place.market_intensity);
  section.Read("pue", place.pue);
  section.Read("wue", place.wue);
  section.Read("tariff", place.tariff);
  section.Read("currency", place.currency);
  return section.Finish();
}

}  // namespace modicum
