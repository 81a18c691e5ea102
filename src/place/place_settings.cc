// SPDX-License-Identifier: Apache-2.0
#include "place/place_settings.h"

#include "place/cloud_region.h"

namespace modicum {

PlaceQuery PlaceQueryOf(const Settings& settings, const PlaceQuery& own) {
  PlaceQuery query{.region = settings.region,
                   .provider = settings.provider,
                   .intensity = settings.intensity,
                   .intensity_file = settings.intensity_file,
                   .market_intensity = settings.market_intensity,
                   .pue = settings.pue,
                   .wue = settings.wue,
                   .tariff = settings.tariff,
                   .currency = settings.currency,
                   .tariff_file = settings.tariff_file};
  if (!own.region.empty()) query.region = own.region;
  if (!own.provider.empty()) query.provider = own.provider;
  if (own.intensity) {
    query.intensity = own.intensity;
    query.intensity_file.clear();
  }
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
