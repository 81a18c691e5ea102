// SPDX-License-Identifier: Apache-2.0
// From settings to the question that FindPlace() answers.
#pragma once

#include "base/settings.h"
#include "place/place.h"

namespace modicum {

// What `own` says, of a task's file, wins. Where neither says the region nor
// its intensity and `detect_region` is set, the cloud is asked.
PlaceQuery PlaceQueryOf(const Settings& settings, const PlaceQuery& own = {});

}  // namespace modicum
