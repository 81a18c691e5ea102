// SPDX-License-Identifier: Apache-2.0
// One line of predict's input as an item: text or a row of numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/item.h"

namespace modicum {

struct ItemReaderOptions {
  bool plain = false;  // bare text, or of a table CSV; else JSON objects
  std::string field = "text";             // of a JSON line
  std::vector<std::string> columns = {};  // of a table; empty: text
  bool can_skip = true;                   // --on-error skip is there, for hints
};

// Errors begin with "line N of the input". Not thread-safe.
class ItemReader {
 public:
  virtual ~ItemReader() = default;
  // Whether the first line names columns.
  virtual bool has_header() const { return false; }
  virtual Status ReadHeader(std::string_view /*line*/) { return {}; }
  // Whether a blank line is no item.
  virtual bool skips_blank() const { return true; }
  // Into `payload`, whose memory it reuses. kInvalidInput for a bad line.
  virtual Status Read(std::string_view line, uint64_t number,
                      Payload& payload) = 0;
};

// `options` must outlive the reader.
std::unique_ptr<ItemReader> MakeItemReader(const ItemReaderOptions& options);

}  // namespace modicum
