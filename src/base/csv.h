// SPDX-License-Identifier: Apache-2.0
// RFC 4180 records from memory: quotes, doubled quotes, line ends in quotes,
// CRLF. Also reads the embedded data tables, whose comment lines start with #.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// Lifetime: the text must outlive the reader.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text, char separator = ',')
      : text_(text), separator_(separator) {}

  // The next record; nullopt at the end; kInvalidInput names line and fault.
  // An empty line is skipped.
  Result<std::optional<std::vector<std::string>>> Next();
  // Line (1-based) on which the last record began.
  size_t line() const { return record_line_; }
  // `error` with "file:line: " of the last record before its message.
  Error Located(const std::string& file, Error error) const;

 private:
  Result<std::string> QuotedField();

  std::string_view text_;
  char separator_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t record_line_ = 1;
};

// A table that ships inside the program: '#' comment lines, one header line,
// rows of equal width. Aborts on a malformed table: that is a build defect.
class EmbeddedTable {
 public:
  explicit EmbeddedTable(std::string_view csv);
  size_t size() const { return rows_.size(); }
  // Cell by column name; aborts when there is no such column.
  const std::string& at(size_t row, std::string_view column) const;
  // The cell as a number; nullopt when empty.
  std::optional<double> number(size_t row, std::string_view column) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// `field`, quoted when it must be.
std::string CsvField(std::string_view field, char separator = ',');

}  // namespace modicum
