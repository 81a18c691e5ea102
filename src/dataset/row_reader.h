// SPDX-License-Identifier: Apache-2.0
// One labelled example after another out of a file, whatever its format.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "dataset/line_reader.h"

namespace modicum {

struct Row {
  std::string text;
  std::vector<float> numbers;  // of a table, instead of the text
  std::string label;           // "" where none is asked for
};

// Errors begin with "file:line: ".
class RowReader {
 public:
  virtual ~RowReader() = default;
  // False at the end.
  virtual Result<bool> Next(Row& row) = 0;
  // Of a table, known after the first row; empty for text.
  virtual std::vector<std::string> columns() const { return {}; }
};

// "jsonl", "csv", "tsv", "fasttext", "labelled"
std::span<const std::string_view> DataFormats();
// By the file's extension, else by its first line.
std::string GuessFormat(const std::string& path, std::string_view first_line,
                        const LoadOptions& options);

// `lines` must outlive the reader. kInvalidInput for an unknown format and a
// missing column.
Result<std::unique_ptr<RowReader>> MakeRowReader(std::string_view format,
                                                 LineReader& lines,
                                                 const LoadOptions& options);

}  // namespace modicum
