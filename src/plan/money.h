// SPDX-License-Identifier: Apache-2.0
// What hours of a device and kilowatt-hours at a place cost: rent, hardware,
// electricity, water, the making of the device.
#pragma once

#include "hardware/accelerators.h"
#include "plan/training.h"
#include "record/types.h"

namespace modicum {

struct OwnCost {
  double years = 4;          // over which it is paid off
  double utilization = 0.8;  // of these hours that it works
};

// A factor of a place as planned with: its relative error on a log scale.
template <class Q>
Spread SpreadOf(const Estimate<Q>& estimate) {
  const double mid = estimate.mid.value();
  return {mid, mid > 0 ? estimate.sd() / mid : 0};
}

// Litres per kWh of IT energy: WUE + PUE x EWIF.
Spread WaterPerKwh(const Place& place);

// Carbon of making one device and its share of the server, grams per hour of
// use: Luccioni et al. 2022 (server 2,500 kg of eight devices, 6 years at 85
// %).
Spread EmbodiedPerHour(const Accelerator& chip);
// USD per device-hour; 0 where no price is known.
Spread RentOf(const Accelerator& chip);
Spread HardwareOf(const Accelerator& chip, const OwnCost& own);
// The place's tariff in USD; assumed 0.10 where none is known.
Spread TariffUsd(const Place& place);

}  // namespace modicum
