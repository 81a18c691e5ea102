// SPDX-License-Identifier: Apache-2.0
// The facts of `modicum doctor` as text and as JSON.
#pragma once

#include <string>

#include "cli/doctor_facts.h"

namespace modicum {

std::string DoctorText(const DoctorFacts& facts);
std::string DoctorJson(const DoctorFacts& facts);

// Every setting with its value, where it came from and what it is.
std::string SettingsText(const Settings& settings);
std::string SettingsJson(const Settings& settings);

}  // namespace modicum
