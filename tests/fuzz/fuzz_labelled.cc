// SPDX-License-Identifier: Apache-2.0
// LoadDataset in every format: the first byte picks it, the rest is the file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "dataset/dataset.h"
#include "dataset/row_reader.h"
#include "dataset/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const int file = memfd_create("fuzz", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, 0) != 0 ||
      pwrite(file, data + 1, size - 1, 0) < 0)
    std::abort();
  const auto formats = modicum::DataFormats();
  modicum::LoadOptions options;
  options.format = formats[data[0] % formats.size()];
  options.label = (data[0] & 0x40) != 0 ? "" : "label";
  options.bad_bytes = (data[0] & 0x80) != 0 ? modicum::BadBytes::kReplace
                                            : modicum::BadBytes::kRefuse;
  options.max_line_bytes = 1 << 16;
  const auto loaded =
      modicum::LoadDataset("/proc/self/fd/" + std::to_string(file), options);
  if (!loaded) return 0;
  for (const modicum::Item& item : loaded->items) {
    const auto& text = std::get<modicum::Text>(item.payload).text;
    if (modicum::FirstUnusableByte(text) != std::string::npos) std::abort();
    if (item.label >= static_cast<int>(loaded->labels.size())) std::abort();
  }
  return 0;
}
