// SPDX-License-Identifier: Apache-2.0
// A tokenizer, not a formatter: requests end paragraphs or style words, and
// nothing is expanded, so that time is linear in the page.
#include "dataset/debian/man_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "dataset/mail/charset.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

constexpr size_t kNone = std::string_view::npos;

using Names = std::string_view;

// Whether `name` is a word of `names`, words being between spaces.
bool IsOneOf(std::string_view name, Names names) {
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find(' ', at), names.size());
    if (names.substr(at, end - at) == name) return true;
    at = end + 1;
  }
  return false;
}

constexpr Names kSpaced = "B I SM SB";          // arguments with spaces between
constexpr Names kJoined = "BR RB BI IB IR RI";  // and without
constexpr Names kInline = "UR UE MT ME PD ad na hy nh ne ft in ti ta ie el if";
constexpr Names kSkipNext = "TP TQ";  // the next line is a tag
constexpr Names kHeading = "SH SS";   // without arguments likewise

// What begins a block that is no running text, and what ends it.
constexpr std::pair<std::string_view, std::string_view> kBlocks[] = {
    {"nf", "fi"}, {"EX", "EE"}, {"TS", "TE"}, {"EQ", "EN"},
    {"de", "."},  {"am", "."},  {"ig", "."}};

// groff_char(7), those that occur in text.
constexpr std::pair<std::string_view, std::string_view> kCharacters[] = {
    {"aq", "'"},
    {"dq", "\""},
    {"lq", "\xE2\x80\x9C"},
    {"rq", "\xE2\x80\x9D"},
    {"oq", "\xE2\x80\x98"},
    {"cq", "\xE2\x80\x99"},
    {"Bq", "\xE2\x80\x9E"},
    {"Fo", "\xC2\xAB"},
    {"Fc", "\xC2\xBB"},
    {"em", "\xE2\x80\x94"},
    {"en", "\xE2\x80\x93"},
    {"hy", "-"},
    {"mi", "-"},
    {"ha", "^"},
    {"ti", "~"},
    {"rs", "\\"},
    {"sl", "/"},
    {"bu", "\xE2\x80\xA2"},
    {"co", "\xC2\xA9"},
    {"rg", "\xC2\xAE"},
    {"+-", "\xC2\xB1"},
    {"mu", "\xC3\x97"},
    {"<=", "\xE2\x89\xA4"},
    {">=", "\xE2\x89\xA5"},
    {"->", "\xE2\x86\x92"},
    {"ss", "\xC3\x9F"},
    {"ga", "`"},
    {"at", "@"},
    {"sh", "#"},
    {"Do", "$"},
    {"bv", "|"},
    {"lB", "["},
    {"rB", "]"},
    {"lC", "{"},
    {"rC", "}"},
    {"pl", "+"},
    {"eq", "="}};

class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  // The text without escapes; a comment ends it.
  std::string Resolve() {
    while (at_ < text_.size() && !comment_) {
      if (text_[at_] == '\\')
        Escape();
      else
        out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  char Take() { return at_ < text_.size() ? text_[at_++] : '\0'; }

  // A character taken by its first byte is taken whole.
  void FinishCharacter() {
    while (at_ < text_.size() &&
           (static_cast<unsigned char>(text_[at_]) & 0xC0U) == 0x80)
      ++at_;
  }

  // The name of a font, string or character: x, (xx or [...].
  std::string_view TakeName() {
    const size_t begin = at_;
    const char first = Take();
    if (first == '(') {
      at_ = std::min(at_ + 2, text_.size());
      FinishCharacter();
      return text_.substr(begin + 1, at_ - begin - 1);
    }
    FinishCharacter();
    if (first != '[') return text_.substr(begin, at_ - begin);
    at_ = std::min(text_.find(']', at_), text_.size());
    const std::string_view name = text_.substr(begin + 1, at_ - begin - 1);
    Take();
    return name;
  }

  // An argument between two equal characters, most often quotes.
  void SkipDelimited() {
    const char quote = Take();
    if (quote == '\0') return;
    at_ = std::min(text_.find(quote, at_), text_.size());
    Take();
    FinishCharacter();
  }

  // \s+2, \s-2, \s0, \s[...].
  void SkipSize() {
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    TakeName();
  }

  void PutCharacter(std::string_view name) {
    for (const auto& [known, text] : kCharacters)
      if (known == name) {
        out_ += text;
        return;
      }
    uint32_t code = 0;
    if (!name.starts_with('u')) return;
    const char* end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + 1, end, code, 16);
    if (read.ptr == end && read.ec == std::errc()) AppendCodePoint(code, out_);
  }

  void Escape() {
    ++at_;
    const char c = Take();
    if (c == '"' || c == '#') {
      comment_ = true;
    } else if (c == '(' || c == '[') {
      --at_;
      PutCharacter(TakeName());
    } else if (IsAnyOf(c, "fFmMgkYnV*")) {
      TakeName();
    } else if (c == 's') {
      SkipSize();
    } else if (IsAnyOf(c, "hvwlLbDoNACRSXZ")) {
      SkipDelimited();
    } else if (IsAnyOf(c, " ~0")) {
      out_ += ' ';
    } else if (IsAnyOf(c, "e\\")) {
      out_ += '\\';
    } else if (!IsAnyOf(c, std::string_view("\0&,/|^:%)!?udrptcaz{}", 21))) {
      out_ += c;  // as roff does with what it does not know
    }
  }

  static bool IsAnyOf(char c, std::string_view set) {
    return set.find(c) != kNone;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool comment_ = false;
  std::string out_;
};

// The arguments of a request; quotes keep spaces, as in "a b".
std::vector<std::string_view> Arguments(std::string_view rest) {
  std::vector<std::string_view> arguments;
  for (size_t at = rest.find_first_not_of(" \t"); at < rest.size();) {
    const bool quoted = rest[at] == '"';
    if (quoted) ++at;
    size_t end = at;
    while (end < rest.size() &&
           (quoted ? rest[end] != '"' : rest[end] != ' ' && rest[end] != '\t'))
      end += rest[end] == '\\' ? 2 : 1;
    end = std::min(end, rest.size());
    arguments.push_back(rest.substr(at, end - at));
    at = rest.find_first_not_of(" \t", end + (quoted ? 1 : 0));
  }
  return arguments;
}

class Page {
 public:
  std::vector<std::string> Read(std::string_view page) {
    for (size_t at = 0; at < page.size() && !mdoc_;) {
      const size_t end = std::min(page.find('\n', at), page.size());
      TakeLine(page.substr(at, end - at));
      at = end + 1;
    }
    Break();
    if (mdoc_) return {};
    return std::move(paragraphs_);
  }

 private:
  void TakeLine(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('.') || line.starts_with('\''))
      TakeRequest(line.substr(1));
    else if (until_.empty() && !std::exchange(skip_next_, false))
      TakeText(line);
  }

  void TakeText(std::string_view line) {
    if (line.empty() || line[0] == ' ' || line[0] == '\t') Break();
    Append(Line(line).Resolve());
  }

  void TakeRequest(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view name = line.substr(0, end);
    if (name.starts_with("\\\"")) return;
    if (!until_.empty()) {
      if (name == until_) until_ = {};
      return;
    }
    if (IsOneOf(name, kSpaced) || IsOneOf(name, kJoined))
      TakeStyled(name, line.substr(end));
    else if (!name.empty() && !IsOneOf(name, kInline))
      TakeBreak(name, line.substr(end));
  }

  void TakeStyled(std::string_view name, std::string_view rest) {
    const auto arguments = Arguments(rest);
    // Without arguments the style is of the next line.
    if (arguments.empty()) return;
    if (std::exchange(skip_next_, false)) return;
    std::string text;
    for (const std::string_view argument : arguments) {
      if (!text.empty() && IsOneOf(name, kSpaced)) text += ' ';
      text += Line(argument).Resolve();
    }
    Append(text);
  }

  void TakeBreak(std::string_view name, std::string_view rest) {
    Break();
    mdoc_ = mdoc_ || IsOneOf(name, "Dd Sh");
    skip_next_ = IsOneOf(name, kSkipNext) ||
                 (IsOneOf(name, kHeading) && Arguments(rest).empty());
    for (const auto& [begin, end] : kBlocks)
      if (name == begin) until_ = end;
  }

  // Words joined by single spaces. \[u000A] brings a line end.
  void Append(std::string_view text) {
    constexpr std::string_view kSpace = " \t\v\f\r\n";
    for (size_t at = text.find_first_not_of(kSpace); at < text.size();) {
      const size_t end = std::min(text.find_first_of(kSpace, at), text.size());
      if (!paragraph_.empty()) paragraph_ += ' ';
      paragraph_ += text.substr(at, end - at);
      at = text.find_first_not_of(kSpace, end);
    }
  }

  void Break() {
    if (!paragraph_.empty()) paragraphs_.push_back(std::move(paragraph_));
    paragraph_.clear();
  }

  std::vector<std::string> paragraphs_;
  std::string paragraph_;
  std::string_view until_;  // the request that ends what is passed over
  bool skip_next_ = false;
  bool mdoc_ = false;
};

}  // namespace

std::vector<std::string> ParagraphsOfManPage(std::string_view page) {
  if (FirstUnusableByte(page) != kNone) return {};
  return Page().Read(page);
}

}  // namespace modicum
