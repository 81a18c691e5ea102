// SPDX-License-Identifier: Apache-2.0
// libmodicum-debian.so
#include "dataset/debian.h"
#include "dataset/debian/languages.h"
#include "dataset/debian/r_frame.h"

namespace modicum {
namespace {

class Reader final : public DebianReader {
 public:
  Result<std::vector<Paragraph>> Languages(
      const std::string& folder, const PageStep& step) const override {
    return ReadLanguages(folder, step);
  }
  Result<std::string> Table(std::string_view frame,
                            std::string_view label) const override {
    MODICUM_TRY(const std::vector<RColumn> columns, ReadRFrame(frame));
    return TableOfFrame(columns, label);
  }
};

}  // namespace
}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const modicum::DebianReader*
modicum_debian_reader_1() {
  static const modicum::Reader reader;
  return &reader;
}
