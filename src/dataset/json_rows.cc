// SPDX-License-Identifier: Apache-2.0
// Rows of JSON Lines: texts, or a table's numbers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "dataset/json_line.h"
#include "dataset/line_rows.h"
#include "dataset/table_columns.h"

namespace modicum {
namespace {

using KeyColumns = std::vector<std::string>;

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

constexpr std::string_view kChooseHint =
    "columns = [...] in the task chooses what is read; null is a missing value";

// The first row's keys are the columns, unless some are asked for.
class JsonTableRows final : public LineRows {
 public:
  using LineRows::LineRows;

  std::vector<std::string> columns() const override { return columns_; }

  Result<bool> Next(Row& row) override {
    MODICUM_TRY(const auto line, NextFilledLine());
    if (!line) return false;
    MODICUM_RETURN_IF_ERROR(CheckKeys(*line));
    row.numbers.resize(columns_.size());
    std::array<std::string_view, 1> keys{options_.label};
    const size_t wanted = labelled() ? 1 : 0;
    const auto status = reader_.ReadRow(*line, names_, row.numbers,
                                        std::span(keys).first(wanted),
                                        std::span(label_).first(wanted));
    if (!status)
      return At(lines_, status.error().message, std::string(kChooseHint));
    if (!labelled()) return true;
    if (!label_[0])
      return At(lines_, fmt::format("no label: '{}' is missing or null",
                                    options_.label));
    MODICUM_TRY(const std::string_view label, Usable(*label_[0]));
    MODICUM_RETURN_IF_ERROR(CheckLabel(label));
    row.label = label;
    return true;
  }

 private:
  // Sets the columns at the first row. A key that turns up later would be
  // silently left out: an error, unless the columns were asked for.
  Status CheckKeys(std::string_view line) {
    if (!columns_.empty() && !options_.columns.empty()) return {};
    const auto keys = reader_.Keys(line);
    if (!keys)
      return At(lines_, keys.error().message,
                "one JSON object a line is expected; jq -c . writes it so");
    if (columns_.empty()) return SetColumns(*keys);
    for (const std::string& key : *keys)
      if (key != options_.label &&
          std::find(columns_.begin(), columns_.end(), key) == columns_.end())
        return At(lines_, fmt::format("key '{}' is not in the first row", key),
                  std::string(kChooseHint));
    return {};
  }

  Status SetColumns(const KeyColumns& keys) {
    const auto chosen = ChooseColumns(keys, options_.columns, options_.label);
    if (!chosen) return At(lines_, chosen.error());
    for (const size_t index : *chosen) columns_.push_back(keys[index]);
    names_.assign(columns_.begin(), columns_.end());
    return {};
  }

  JsonLineReader reader_;
  KeyColumns columns_;
  std::vector<std::string_view> names_;  // of columns_
  std::array<std::optional<std::string>, 1> label_;
};

}  // namespace

std::unique_ptr<RowReader> MakeJsonRows(LineReader& lines,
                                        const LoadOptions& options) {
  if (options.table) return std::make_unique<JsonTableRows>(lines, options);
  return std::make_unique<JsonRows>(lines, options);
}

}  // namespace modicum
