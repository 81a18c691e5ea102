// SPDX-License-Identifier: Apache-2.0
#include "cli/place_settings.h"

namespace modicum {

PlaceQuery PlaceQueryOf(const Settings& settings) {
  return {settings.region, settings.provider, settings.intensity, settings.pue,
          settings.wue,    settings.tariff,   settings.currency};
}

}  // namespace modicum
