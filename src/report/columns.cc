// SPDX-License-Identifier: Apache-2.0
#include "report/columns.h"

#include <fmt/format.h>

#include <cmath>

#include "base/csv.h"

namespace modicum {

std::string CsvHeader(std::span<const RunColumn> columns) {
  std::string line;
  for (const RunColumn& column : columns) {
    if (!line.empty()) line += ',';
    line += column.name;
  }
  return line;
}

std::string CsvRow(std::span<const RunColumn> columns, const Run& run,
                   const std::map<std::string, std::string>& given) {
  std::string line;
  for (const RunColumn& column : columns) {
    if (&column != columns.data()) line += ',';
    const auto own = given.find(std::string(column.name));
    if (own != given.end())
      line += CsvField(own->second);
    else if (column.of_run != nullptr)
      line += CsvField(column.of_run(run));
    else if (run.bill)
      line += CsvField(column.of_bill(*run.bill));
  }
  return line;
}

std::string ExactNumber(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

std::string JoinTags(const std::map<std::string, std::string>& tags) {
  std::string joined;
  for (const auto& [key, value] : tags) {
    if (!joined.empty()) joined += "; ";
    joined += key + "=" + value;
  }
  return joined;
}

std::string JoinTexts(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    if (!joined.empty()) joined += "; ";
    joined += text;
  }
  return joined;
}

}  // namespace modicum
