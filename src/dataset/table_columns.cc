// SPDX-License-Identifier: Apache-2.0
#include "dataset/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/suggest.h"

namespace modicum {
namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";
constexpr char kChoose[] = "columns = [...] in the task chooses what is read";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) {
                      return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
                    });
}

Status CheckUnique(std::vector<std::string> names, std::string_view where) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("column '{}' is named twice {}", *twice, where),
              "a name must mean one column");
}

Result<size_t> IndexOf(const std::vector<std::string>& header,
                       const std::string& name, const std::string& label) {
  if (name == label)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("column '{}' is the label: a model may not read "
                            "its answer",
                            name),
                kChoose);
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end())
    return Fail(ErrorCode::kInvalidInput, NoColumn("column", name, header),
                kChoose);
  return static_cast<size_t>(at - header.begin());
}

}  // namespace

std::string NoColumn(std::string_view kind, std::string_view name,
                     const std::vector<std::string>& columns) {
  const std::vector<std::string_view> names(columns.begin(), columns.end());
  return fmt::format("no {} '{}' (there are: {}){}", kind, name,
                     fmt::join(columns, ", "), DidYouMean(name, names));
}

Result<std::vector<size_t>> ChooseColumns(
    const std::vector<std::string>& header,
    const std::vector<std::string>& wanted, const std::string& label) {
  MODICUM_RETURN_IF_ERROR(CheckUnique(header, "in the header"));
  MODICUM_RETURN_IF_ERROR(CheckUnique(wanted, "among the columns to read"));
  std::vector<size_t> chosen;
  for (const std::string& name : wanted) {
    MODICUM_TRY(const size_t index, IndexOf(header, name, label));
    chosen.push_back(index);
  }
  if (!wanted.empty()) return chosen;
  for (size_t i = 0; i < header.size(); ++i)
    if (label.empty() || header[i] != label) chosen.push_back(i);
  if (!chosen.empty()) return chosen;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("no column but the label '{}'", label),
              "a table needs at least one column of numbers");
}

Result<float> ParseCell(std::string_view cell) {
  cell = Trim(cell);
  if (cell.empty() || cell == "?" || EqualsIgnoringCase(cell, "na") ||
      EqualsIgnoringCase(cell, "nan"))
    return std::numeric_limits<float>::quiet_NaN();
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-')
    cell.remove_prefix(1);
  double number = 0;
  const auto [end, error] =
      std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (end != cell.data() + cell.size() || std::isnan(number) ||
      error == std::errc::invalid_argument)
    return Fail(ErrorCode::kInvalidInput, "not a number");
  if (std::isinf(number)) return Fail(ErrorCode::kInvalidInput, "infinite");
  if (error != std::errc() ||
      std::abs(number) > std::numeric_limits<float>::max())
    return Fail(ErrorCode::kInvalidInput, "beyond single precision");
  return static_cast<float>(number);
}

}  // namespace modicum
