// SPDX-License-Identifier: Apache-2.0
// What the tests of plans share: a plan's figures by key, chips by name.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "hardware/accelerators.h"
#include "record/plan.h"

namespace modicum {

inline const PlanFigure& Find(const Plan& plan, std::string_view key) {
  for (const PlanFigure& figure : plan.figures)
    if (figure.key == key) return figure;
  ADD_FAILURE() << "no figure " << key;
  static const PlanFigure none;
  return none;
}

inline double Mid(const Plan& plan, std::string_view key) {
  return Find(plan, key).range.mid;
}

inline const Accelerator& Chip(const char* name) {
  return *FindAccelerator(name).value();
}

}  // namespace modicum
