// SPDX-License-Identifier: Apache-2.0
// CsvReader on any bytes: it ends, names a line that exists, and what it read
// reads back the same once written with CsvField.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/csv.h"

namespace {

using modicum::CsvReader;
using Records = std::vector<std::vector<std::string>>;

std::string Written(const std::vector<std::string>& record, char separator) {
  // An empty line would be skipped.
  if (record.size() == 1 && record[0].empty()) return "\"\"\n";
  std::string line;
  for (size_t i = 0; i < record.size(); ++i) {
    if (i > 0) line += separator;
    line += modicum::CsvField(record[i], separator);
  }
  return line + '\n';
}

Records ReadAll(std::string_view text, char separator) {
  const auto lines = static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }));
  Records records;
  CsvReader reader(text, separator);
  while (true) {
    auto record = reader.Next();
    if (!record || !*record) return records;
    MODICUM_CHECK(reader.line() >= 1 && reader.line() <= lines + 1);
    MODICUM_CHECK(!(*record)->empty());
    records.push_back(**std::move(record));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char separator : {',', '\t'}) {
    const Records records = ReadAll(text, separator);
    std::string written;
    for (const auto& record : records) written += Written(record, separator);
    MODICUM_CHECK(ReadAll(written, separator) == records);
  }
  return 0;
}
