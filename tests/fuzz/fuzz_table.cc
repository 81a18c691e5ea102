// SPDX-License-Identifier: Apache-2.0
// LoadDataset of a table: the first byte picks format and columns, the rest is
// the file. Rows are of one width, numbers finite or missing, and equal rows
// share a group.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dataset/dataset.h"

namespace {

void CheckRows(const modicum::Dataset& data) {
  MODICUM_CHECK(!data.columns.empty());
  for (const modicum::Item& item : data.items) {
    const auto& values = std::get<modicum::Numbers>(item.payload).values;
    MODICUM_CHECK(values.size() == data.columns.size());
    for (const float value : values) MODICUM_CHECK(!std::isinf(value));
    MODICUM_CHECK(item.label < static_cast<int>(data.labels.size()));
    MODICUM_CHECK(item.group <= item.id);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const int file = memfd_create("fuzz", MFD_CLOEXEC);
  MODICUM_CHECK(file >= 0 && ftruncate(file, 0) == 0 &&
                pwrite(file, data + 1, size - 1, 0) >= 0);
  constexpr const char* kFormats[] = {"csv", "tsv", "jsonl", ""};
  modicum::LoadOptions options;
  options.table = true;
  options.format = kFormats[data[0] % 4];
  options.label = (data[0] & 0x10) != 0 ? "" : "label";
  if ((data[0] & 0x20) != 0) options.columns = {"y", "x"};
  options.bad_bytes = (data[0] & 0x40) != 0 ? modicum::BadBytes::kReplace
                                            : modicum::BadBytes::kRefuse;
  options.max_line_bytes = 1 << 16;
  auto loaded =
      modicum::LoadDataset("/proc/self/fd/" + std::to_string(file), options);
  if (!loaded) return 0;
  modicum::GroupNearDuplicates(*loaded);
  CheckRows(*loaded);
  modicum::Summarize(*loaded);
  return 0;
}
