// SPDX-License-Identifier: Apache-2.0
#include "place/place_settings.h"

namespace modicum {

PlaceQuery PlaceQueryOf(const Settings& settings, const PlaceQuery& own) {
  PlaceQuery query{settings.region,  settings.provider, settings.intensity,
                   settings.pue,     settings.wue,      settings.tariff,
                   settings.currency};
  if (!own.region.empty()) query.region = own.region;
  if (!own.provider.empty()) query.provider = own.provider;
  if (own.intensity) query.intensity = own.intensity;
  if (own.pue) query.pue = own.pue;
  if (own.wue) query.wue = own.wue;
  if (own.tariff) query.tariff = own.tariff;
  if (!own.currency.empty()) query.currency = own.currency;
  return query;
}

}  // namespace modicum
