// SPDX-License-Identifier: Apache-2.0
// LoadDataset: rows of any format become items whose labels are numbered by
// name, so that the numbers do not depend on the order of the rows.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "dataset/dataset.h"
#include "dataset/line_reader.h"
#include "dataset/row_reader.h"

namespace modicum {
namespace {

Result<std::string> FormatOf(const std::string& path,
                             const LoadOptions& options) {
  if (!options.format.empty()) return options.format;
  MODICUM_TRY(LineReader lines, LineReader::Open(path, options.max_line_bytes));
  MODICUM_TRY(const auto first, lines.Next());
  return GuessFormat(path, first.value_or(""), options);
}

// Numbers the labels by name; std::map keeps them sorted.
class Labels {
 public:
  LabelIndex Add(const std::string& name) {
    const auto next = static_cast<LabelIndex>(seen_.size());
    return seen_.try_emplace(name, next).first->second;
  }

  // From the order of appearance to that of the names.
  void Settle(Dataset& data) const {
    std::vector<LabelIndex> place(seen_.size());
    for (const auto& [name, index] : seen_) {
      place[static_cast<size_t>(index)] =
          static_cast<LabelIndex>(data.labels.size());
      data.labels.push_back(name);
    }
    for (Item& item : data.items)
      if (item.label != kUnlabelled)
        item.label = place[static_cast<size_t>(item.label)];
  }

 private:
  std::map<std::string, LabelIndex> seen_;
};

Status ReadItems(RowReader& rows, const LoadOptions& options, Dataset& data) {
  Labels labels;
  Row row;
  while (true) {
    MODICUM_TRY(const bool more, rows.Next(row));
    if (!more) break;
    Item item;
    item.id = item.group = data.items.size();
    if (!options.label.empty()) item.label = labels.Add(row.label);
    if (options.table)
      item.payload = Numbers{std::move(row.numbers)};
    else
      item.payload = Text{std::move(row.text)};
    data.items.push_back(std::move(item));
  }
  labels.Settle(data);
  data.columns = rows.columns();
  return {};
}

}  // namespace

Result<Dataset> LoadDataset(const std::string& path,
                            const LoadOptions& options) {
  MODICUM_TRY(const std::string format, FormatOf(path, options));
  MODICUM_TRY(LineReader lines, LineReader::Open(path, options.max_line_bytes));
  Sha256 hash;
  lines.HashInto(&hash);
  MODICUM_TRY(const auto rows, MakeRowReader(format, lines, options));
  Dataset data;
  data.name = std::filesystem::path(path).stem().string();
  MODICUM_RETURN_IF_ERROR(ReadItems(*rows, options, data));
  if (data.items.empty())
    return Fail(ErrorCode::kInvalidInput, path + ": no rows: the file is empty",
                "each line should hold one example");
  data.hash = hash.Finish();
  return data;
}

}  // namespace modicum
