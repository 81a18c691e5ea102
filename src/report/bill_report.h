// SPDX-License-Identifier: Apache-2.0
// The bill as text, as `run` and `predict` print it on stderr: one line per
// quantity with unit, 90 % interval and origin, then what is missing.
#pragma once

#include <string>
#include <string_view>

#include "record/types.h"

namespace modicum {

struct BillStyle {
  bool verbose = false;     // also the energy's split and every factor
  std::string_view indent;  // put before every line
};

// Several lines, each ended by '\n':
//   time      12 s wall, 20 s CPU
//   energy    120 J [53, 270] modelled, cpu package (cpu-load)
//   carbon    30 mgCO2e [13, 68] assumed
//   place     Poland; [ ] are 90 % intervals
//   missing   8 GPUs present, NOT COUNTED
std::string FormatBill(const Bill& bill, const BillStyle& style = {});

// Head line ("run 0b3c1f2a  ok, exit 0") and the bill; says so when nothing
// was metered.
std::string FormatRunBill(const Run& run, const BillStyle& style = {});

// "grid intensity, Poland: 592 g/kWh (Ember, 2025)".
std::string FactorText(const Factor& factor);

// One line without control characters, at most `columns` wide (0: no limit);
// what is cut ends in "…".
std::string PlainText(std::string_view text, size_t columns = 0);

}  // namespace modicum
