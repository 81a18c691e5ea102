// SPDX-License-Identifier: Apache-2.0
// Data out of Debian packages. What reads their formats sits in a module
// (libmodicum-debian.so), opened when first used: only `modicum data` needs it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace modicum {

// A paragraph of a manual page.
struct Paragraph {
  std::string text;
  std::string language;  // ISO 639-1
  std::string page;      // "ls.1"
  size_t number = 0;     // within the page, 0-based
};

// Asked before each page is read; its error ends the reading.
using PageStep = std::function<Status(size_t page, size_t pages)>;

// Thread-safe.
class DebianReader {
 public:
  virtual ~DebianReader() = default;
  // Paragraphs to tell languages by, of the unpacked manual pages below
  // `folder`; see debian/languages.h.
  virtual Result<std::vector<Paragraph>> Languages(
      const std::string& folder, const PageStep& step) const = 0;
  // A data frame of R, decompressed, as CSV with the factor `label` first; see
  // debian/r_frame.h.
  virtual Result<std::string> Table(std::string_view frame,
                                    std::string_view label) const = 0;
};

// What the module exports; the program owns nothing: the reader is a static.
inline constexpr char kDebianFactory[] = "modicum_debian_reader_1";
using DebianFactory = const DebianReader* (*)();

// Opens the module; kUnavailable says what is missing.
Result<const DebianReader*> FindDebianReader();

}  // namespace modicum
