// SPDX-License-Identifier: Apache-2.0
// A bill in everyday things, each with the factor behind it.
#pragma once

#include <string>

#include "record/types.h"

namespace modicum {

// Lines such as
//   equals    0.31 phone charges [0.18, 0.53], at 0.012 kWh each (US EPA
//   equivalencies, 2021)
// of the energy at the meter of the building (PUE included) and the carbon.
std::string EqualsText(const Bill& bill);

}  // namespace modicum
