// SPDX-License-Identifier: Apache-2.0
// A tokenizer only. No tree is built: a parser that repairs the tree can be
// made to need quadratic memory or to overrun its stack by a hostile mail,
// and text needs no tree.
#include "dataset/mail/html_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "dataset/mail/charset.h"

namespace modicum {
namespace {

constexpr size_t kNone = std::string_view::npos;

// HTML 4.01, 24.2: the names of U+00A0 to U+00FF, in order.
constexpr std::array<std::string_view, 96> kLatin1Names = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar",
    "sect",   "uml",    "copy",   "ordf",   "laquo",  "not",    "shy",
    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",
    "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",
    "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute",
    "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",
    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",
    "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",
    "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
    "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute",
    "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave", "uacute",
    "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

// Of 24.3 and 24.4, those that occur in running text.
constexpr std::pair<std::string_view, char32_t> kNames[] = {
    {"amp", '&'},       {"lt", '<'},       {"gt", '>'},
    {"quot", '"'},      {"apos", '\''},    {"euro", 0x20AC},
    {"ndash", 0x2013},  {"mdash", 0x2014}, {"lsquo", 0x2018},
    {"rsquo", 0x2019},  {"sbquo", 0x201A}, {"ldquo", 0x201C},
    {"rdquo", 0x201D},  {"bdquo", 0x201E}, {"bull", 0x2022},
    {"hellip", 0x2026}, {"prime", 0x2032}, {"lsaquo", 0x2039},
    {"rsaquo", 0x203A}, {"trade", 0x2122}, {"larr", 0x2190},
    {"uarr", 0x2191},   {"rarr", 0x2192},  {"darr", 0x2193},
    {"minus", 0x2212},  {"ensp", 0x2002},  {"emsp", 0x2003},
    {"thinsp", 0x2009}, {"zwnj", 0x200C},  {"zwj", 0x200D},
    {"OElig", 0x0152},  {"oelig", 0x0153}, {"Scaron", 0x0160},
    {"scaron", 0x0161}, {"Yuml", 0x0178},  {"dagger", 0x2020}};

constexpr std::string_view kBlocks[] = {
    "address", "blockquote", "body",  "br",   "center", "dd", "div",    "dl",
    "dt",      "fieldset",   "form",  "h1",   "h2",     "h3", "h4",     "h5",
    "h6",      "head",       "hr",    "html", "li",     "ol", "option", "p",
    "pre",     "select",     "table", "td",   "th",     "tr", "ul"};
// Their content is not text of the document.
constexpr std::string_view kSkipped[] = {"script", "style", "title"};

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}
char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(),
                    [](char l, char c) { return l == ToLower(c); });
}

template <size_t kSize>
bool Contains(const std::string_view (&list)[kSize], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// 0 when there is no such name.
char32_t NamedEntity(std::string_view name) {
  for (const auto& [entity, code_point] : kNames)
    if (entity == name) return code_point;
  const auto* at = std::find(kLatin1Names.begin(), kLatin1Names.end(), name);
  if (at == kLatin1Names.end()) return 0;
  return static_cast<char32_t>(0xA0 + (at - kLatin1Names.begin()));
}

class TextOfHtml {
 public:
  explicit TextOfHtml(std::string_view html) : html_(html) {}

  std::string Run() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (c == '<')
        Markup();
      else if (c == '&')
        Entity();
      else
        Put(html_[at_++]);
    }
    while (!text_.empty() && IsSpace(text_.back())) text_.pop_back();
    return std::move(text_);
  }

 private:
  // White space becomes one space, and none at the edge of a line.
  void Put(char c) {
    if (!IsSpace(c)) {
      text_ += c;
    } else if (!text_.empty() && !IsSpace(text_.back())) {
      text_ += ' ';
    }
  }

  void BreakLine() {
    while (!text_.empty() && text_.back() == ' ') text_.pop_back();
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
  }

  void PutCodePoint(char32_t code_point) {
    if (code_point == 0xA0) code_point = ' ';
    if (code_point == 0xAD) return;  // a soft hyphen hides words
    if (code_point < 0x80 && code_point != 0)
      Put(static_cast<char>(code_point));
    else
      AppendCodePoint(code_point, text_);
  }

  void Markup() {
    const std::string_view rest = html_.substr(at_);
    const size_t name = rest.starts_with("</") ? 2 : 1;
    if (rest.starts_with("<!--")) {
      Comment();
    } else if (rest.starts_with("<!") || rest.starts_with("<?")) {
      at_ = After(html_.find('>', at_), 1);
    } else if (rest.size() > name && IsLetter(rest[name])) {
      Tag(name);
    } else {
      Put(html_[at_++]);
    }
  }

  // One that is never closed ends with its first '>', lest a mail be lost.
  // Once one is not, none is: the search is not repeated.
  void Comment() {
    const size_t end =
        comments_close_ ? html_.find("-->", at_ + 4) : std::string_view::npos;
    comments_close_ = end != kNone;
    at_ = comments_close_ ? end + 3 : After(html_.find('>', at_), 1);
  }

  void Tag(size_t name_offset) {
    const bool closing = name_offset == 2;
    const size_t begin = at_ + name_offset;
    size_t end = begin;
    while (end < html_.size() && (IsLetter(html_[end]) || IsDigit(html_[end])))
      ++end;
    std::string name(html_.substr(begin, end - begin));
    std::transform(name.begin(), name.end(), name.begin(), ToLower);
    at_ = AfterAttributes(end);
    if (Contains(kBlocks, name)) BreakLine();
    if (!closing && Contains(kSkipped, name)) SkipElement(name);
  }

  // Past the '>' that is not inside a quoted attribute value.
  size_t AfterAttributes(size_t at) const {
    char quote = 0;
    char before = 0;  // the last character that is not space
    for (; at < html_.size(); ++at) {
      const char c = html_[at];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '>') {
        return at + 1;
      } else if ((c == '"' || c == '\'') && before == '=') {
        quote = c;
      }
      if (!IsSpace(c)) before = c;
    }
    return html_.size();
  }

  void SkipElement(std::string_view name) {
    for (size_t at = html_.find("</", at_); at != kNone;
         at = html_.find("</", at + 2)) {
      if (!StartsWithNoCase(html_.substr(at + 2), name)) continue;
      at_ = at;
      return;
    }
    at_ = html_.size();
  }

  size_t After(size_t found, size_t length) const {
    return found == kNone ? html_.size() : found + length;
  }

  void Entity() {
    const std::string_view rest = html_.substr(at_ + 1, 32);
    const auto [code_point, length] =
        rest.starts_with('#') ? Numeric(rest) : Named(rest);
    if (length == 0) {
      Put(html_[at_++]);
      return;
    }
    at_ += 1 + length;
    if (at_ < html_.size() && html_[at_] == ';') ++at_;
    PutCodePoint(code_point);
  }

  // Code point and length without '&' and ';'; length 0: not an entity.
  using Decoded = std::pair<char32_t, size_t>;

  static Decoded Numeric(std::string_view rest) {
    const bool hex = rest.size() > 1 && ToLower(rest[1]) == 'x';
    const char* begin = rest.data() + (hex ? 2 : 1);
    const char* end = rest.data() + rest.size();
    uint32_t value = 0;
    const auto [stop, error] =
        std::from_chars(std::min(begin, end), end, value, hex ? 16 : 10);
    if (error == std::errc::invalid_argument) return {0, 0};
    if (error != std::errc()) value = 0;
    const char32_t code_point =
        value < 0x100 ? FromWindows1252(static_cast<unsigned char>(value))
                      : char32_t{value};
    return {code_point, static_cast<size_t>(stop - rest.data())};
  }

  static Decoded Named(std::string_view rest) {
    size_t length = 0;
    while (length < rest.size() &&
           (IsLetter(rest[length]) || IsDigit(rest[length])))
      ++length;
    const char32_t code_point = NamedEntity(rest.substr(0, length));
    return {code_point, code_point == 0 ? 0 : length};
  }

  std::string_view html_;
  size_t at_ = 0;
  bool comments_close_ = true;
  std::string text_;
};

}  // namespace

std::string HtmlToText(std::string_view html) { return TextOfHtml(html).Run(); }

bool LooksLikeHtml(std::string_view text) {
  const auto* begin = std::find_if_not(text.begin(), text.end(), IsSpace);
  const auto look = text.substr(static_cast<size_t>(begin - text.begin()), 16);
  return StartsWithNoCase(look, "<html") ||
         StartsWithNoCase(look, "<!doctype html");
}

}  // namespace modicum
