// SPDX-License-Identifier: Apache-2.0
// ParagraphsOfManPage on any bytes: valid UTF-8, single-spaced, never longer
// than the page, and for what needs no escape the same when read again.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "dataset/debian/languages.h"
#include "dataset/debian/man_page.h"
#include "dataset/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  size_t total = 0;
  for (const std::string& text : modicum::ParagraphsOfManPage(page)) {
    total += text.size();
    MODICUM_CHECK(!text.empty());
    MODICUM_CHECK(modicum::FirstBadByte(text) == std::string::npos);
    MODICUM_CHECK(text.find("  ") == std::string::npos);
    MODICUM_CHECK(text.front() != ' ' && text.back() != ' ');
    modicum::IsRunningText(text);
    if (text.find_first_of("\\.'") == std::string::npos)
      MODICUM_CHECK(modicum::ParagraphsOfManPage(text) ==
                    std::vector<std::string>{text});
  }
  MODICUM_CHECK(total <= 2 * size);
  return 0;
}
