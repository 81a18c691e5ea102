// SPDX-License-Identifier: Apache-2.0
#include "place/place_settings.h"

#include "place/cloud_region.h"

namespace modicum {

PlaceQuery PlaceQueryOf(const Settings& settings, const PlaceQuery& own) {
  PlaceQuery query{
      settings.region,           settings.provider, settings.intensity,
      settings.market_intensity, settings.pue,      settings.wue,
      settings.tariff,           settings.currency, settings.tariff_file};
  if (!own.region.empty()) query.region = own.region;
  if (!own.provider.empty()) query.provider = own.provider;
  if (own.intensity) query.intensity = own.intensity;
  if (own.market_intensity) query.market_intensity = own.market_intensity;
  if (own.pue) query.pue = own.pue;
  if (own.wue) query.wue = own.wue;
  if (own.tariff) {
    query.tariff = own.tariff;
    query.tariff_file.clear();
  }
  if (!own.currency.empty()) query.currency = own.currency;
  if (settings.detect_region && query.region.empty() && !query.intensity)
    AddCloudRegion(OwnCloudRegion(), query);
  return query;
}

}  // namespace modicum
