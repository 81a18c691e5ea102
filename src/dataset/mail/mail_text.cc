// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail/mail_text.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>

#include "dataset/mail/charset.h"
#include "dataset/mail/html_text.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

constexpr int kMaxDepth = 32;  // of parts in parts

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

void StartGmime() {
  static const bool started = [] {
    g_mime_init();
    const char* charsets[] = {"utf-8", "windows-1252", "iso-8859-1", nullptr};
    g_mime_parser_options_set_fallback_charsets(
        g_mime_parser_options_get_default(), charsets);
    return true;
  }();
  static_cast<void>(started);
}

std::string_view OrEmpty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// Valid, without NUL and CR, without blank edges.
std::string Clean(std::string text) {
  std::erase(text, '\0');
  if (FirstBadByte(text) != std::string_view::npos)
    text = ReplaceUnusableBytes(text);
  std::erase(text, '\r');
  constexpr std::string_view kSpace = " \t\n\f\v";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  const size_t end = text.find_last_not_of(kSpace) + 1;
  return text.substr(begin, end - begin);
}

std::string AsPlain(std::string text, bool html) {
  return Clean(html || LooksLikeHtml(text) ? HtmlToText(text)
                                           : std::move(text));
}

// The content with its transfer encoding undone.
std::string Decoded(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> memory(g_mime_stream_mem_new());
  if (g_mime_data_wrapper_write_to_stream(content, memory.get()) < 0) return {};
  const GByteArray* bytes =
      g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

std::string TextOf(GMimeObject* object, int depth);

std::string TextOfLeaf(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (!g_mime_content_type_is_type(type, "text", "*")) return {};
  const std::string_view charset =
      OrEmpty(g_mime_content_type_get_parameter(type, "charset"));
  return AsPlain(ToUtf8(Decoded(GMIME_PART(object)), charset),
                 g_mime_content_type_is_type(type, "text", "html") != 0);
}

bool IsType(GMimeObject* object, const char* type, const char* subtype) {
  return g_mime_content_type_is_type(g_mime_object_get_content_type(object),
                                     type, subtype) != 0;
}

// The plain form, else the last that has text: senders put the richest last.
std::string TextOfAlternative(GMimeMultipart* parts, int depth) {
  std::string best;
  for (int i = 0; i < g_mime_multipart_get_count(parts); ++i) {
    GMimeObject* part = g_mime_multipart_get_part(parts, i);
    std::string text = TextOf(part, depth);
    if (text.empty()) continue;
    if (IsType(part, "text", "plain")) return text;
    best = std::move(text);
  }
  return best;
}

std::string TextOfAll(GMimeMultipart* parts, int depth) {
  std::string all;
  for (int i = 0; i < g_mime_multipart_get_count(parts); ++i) {
    const std::string text = TextOf(g_mime_multipart_get_part(parts, i), depth);
    if (text.empty()) continue;
    if (!all.empty()) all += '\n';
    all += text;
  }
  return all;
}

bool IsAttachment(GMimeObject* object) {
  const char* disposition = g_mime_object_get_disposition(object);
  return disposition != nullptr &&
         g_ascii_strcasecmp(disposition, "attachment") == 0;
}

std::string TextOf(GMimeObject* object, int depth) {
  if (object == nullptr || depth > kMaxDepth || IsAttachment(object)) return {};
  if (GMIME_IS_MULTIPART(object)) {
    GMimeMultipart* parts = GMIME_MULTIPART(object);
    return IsType(object, "multipart", "alternative")
               ? TextOfAlternative(parts, depth + 1)
               : TextOfAll(parts, depth + 1);
  }
  if (GMIME_IS_MESSAGE_PART(object)) {
    GMimeMessage* inner =
        g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    return inner == nullptr
               ? std::string()
               : TextOf(g_mime_message_get_mime_part(inner), depth + 1);
  }
  return GMIME_IS_PART(object) ? TextOfLeaf(object) : std::string();
}

// Folders of mails in mbox form begin each with "From sender date".
std::string_view WithoutMboxLine(std::string_view raw) {
  if (!raw.starts_with("From ") && !raw.starts_with(">From ")) return raw;
  return raw.substr(std::min(raw.find('\n'), raw.size() - 1) + 1);
}

// All after the headers, for a mail whose parts cannot be made out.
std::string RawBody(std::string_view raw) {
  size_t at = raw.find("\n\n");
  const size_t crlf = raw.find("\r\n\r\n");
  at = std::min(at, crlf);
  if (at == std::string_view::npos) return {};
  return AsPlain(ToUtf8(raw.substr(at), ""), false);
}

bool IsBrokenMultipart(GMimeObject* root) {
  return root != nullptr && GMIME_IS_MULTIPART(root) &&
         g_mime_multipart_get_count(GMIME_MULTIPART(root)) == 0;
}

}  // namespace

MailText TextOfMail(std::string_view raw) {
  StartGmime();
  raw = WithoutMboxLine(raw);
  const Owned<GMimeStream> stream(
      g_mime_stream_mem_new_with_buffer(raw.data(), raw.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Owned<GMimeMessage> message(
      g_mime_parser_construct_message(parser.get(), nullptr));
  if (!message) return {"", RawBody(raw)};
  GMimeObject* root = g_mime_message_get_mime_part(message.get());
  MailText text;
  text.subject =
      Clean(std::string(OrEmpty(g_mime_message_get_subject(message.get()))));
  for (char& c : text.subject)
    if (c == '\n' || c == '\t') c = ' ';  // a folded header
  text.body = TextOf(root, 0);
  if (text.body.empty() && IsBrokenMultipart(root)) text.body = RawBody(raw);
  return text;
}

}  // namespace modicum
