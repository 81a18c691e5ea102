// SPDX-License-Identifier: Apache-2.0
#include "base/caret.h"

#include <gtest/gtest.h>

namespace modicum {
namespace {

std::string MessageAt(std::string_view text, TextPlace place) {
  return ErrorAt("f", text, place, "bad").message;
}

TEST(ErrorAt, ShowsTheLineWithACaretUnderTheColumn) {
  const Error error =
      ErrorAt("a/b.toml", "one\nregion \"PL\"\n", {2, 8}, "expected '='", "do");
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error.message,
            "a/b.toml:2:8: expected '='\n"
            "    region \"PL\"\n"
            "           ^");
  EXPECT_EQ(error.hint, "do");
}

TEST(ErrorAt, CountsCodePointsAndShowsTabsAsOneColumn) {
  EXPECT_EQ(MessageAt("\tżółć x", {1, 7}),
            "f:1:7: bad\n"
            "     żółć x\n"
            "          ^");
}

TEST(ErrorAt, NothingThatATerminalObeysGetsThrough) {
  EXPECT_EQ(MessageAt("a\x1b[2J\x7f\r\n", {1, 1}),
            "f:1:1: bad\n"
            "    a?[2J?\n"
            "    ^");
}

TEST(ErrorAt, ALongLineIsCutAroundTheCaret) {
  std::string line(1000, '.');
  line[499] = 'X';
  const std::string message = MessageAt(line, {1, 500});
  EXPECT_EQ(message, "f:1:500: bad\n    " + std::string(36, '.') + "X" +
                         std::string(35, '.') + "\n    " +
                         std::string(36, ' ') + "^");
}

TEST(ErrorAt, PlacesOutsideTheTextAreHarmless) {
  EXPECT_EQ(MessageAt("", {1, 1}), "f:1:1: bad\n    \n    ^");
  EXPECT_EQ(MessageAt("x", {9, 0}), "f:9:0: bad\n    \n    ^");
}

}  // namespace
}  // namespace modicum
