// SPDX-License-Identifier: Apache-2.0
// Mail to text: any bytes give valid UTF-8 without NUL.
#include <cstdint>
#include <cstdlib>

#include "dataset/mail/html_text.h"
#include "dataset/mail/mail_text.h"
#include "dataset/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  const modicum::MailText mail = modicum::TextOfMail(raw);
  if (modicum::FirstUnusableByte(mail.subject) != std::string::npos ||
      modicum::FirstUnusableByte(mail.body) != std::string::npos)
    std::abort();
  // Entities only ever shrink: no input can blow up.
  if (modicum::HtmlToText(raw).size() > 2 * raw.size() + 8) std::abort();
  return 0;
}
