// SPDX-License-Identifier: Apache-2.0
#include "model/item_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/csv.h"
#include "dataset/json_line.h"
#include "dataset/table_columns.h"
#include "dataset/utf8.h"

namespace modicum {

namespace {

constexpr size_t kShownBytes = 40;  // of a value in a message

// The payload as T, made one where it is another.
template <class T>
T& As(Payload& payload) {
  if (!std::holds_alternative<T>(payload)) payload = T{};
  return std::get<T>(payload);
}

tl::unexpected<Error> BadLine(uint64_t number, std::string_view what,
                              std::string hint) {
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("line {} of the input{}", number, what),
              std::move(hint));
}

// "it has: body, id; ".
std::string WhatItHas(JsonLineReader& reader, std::string_view line) {
  const auto keys = reader.Keys(line);
  return keys ? fmt::format("it has: {}; ", fmt::join(*keys, ", ")) : "";
}

class PlainText final : public ItemReader {
 public:
  bool skips_blank() const override { return false; }
  Status Read(std::string_view line, uint64_t /*number*/,
              Payload& payload) override {
    As<Text>(payload).text.assign(line);
    return {};
  }
};

class JsonText final : public ItemReader {
 public:
  explicit JsonText(const ItemReaderOptions& options) : options_(options) {}

  Status Read(std::string_view line, uint64_t number,
              Payload& payload) override {
    const std::array<std::string_view, 1> keys{options_.field};
    if (const Status read = reader_.Read(line, keys, values_); !read)
      return BadLine(
          number, ": " + read.error().message,
          std::string("each line must be a JSON object; --plain "
                      "reads bare text") +
              (options_.can_skip ? ", --on-error skip goes on" : ""));
    if (!values_[0])
      return BadLine(
          number, fmt::format(" has no '{}'", options_.field),
          WhatItHas(reader_, line) + "--field names the one to read");
    As<Text>(payload).text.swap(*values_[0]);
    return {};
  }

 private:
  const ItemReaderOptions& options_;
  JsonLineReader reader_;
  std::array<std::optional<std::string>, 1> values_;
};

class JsonTable final : public ItemReader {
 public:
  explicit JsonTable(const ItemReaderOptions& options)
      : names_(options.columns.begin(), options.columns.end()) {}

  Status Read(std::string_view line, uint64_t number,
              Payload& payload) override {
    std::vector<float>& values = As<Numbers>(payload).values;
    values.resize(names_.size());
    if (const Status read = reader_.ReadRow(line, names_, values, {}, {});
        !read)
      return BadLine(number, ": " + read.error().message,
                     "each line must be a JSON object of numbers, null where "
                     "one is missing; --plain reads CSV, --on-error skip goes "
                     "on");
    if (HasColumn(line, values)) return {};
    return BadLine(
        number, " has none of the model's columns",
        fmt::format("{}the model reads: {}", WhatItHas(reader_, line),
                    fmt::join(names_, ", ")));
  }

 private:
  // A row without any number may still say so, with nulls.
  bool HasColumn(std::string_view line, const std::vector<float>& values) {
    for (const float value : values)
      if (!std::isnan(value)) return true;
    const auto keys = reader_.Keys(line);
    return keys &&
           std::find_first_of(keys->begin(), keys->end(), names_.begin(),
                              names_.end()) != keys->end();
  }

  std::vector<std::string_view> names_;
  JsonLineReader reader_;
};

// A record is a line: a quoted field holds no line end.
class CsvTable final : public ItemReader {
 public:
  explicit CsvTable(const ItemReaderOptions& options)
      : columns_(options.columns) {}

  bool has_header() const override { return true; }

  // Of the columns there are, those the model reads, in its order.
  Status ReadHeader(std::string_view line) override {
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    MODICUM_TRY(const std::vector<std::string> header, Fields(line, 1));
    auto chosen = ChooseColumns(header, columns_, "");
    if (!chosen)
      return BadLine(1, ": " + chosen.error().message,
                     "the header must name what the model reads: " +
                         fmt::format("{}", fmt::join(columns_, ", ")));
    places_ = *std::move(chosen);
    width_ = header.size();
    return {};
  }

  Status Read(std::string_view line, uint64_t number,
              Payload& payload) override {
    MODICUM_TRY(const std::vector<std::string> fields, Fields(line, number));
    if (fields.size() != width_)
      return BadLine(number,
                     fmt::format(" has {} fields where the header has {}",
                                 fields.size(), width_),
                     "--on-error skip goes on");
    std::vector<float>& values = As<Numbers>(payload).values;
    values.clear();
    for (size_t i = 0; i < places_.size(); ++i) {
      const std::string& cell = fields[places_[i]];
      const auto value = ParseCell(cell);
      if (!value)
        return BadLine(
            number,
            fmt::format(": column '{}': '{}' is {}", columns_[i],
                        CutUtf8(cell, kShownBytes), value.error().message),
            "an empty cell, ?, NA or nan is a missing value; "
            "--on-error skip goes on");
      values.push_back(*value);
    }
    return {};
  }

 private:
  static Result<std::vector<std::string>> Fields(std::string_view line,
                                                 uint64_t number) {
    auto record = CsvReader(line).Next();
    if (record && *record) return **std::move(record);
    if (record) return std::vector<std::string>{};
    // The reader's own "line 1: " counts within the record.
    const std::string& message = record.error().message;
    return BadLine(number, message.substr(message.find(": ")),
                   "a quoted field ends on its line, quotes inside it are "
                   "doubled; --on-error skip goes on");
  }

  const std::vector<std::string>& columns_;
  std::vector<size_t> places_;
  size_t width_ = 0;
};

}  // namespace

std::unique_ptr<ItemReader> MakeItemReader(const ItemReaderOptions& options) {
  if (options.columns.empty() && options.plain)
    return std::make_unique<PlainText>();
  if (options.columns.empty()) return std::make_unique<JsonText>(options);
  if (options.plain) return std::make_unique<CsvTable>(options);
  return std::make_unique<JsonTable>(options);
}

}  // namespace modicum
