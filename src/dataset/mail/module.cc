// SPDX-License-Identifier: Apache-2.0
// libmodicum-mail.so
#include "dataset/mail.h"
#include "dataset/mail/mail_text.h"

namespace modicum {
namespace {

class Parser final : public MailParser {
 public:
  MailText Parse(std::string_view raw) const override {
    return TextOfMail(raw);
  }
};

}  // namespace
}  // namespace modicum

extern "C" __attribute__((visibility("default"))) const modicum::MailParser*
modicum_mail_parser_1() {
  static const modicum::Parser parser;
  return &parser;
}
