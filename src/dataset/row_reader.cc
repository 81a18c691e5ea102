// SPDX-License-Identifier: Apache-2.0
#include "dataset/row_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/csv.h"
#include "base/suggest.h"
#include "dataset/json_line.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

using Columns = std::vector<std::string>;

constexpr std::string_view kLabelPrefix = "__label__";
constexpr std::string_view kBlank = " \t\r\n\v\f";

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(kBlank) == std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

tl::unexpected<Error> At(const LineReader& lines, std::string_view message,
                         std::string hint = {}) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: {}", lines.Where(), message), std::move(hint));
}

// "no column 'label' (there are: text, lable), did you mean 'lable'?"
std::string NoColumn(std::string_view kind, std::string_view name,
                     const Columns& columns) {
  const std::vector<std::string_view> names(columns.begin(), columns.end());
  return fmt::format("no {} '{}' (there are: {}){}", kind, name,
                     fmt::join(columns, ", "), DidYouMean(name, names));
}

tl::unexpected<Error> BadByte(const LineReader& lines, std::string_view text,
                              size_t offset) {
  if (lines.line() == 1 &&
      (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")))
    return At(lines, "the file is UTF-16, not UTF-8",
              "convert it with iconv -f UTF-16 -t UTF-8");
  const int byte = static_cast<unsigned char>(text[offset]);
  if (byte == 0)
    return At(lines, fmt::format("byte {} is NUL, which no text has", offset),
              "is this a text file? or set bad_bytes=replace");
  return At(lines,
            fmt::format("byte {} is not valid UTF-8 (0x{:02X})", offset, byte),
            "convert the file with iconv -f WINDOWS-1252 -t UTF-8, or set "
            "bad_bytes=replace");
}

// What the readers share: usable lines, and labels that are not blank.
class LineRows : public RowReader {
 public:
  LineRows(LineReader& lines, const LoadOptions& options)
      : lines_(lines), options_(options) {}

 protected:
  // The next line of usable text; nullopt at the end.
  Result<std::optional<std::string_view>> NextLine() {
    MODICUM_TRY(const auto line, lines_.Next());
    if (!line) return line;
    MODICUM_TRY(const std::string_view usable, Usable(*line));
    return std::optional(usable);
  }

  // The next line that is not blank.
  Result<std::optional<std::string_view>> NextFilledLine() {
    while (true) {
      MODICUM_TRY(const auto line, NextLine());
      if (!line || !IsBlank(*line)) return line;
    }
  }

  Result<std::string_view> Usable(std::string_view text) {
    const size_t bad = FirstUnusableByte(text);
    if (bad == std::string_view::npos) return text;
    if (options_.bad_bytes == BadBytes::kRefuse)
      return BadByte(lines_, text, bad);
    replaced_ = ReplaceUnusableBytes(text);
    return std::string_view(replaced_);
  }

  Status CheckLabel(std::string_view label) const {
    if (!IsBlank(label)) return {};
    return At(lines_, "the label is blank",
              "give the row a label or remove it");
  }

  bool labelled() const { return !options_.label.empty(); }

  LineReader& lines_;
  const LoadOptions& options_;

 private:
  std::string replaced_;
};

class JsonRows final : public LineRows {
 public:
  JsonRows(LineReader& lines, const LoadOptions& options)
      : LineRows(lines, options), keys_{options.text, options.label} {}

  Result<bool> Next(Row& row) override {
    MODICUM_TRY(const auto line, NextFilledLine());
    if (!line) return false;
    const size_t wanted = labelled() ? 2 : 1;
    const auto status = reader_.Read(*line, std::span(keys_).first(wanted),
                                     std::span(values_).first(wanted));
    if (!status)
      return At(lines_, status.error().message,
                "one JSON object a line is expected; jq -c . writes it so");
    for (size_t i = 0; i < wanted; ++i)
      if (!values_[i]) return Missing(*line, keys_[i]);
    MODICUM_RETURN_IF_ERROR(Clean(*values_[0]));
    row.text = *std::move(values_[0]);
    if (!labelled()) return true;
    MODICUM_RETURN_IF_ERROR(Clean(*values_[1]));
    MODICUM_RETURN_IF_ERROR(CheckLabel(*values_[1]));
    row.label = *values_[1];
    return true;
  }

 private:
  // An escape (\u0000) may still bring a NUL.
  Status Clean(std::string& value) {
    MODICUM_TRY(const std::string_view usable, Usable(value));
    if (usable.data() != value.data()) value = usable;
    return {};
  }

  tl::unexpected<Error> Missing(std::string_view line, std::string_view key) {
    const auto keys = reader_.Keys(line);
    if (!keys) return At(lines_, keys.error().message);
    if (std::find(keys->begin(), keys->end(), key) != keys->end())
      return At(lines_, fmt::format("the value of '{}' is null", key));
    return At(lines_, NoColumn("key", key, *keys),
              "name the keys that hold text and label");
  }

  JsonLineReader reader_;
  std::array<std::string_view, 2> keys_;
  std::array<std::optional<std::string>, 2> values_;
};

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
    MODICUM_TRY(text_column_, Find(*header, options_.text));
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
    row.text = std::move((*record)[text_column_]);
    return true;
  }

 protected:
  virtual Result<std::optional<Columns>> NextRecord() = 0;

 private:
  Result<size_t> Find(const Columns& columns, const std::string& name) const {
    const auto at = std::find(columns.begin(), columns.end(), name);
    if (at == columns.end())
      return At(lines_, NoColumn("column", name, columns),
                "name the columns that hold text and label");
    return static_cast<size_t>(at - columns.begin());
  }

  size_t width_ = 0;
  size_t text_column_ = 0;
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
    const size_t end = std::min(rest.find_first_of(kBlank), rest.size());
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
  if (HasCell(look, '\t', options.text)) return "tsv";
  if (HasCell(look, ',', options.text)) return "csv";
  return "labelled";
}

Result<std::unique_ptr<RowReader>> MakeRowReader(std::string_view format,
                                                 LineReader& lines,
                                                 const LoadOptions& options) {
  using Made = std::unique_ptr<RowReader>;
  if (format == "jsonl") return Made(new JsonRows(lines, options));
  if (format == "csv") return WithHeader<CsvRows>(lines, options);
  if (format == "tsv") return WithHeader<TsvRows>(lines, options);
  if (format == "fasttext") return Made(new FastTextRows(lines, options));
  if (format == "labelled") return Made(new LabelledRows(lines, options));
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("unknown data format '{}'", format),
              fmt::format("use one of {}", fmt::join(kFormats, ", ")));
}

}  // namespace modicum
