// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <algorithm>
#include <charconv>

namespace modicum {

Result<std::string> CsvReader::QuotedField() {
  const size_t opened = line_;
  std::string field;
  ++at_;  // the opening quote
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    if (c != '"') {
      field += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      field += '"';
      ++at_;
    } else {
      return field;
    }
  }
  return Fail(ErrorCode::kInvalidInput,
              "line " + std::to_string(opened) + ": quote is never closed");
}

Result<std::optional<std::vector<std::string>>> CsvReader::Next() {
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  if (at_ >= text_.size()) return std::optional<std::vector<std::string>>{};
  record_line_ = line_;
  std::vector<std::string> record;
  while (true) {
    if (at_ < text_.size() && text_[at_] == '"') {
      MODICUM_TRY(std::string field, QuotedField());
      record.push_back(std::move(field));
    } else {
      const char stops[] = {separator_, '\n', '\r'};
      size_t end = text_.find_first_of(std::string_view(stops, 3), at_);
      if (end == std::string_view::npos) end = text_.size();
      record.emplace_back(text_.substr(at_, end - at_));
      at_ = end;
    }
    if (at_ >= text_.size()) return std::optional(std::move(record));
    const char c = text_[at_++];
    if (c == separator_) continue;
    if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    if (c == '\n' || c == '\r') {
      ++line_;
      return std::optional(std::move(record));
    }
    return Fail(
        ErrorCode::kInvalidInput,
        "line " + std::to_string(line_) + ": text follows a closing quote",
        "double a quote inside a quoted field: \"\"");
  }
}

Error CsvReader::Located(const std::string& file, Error error) const {
  error.message =
      file + ":" + std::to_string(record_line_) + ": " + error.message;
  return error;
}

EmbeddedTable::EmbeddedTable(std::string_view csv) {
  while (csv.starts_with('#')) {
    const size_t end = csv.find('\n');
    MODICUM_CHECK(end != std::string_view::npos);
    csv.remove_prefix(end + 1);
  }
  CsvReader reader(csv);
  while (true) {
    auto record = reader.Next();
    MODICUM_CHECK(record.has_value());
    if (!*record) break;
    if (header_.empty()) {
      header_ = **std::move(record);
    } else {
      MODICUM_CHECK((*record)->size() == header_.size());
      rows_.push_back(**std::move(record));
    }
  }
}

const std::string& EmbeddedTable::at(size_t row,
                                     std::string_view column) const {
  const auto it = std::find(header_.begin(), header_.end(), column);
  MODICUM_CHECK(it != header_.end() && row < rows_.size());
  return rows_[row][static_cast<size_t>(it - header_.begin())];
}

std::optional<double> EmbeddedTable::number(size_t row,
                                            std::string_view column) const {
  const std::string& cell = at(row, column);
  if (cell.empty()) return std::nullopt;
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  MODICUM_CHECK(error == std::errc() && stop == end);
  return value;
}

std::string CsvField(std::string_view field, char separator) {
  const char specials[] = {separator, '"', '\n', '\r'};
  if (field.find_first_of(std::string_view(specials, 4)) ==
      std::string_view::npos)
    return std::string(field);
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace modicum
