// SPDX-License-Identifier: Apache-2.0
// From a row's runs to its figures. Pure: the same runs and place give the
// same figures.
#pragma once

#include <string_view>
#include <vector>

#include "record/bench_result.h"
#include "record/types.h"

namespace modicum {

// Fills what BenchRow says is computed, but the stars. Without runs nothing
// is filled. Figures are of quiet runs; where none was quiet, of all, and
// `contended` then equals the number of runs.
void FillFigures(BenchRow& row, std::string_view unit, const Place& place);

// What a phone's charge and a kilometre by car are taken to be.
std::vector<Factor> EverydayFactors();

}  // namespace modicum
