// SPDX-License-Identifier: Apache-2.0
// ItemReader: the first byte picks text or table, JSON or plain; the rest is
// lines, of CSV the first the header. An item is of the kind that was asked
// for, a row as wide as the model's; a refusal names the line; reading a line
// again into the same memory gives the same.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/utf8.h"
#include "model/item_reader.h"

namespace {

using modicum::ItemReaderOptions;
using modicum::Numbers;
using modicum::Payload;
using modicum::Status;
using modicum::Text;

void CheckRefusal(const Status& status, uint64_t number) {
  const modicum::Error& error = status.error();
  MODICUM_CHECK(error.code == modicum::ErrorCode::kInvalidInput);
  MODICUM_CHECK(error.message.starts_with("line " + std::to_string(number) +
                                          " of the input"));
  MODICUM_CHECK(!error.hint.empty());
}

void CheckItem(const ItemReaderOptions& options, const Payload& payload) {
  if (options.columns.empty()) {
    const std::string& text = std::get<Text>(payload).text;
    MODICUM_CHECK(options.plain ||
                  modicum::FirstBadByte(text) == std::string::npos);
    return;
  }
  const std::vector<float>& values = std::get<Numbers>(payload).values;
  MODICUM_CHECK(values.size() == options.columns.size());
  for (const float value : values) MODICUM_CHECK(!std::isinf(value));
}

// NaN stands for a missing number and equals itself here.
bool Same(const Payload& a, const Payload& b) {
  if (const Text* text = std::get_if<Text>(&a))
    return text->text == std::get<Text>(b).text;
  const std::vector<float>& left = std::get<Numbers>(a).values;
  const std::vector<float>& right = std::get<Numbers>(b).values;
  for (size_t i = 0; i < left.size(); ++i)
    if (left[i] != right[i] && !(std::isnan(left[i]) && std::isnan(right[i])))
      return false;
  return left.size() == right.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ItemReaderOptions options;
  options.plain = (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) options.columns = {"x", "y"};
  const auto reader = modicum::MakeItemReader(options);
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  Payload payload;
  bool header = reader->has_header();
  for (uint64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const Status status =
        header ? reader->ReadHeader(line) : reader->Read(line, number, payload);
    if (!status) CheckRefusal(status, number);
    if (header && !status) return 0;  // without a header there are no rows
    if (header || !status) {
      header = false;
      continue;
    }
    CheckItem(options, payload);
    const Payload first = payload;
    MODICUM_CHECK(reader->Read(line, number, payload) && Same(first, payload));
  }
  return 0;
}
