// SPDX-License-Identifier: Apache-2.0
// The words of a mail. GMime sits in a module (libmodicum-mail.so), opened
// when first used: only `modicum data` needs it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace modicum {

// Valid UTF-8 without NUL; lines end in LF.
struct MailText {
  std::string subject;
  std::string body;
};

// Thread-safe.
class MailParser {
 public:
  virtual ~MailParser() = default;
  // Subject and readable body of a raw RFC 822 message: MIME parts, transfer
  // encodings and charsets decoded, HTML to text, attachments left out. Other
  // headers are not features: in a corpus they give the label away. Never
  // fails: what is malformed is read as far as it goes.
  virtual MailText Parse(std::string_view raw) const = 0;
};

// What the module exports; the program owns nothing: the parser is a static.
inline constexpr char kMailFactory[] = "modicum_mail_parser_1";
using MailFactory = const MailParser* (*)();

// Opens the module from $MODICUM_MODULES alone when set, else from the
// program's folder or ../lib/modicum beside it. kUnavailable says what is
// missing.
Result<const MailParser*> FindMailParser();

}  // namespace modicum
