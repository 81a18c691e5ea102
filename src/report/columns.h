// SPDX-License-Identifier: Apache-2.0
// CSV of runs from a list of columns, each with its name and its value.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "record/types.h"

namespace modicum {

// A column takes its value from the run, or from the bill, where there is
// one; exactly one of the two functions is set.
struct RunColumn {
  std::string_view name;
  std::string (*of_run)(const Run&) = nullptr;
  std::string (*of_bill)(const Bill&) = nullptr;
};

// Without the line end.
std::string CsvHeader(std::span<const RunColumn> columns);
// `given`: texts by column name, instead of the run's own.
std::string CsvRow(std::span<const RunColumn> columns, const Run& run,
                   const std::map<std::string, std::string>& given = {});

// The shortest text that reads back as the same number; "" for NaN.
std::string ExactNumber(double value);
// "team=search; k=v"
std::string JoinTags(const std::map<std::string, std::string>& tags);
std::string JoinTexts(const std::vector<std::string>& texts);

}  // namespace modicum
