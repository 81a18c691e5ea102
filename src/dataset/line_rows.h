// SPDX-License-Identifier: Apache-2.0
// What the readers of rows share: usable lines, and errors that say where.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataset/dataset.h"
#include "dataset/line_reader.h"
#include "dataset/row_reader.h"

namespace modicum {

// kInvalidInput, "file:line: message".
tl::unexpected<Error> At(const LineReader& lines, std::string_view message,
                         std::string hint = {});
tl::unexpected<Error> At(const LineReader& lines, const Error& error);

class LineRows : public RowReader {
 public:
  LineRows(LineReader& lines, const LoadOptions& options)
      : lines_(lines), options_(options) {}

 protected:
  // The next line of usable text; nullopt at the end.
  Result<std::optional<std::string_view>> NextLine();
  // The next line that is not blank.
  Result<std::optional<std::string_view>> NextFilledLine();
  // `text`, or with its unusable bytes replaced where that is asked for.
  Result<std::string_view> Usable(std::string_view text);
  Status CheckLabel(std::string_view label) const;
  bool labelled() const { return !options_.label.empty(); }

  LineReader& lines_;
  const LoadOptions& options_;

 private:
  std::string replaced_;
};

// Rows of JSON Lines: of text or, where the options say so, of a table.
std::unique_ptr<RowReader> MakeJsonRows(LineReader& lines,
                                        const LoadOptions& options);

}  // namespace modicum
