// SPDX-License-Identifier: Apache-2.0
#include "dataset/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "dataset/line_rows.h"
#include "dataset/table_columns.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

using Columns = std::vector<std::string>;

constexpr std::string_view kLabelPrefix = "__label__";
constexpr std::string_view kBlankBytes = " \t\r\n\v\f";
constexpr size_t kShownLineBytes = 40;  // of a value in a message

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlankBytes);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlankBytes) - begin + 1);
}

// Whether a quoted field is open after `line`, given whether one was before.
bool EndsInQuotes(std::string_view line, bool open) {
  bool field_start = !open;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (!open) {
      open = c == '"' && field_start;
      field_start = c == ',';
    } else if (c == '"') {
      const bool doubled = i + 1 < line.size() && line[i + 1] == '"';
      i += doubled ? 1 : 0;
      open = doubled;
    }
  }
  return open;
}

// Files with a header line that names the columns.
class ColumnRows : public LineRows {
 public:
  using LineRows::LineRows;

  Status ReadHeader() {
    MODICUM_TRY(auto header, NextRecord());
    if (!header) return {};  // an empty file has no rows; the loader says so
    for (std::string& name : *header) name = Trim(name);
    width_ = header->size();
    MODICUM_RETURN_IF_ERROR(SetColumns(*header));
    if (labelled()) {
      MODICUM_TRY(label_column_, Find(*header, options_.label));
    }
    return {};
  }

  Result<bool> Next(Row& row) override {
    MODICUM_TRY(auto record, NextRecord());
    if (!record) return false;
    if (record->size() != width_)
      return At(lines_,
                fmt::format("{} fields where the header has {}", record->size(),
                            width_),
                "quote a field that holds the separator");
    if (labelled()) {
      MODICUM_RETURN_IF_ERROR(CheckLabel((*record)[label_column_]));
      row.label = (*record)[label_column_];
    }
    if (options_.table) {
      MODICUM_RETURN_IF_ERROR(ParseCells(*record, row.numbers));
    } else {
      row.text = std::move((*record)[columns_[0]]);
    }
    return true;
  }

  std::vector<std::string> columns() const override { return names_; }

 protected:
  virtual Result<std::optional<Columns>> NextRecord() = 0;

 private:
  Status SetColumns(const Columns& header) {
    if (!options_.table) {
      MODICUM_TRY(const size_t text, Find(header, options_.text));
      columns_ = {text};
      return {};
    }
    auto chosen = ChooseColumns(header, options_.columns, options_.label);
    if (!chosen) return At(lines_, chosen.error());
    columns_ = *std::move(chosen);
    for (const size_t column : columns_) names_.push_back(header[column]);
    return {};
  }

  Status ParseCells(const Columns& record, std::vector<float>& numbers) const {
    numbers.clear();
    numbers.reserve(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = record[columns_[i]];
      const auto number = ParseCell(cell);
      if (!number)
        return At(
            lines_,
            fmt::format("column '{}': '{}' is {}", names_[i],
                        CutUtf8(cell, kShownLineBytes), number.error().message),
            "columns = [...] in the task chooses what is read; an empty "
            "cell, ?, NA or nan is a missing value");
      numbers.push_back(*number);
    }
    return {};
  }

  Result<size_t> Find(const Columns& columns, const std::string& name) const {
    const auto at = std::find(columns.begin(), columns.end(), name);
    if (at == columns.end())
      return At(lines_, NoColumn("column", name, columns),
                "name the columns that hold text and label");
    return static_cast<size_t>(at - columns.begin());
  }

  size_t width_ = 0;
  std::vector<size_t> columns_;  // of the text or the numbers
  Columns names_;                // of the numbers
  size_t label_column_ = 0;
};

class CsvRows final : public ColumnRows {
 public:
  using ColumnRows::ColumnRows;

 protected:
  Result<std::optional<Columns>> NextRecord() override {
    MODICUM_TRY(auto line, NextFilledLine());
    if (!line) return std::optional<Columns>{};
    std::string record(*line);
    const std::string where = lines_.Where();
    bool open = EndsInQuotes(*line, false);
    while (open) {
      MODICUM_TRY(line, NextLine());
      if (!line || record.size() > options_.max_line_bytes)
        return Fail(ErrorCode::kInvalidInput,
                    where + ": a quote in this record is never closed",
                    "double a quote inside a quoted field: \"\"");
      record.append("\n").append(*line);
      open = EndsInQuotes(*line, true);
    }
    auto fields = CsvReader(record).Next();
    if (fields) return fields;
    // The reader's own "line 1: " counts within the record.
    std::string message = fields.error().message;
    message.erase(0, message.find(": ") + 2);
    return Fail(ErrorCode::kInvalidInput, where + ": " + message,
                fields.error().hint);
  }
};

// Tabs separate and quotes are ordinary (IANA text/tab-separated-values), but
// a field that a spreadsheet has quoted whole loses its quotes.
class TsvRows final : public ColumnRows {
 public:
  using ColumnRows::ColumnRows;

 protected:
  Result<std::optional<Columns>> NextRecord() override {
    MODICUM_TRY(const auto line, NextFilledLine());
    if (!line) return std::optional<Columns>{};
    Columns fields;
    for (size_t begin = 0; begin <= line->size();) {
      const size_t end = std::min(line->find('\t', begin), line->size());
      fields.push_back(Unquote(line->substr(begin, end - begin)));
      begin = end + 1;
    }
    return std::optional(std::move(fields));
  }

 private:
  static std::string Unquote(std::string_view field) {
    if (field.size() < 2 || field.front() != '"' || field.back() != '"')
      return std::string(field);
    std::string plain;
    const std::string_view inner = field.substr(1, field.size() - 2);
    for (size_t i = 0; i < inner.size(); ++i) {
      plain += inner[i];
      if (inner[i] != '"') continue;
      if (!inner.substr(i + 1).starts_with('"')) return std::string(field);
      ++i;
    }
    return plain;
  }
};

class FastTextRows final : public LineRows {
 public:
  using LineRows::LineRows;

  Result<bool> Next(Row& row) override {
    MODICUM_TRY(const auto line, NextFilledLine());
    if (!line) return false;
    std::string_view rest = Trim(*line);
    const std::string_view label = TakeLabel(rest);
    if (labelled()) {
      if (label.empty())
        return At(lines_, "the line does not begin with '__label__NAME'",
                  "is this a fastText file? the format can be named");
      if (rest.starts_with(kLabelPrefix))
        return At(lines_, "more than one label",
                  "keep one label a line: several are not supported");
      row.label = label;
    }
    row.text = rest;
    return true;
  }

 private:
  static std::string_view TakeLabel(std::string_view& rest) {
    if (!rest.starts_with(kLabelPrefix)) return {};
    const size_t end = std::min(rest.find_first_of(kBlankBytes), rest.size());
    const std::string_view label =
        rest.substr(kLabelPrefix.size(), end - kLabelPrefix.size());
    rest = Trim(rest.substr(end));
    return label;
  }
};

class LabelledRows final : public LineRows {
 public:
  using LineRows::LineRows;

  Result<bool> Next(Row& row) override {
    MODICUM_TRY(const auto line, NextFilledLine());
    if (!line) return false;
    row.text = *line;
    if (!labelled()) return true;
    const size_t end = std::min(line->find_first_of(" \t"), line->size());
    row.label = line->substr(0, end);
    row.text = line->substr(std::min(end + 1, line->size()));
    MODICUM_RETURN_IF_ERROR(CheckLabel(row.label));
    return true;
  }
};

constexpr std::array<std::string_view, 5> kFormats = {"jsonl", "csv", "tsv",
                                                      "fasttext", "labelled"};

template <class Rows>
Result<std::unique_ptr<RowReader>> WithHeader(LineReader& lines,
                                              const LoadOptions& options) {
  auto rows = std::make_unique<Rows>(lines, options);
  MODICUM_RETURN_IF_ERROR(rows->ReadHeader());
  return std::unique_ptr<RowReader>(std::move(rows));
}

bool HasCell(std::string_view line, char separator, std::string_view cell) {
  const auto record = CsvReader(line, separator).Next();
  if (!record || !*record) return false;
  return std::any_of((*record)->begin(), (*record)->end(),
                     [&](const std::string& c) { return Trim(c) == cell; });
}

}  // namespace

std::span<const std::string_view> DataFormats() { return kFormats; }

std::string GuessFormat(const std::string& path, std::string_view first_line,
                        const LoadOptions& options) {
  constexpr std::pair<std::string_view, std::string_view> kExtensions[] = {
      {".jsonl", "jsonl"}, {".ndjson", "jsonl"},     {".json", "jsonl"},
      {".csv", "csv"},     {".tsv", "tsv"},          {".tab", "tsv"},
      {".ft", "fasttext"}, {".fasttext", "fasttext"}};
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const auto& [name, format] : kExtensions)
    if (extension == name) return std::string(format);
  const std::string_view look = Trim(first_line);
  if (look.starts_with('{') || look.starts_with('[')) return "jsonl";
  if (look.starts_with(kLabelPrefix)) return "fasttext";
  if (options.table)
    return look.find('\t') == std::string_view::npos ? "csv" : "tsv";
  if (HasCell(look, '\t', options.text)) return "tsv";
  if (HasCell(look, ',', options.text)) return "csv";
  return "labelled";
}

Result<std::unique_ptr<RowReader>> MakeRowReader(std::string_view format,
                                                 LineReader& lines,
                                                 const LoadOptions& options) {
  using Made = std::unique_ptr<RowReader>;
  if (format == "jsonl") return MakeJsonRows(lines, options);
  if (format == "csv") return WithHeader<CsvRows>(lines, options);
  if (format == "tsv") return WithHeader<TsvRows>(lines, options);
  if (options.table && (format == "fasttext" || format == "labelled"))
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("data format '{}' has no columns of numbers", format),
        "a table is jsonl, csv or tsv");
  if (format == "fasttext") return Made(new FastTextRows(lines, options));
  if (format == "labelled") return Made(new LabelledRows(lines, options));
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("unknown data format '{}'", format),
              fmt::format("use one of {}", fmt::join(kFormats, ", ")));
}

}  // namespace modicum
