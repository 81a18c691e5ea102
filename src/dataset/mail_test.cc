// SPDX-License-Identifier: Apache-2.0
#include "dataset/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "dataset/mail/charset.h"
#include "dataset/mail/html_text.h"
#include "dataset/utf8.h"

namespace modicum {
namespace {

using testing::HasSubstr;
using testing::Not;

// Through the module, as the program reads mail.
MailText Parse(std::string_view raw) {
  static const auto parser = FindMailParser();
  EXPECT_TRUE(parser.has_value()) << parser.error().message;
  return (*parser)->Parse(raw);
}

TEST(Mail, SubjectAndBodyOnly) {
  const MailText mail = Parse(
      "From a@b Mon Jan  1 00:00:00 2002\n"
      "Received: from secret-host\nX-Spam-Status: Yes\n"
      "Subject: Hello\n\tthere\nTo: x@y\n\nFirst line\r\n\r\nFrom here on.\n");
  EXPECT_EQ(mail.subject, "Hello there");
  EXPECT_EQ(mail.body, "First line\n\nFrom here on.");
}

TEST(Mail, EncodedWordsInTheSubject) {
  EXPECT_EQ(
      Parse("Subject: =?iso-8859-1?Q?Caf=E9?= =?utf-8?B?4oKs?=\n\nx").subject,
      "Caf\xC3\xA9\xE2\x82\xAC");
  EXPECT_EQ(Parse("Subject: caf\xE9\n\nx").subject, "caf\xC3\xA9");
}

TEST(Mail, TransferEncodingsAndCharsets) {
  EXPECT_EQ(Parse("Content-Type: text/plain; charset=iso-8859-1\n"
                  "Content-Transfer-Encoding: quoted-printable\n\n"
                  "caf=E9 soft=\n break\n")
                .body,
            "caf\xC3\xA9 soft break");
  EXPECT_EQ(Parse("Content-Type: text/plain; charset=\"utf-8\"\n"
                  "Content-Transfer-Encoding: base64\n\nY2Fmw6k=\n")
                .body,
            "caf\xC3\xA9");
  // "nihongo" in ISO-2022-JP and a word in KOI8-R.
  EXPECT_EQ(Parse("Content-Type: text/plain; charset=iso-2022-jp\n\n"
                  "\x1B$BF|K\\8l\x1B(B\n")
                .body,
            "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E");
  EXPECT_EQ(
      Parse("Content-Type: text/plain; charset=koi8-r\n\n\xC4\xC1\n").body,
      "\xD0\xB4\xD0\xB0");
}

TEST(Mail, WrongUnknownAndMissingCharsets) {
  // The euro sign of windows-1252 under the name that mails give it.
  EXPECT_EQ(
      Parse("Content-Type: text/plain; charset=iso-8859-1\n\n\x80 5").body,
      "\xE2\x82\xAC 5");
  EXPECT_EQ(Parse("Content-Type: text/plain; charset=no-such\n\n\xE9").body,
            "\xC3\xA9");
  EXPECT_EQ(Parse("Subject: x\n\n\xC3\xA9").body, "\xC3\xA9");
}

constexpr char kAlternative[] =
    "Subject: s\nMIME-Version: 1.0\n"
    "Content-Type: multipart/alternative; boundary=B\n\npreamble\n"
    "--B\nContent-Type: text/html\n\n<p>rich</p>\n"
    "--B\nContent-Type: text/plain\n\nplain\n--B--\nepilogue\n";

TEST(Mail, PlainIsPreferredWhereverItStands) {
  EXPECT_EQ(Parse(kAlternative).body, "plain");
}

TEST(Mail, HtmlWhereThePlainPartIsEmpty) {
  std::string mail = kAlternative;
  mail.replace(mail.find("\nplain\n"), 7, "\n \n");
  EXPECT_EQ(Parse(mail).body, "rich");
}

TEST(Mail, PartsInPartsAndForwardedMailsButNoAttachments) {
  const MailText mail = Parse(
      "Subject: s\nContent-Type: multipart/mixed; boundary=A\n\n"
      "--A\nContent-Type: multipart/related; boundary=B\n\n"
      "--B\nContent-Type: text/html\n\n<b>one</b>\n--B--\n"
      "--A\nContent-Type: message/rfc822\n\nSubject: inner\n\ntwo\n"
      "--A\nContent-Type: text/plain\nContent-Disposition: attachment\n\nno\n"
      "--A\nContent-Type: image/png\nContent-Transfer-Encoding: "
      "base64\n\nAAAA\n"
      "--A--\n");
  EXPECT_EQ(mail.body, "one\ntwo");
}

TEST(Mail, HtmlUnderTheNameOfPlainText) {
  EXPECT_EQ(Parse("Subject: s\n\n<html><body>Buy<br>now</body></html>").body,
            "Buy\nnow");
}

TEST(Mail, MalformedMailGivesWhatThereIs) {
  EXPECT_EQ(Parse("").body, "");
  EXPECT_EQ(Parse("no headers at all").subject, "");
  EXPECT_THAT(
      Parse("Subject: s\nContent-Type: multipart/mixed\n\nlost?\n").body,
      HasSubstr("lost?"));
  EXPECT_THAT(Parse("Subject: s\nContent-Type: multipart/mixed; boundary=X\n\n"
                    "--X\n\nnever closed\n")
                  .body,
              HasSubstr("never closed"));
  EXPECT_EQ(Parse(std::string_view("Subject: s\n\na\0b", 15)).body, "ab");
}

TEST(Mail, DeepNestingEnds) {
  std::string mail;
  for (int i = 0; i < 3000; ++i)
    mail += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) +
            "\n\n--b" + std::to_string(i) + "\n";
  Parse(mail + "\ntext\n");
  std::string forwarded;
  for (int i = 0; i < 3000; ++i)
    forwarded += "Content-Type: message/rfc822\n\n";
  Parse(forwarded + "text\n");
}

TEST(Mail, DamagedMailsGiveValidTextWithoutNul) {
  Rng rng(3);
  for (int round = 0; round < 2000; ++round) {
    std::string mail = kAlternative;
    for (int edits = 0; edits < 6; ++edits)
      mail[rng.Below(static_cast<uint32_t>(mail.size()))] =
          static_cast<char>(rng.Below(256));
    const MailText text = Parse(mail);
    ASSERT_EQ(FirstUnusableByte(text.subject), std::string::npos);
    ASSERT_EQ(FirstUnusableByte(text.body), std::string::npos);
  }
}

TEST(Mail, AMissingModuleIsNamed) {
  ASSERT_EQ(setenv("MODICUM_MODULES", "/nonexistent", 1), 0);
  const auto parser = FindMailParser();
  unsetenv("MODICUM_MODULES");
  ASSERT_FALSE(parser.has_value());
  EXPECT_EQ(parser.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(parser.error().message,
            "module libmodicum-mail.so is not installed (searched "
            "/nonexistent)");
}

TEST(HtmlText, TagsBlocksAndSpace) {
  EXPECT_EQ(HtmlToText("<p>One <b>two</b></p><p> three\n\n four<br/>five</p>"),
            "One two\nthree four\nfive");
  EXPECT_EQ(HtmlToText("<a href=\"x>y\" title='>'>link</a> text"), "link text");
  EXPECT_EQ(HtmlToText("a < b > c <3 <"), "a < b > c <3 <");
}

TEST(HtmlText, LeavesOutWhatIsNotShown) {
  EXPECT_EQ(HtmlToText("<title>t</title><STYLE>p {x:'<b>'}</Style >"
                       "V<!-- <b>x -->ia<script>if (a</b) x()</script>gra"),
            "Viagra");
  EXPECT_EQ(HtmlToText("a<!-- never closed> b"), "a b");
  EXPECT_EQ(HtmlToText("a<!doctype html>b<?xml x?>c"), "abc");
  EXPECT_EQ(HtmlToText("a<b never closed"), "a");
}

TEST(HtmlText, Entities) {
  EXPECT_EQ(HtmlToText("&lt;&amp;&quot;&#65;&#x42;&#x43 &eacute&yuml;&euro;"),
            "<&\"ABC \xC3\xA9\xC3\xBF\xE2\x82\xAC");
  EXPECT_EQ(HtmlToText("a&nbsp;&nbsp;b so&shy;ft"), "a b soft");
  EXPECT_EQ(HtmlToText("&#128; &#0; &#xD800; &#99999999999;"),
            "\xE2\x82\xAC \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD");
  EXPECT_EQ(HtmlToText("AT&T &unknown; &#; &#x; &"),
            "AT&T &unknown; &#; &#x; &");
}

TEST(HtmlText, HostileInputTakesLinearTime) {
  // Each of these would be quadratic, or deep, in a careless reader.
  for (const char* unit : {"<b>", "<!--", "<script>", "</", "<a x=\"", "&#",
                           "<p><b id=x>", "<style></stile"}) {
    std::string html;
    while (html.size() < (size_t{1} << 20)) html += unit;
    EXPECT_LE(HtmlToText(html).size(), html.size());
  }
}

TEST(Charset, CodePointsRoundTripThroughUtf8) {
  std::string text;
  for (const char32_t c : {0x7FU, 0x80U, 0x7FFU, 0x800U, 0xFFFFU, 0x10000U,
                           0x10FFFFU, 0xDFFFU, 0x110000U})
    AppendCodePoint(c, text);
  EXPECT_EQ(text,
            "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
            "\xF4\x8F\xBF\xBF\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Charset, EveryByteStringBecomesValidUtf8) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const char* charset : {"", "utf-8", "iso-8859-1", "gb2312", "shift_jis",
                              "utf-16", "utf-7", "euc-kr", "no-such"})
    EXPECT_EQ(FirstBadByte(ToUtf8(bytes, charset)), std::string::npos)
        << charset;
}

}  // namespace
}  // namespace modicum
