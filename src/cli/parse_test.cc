// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

// A command with one of each, and what parsing it printed.
struct Parsed {
  explicit Parsed(const std::vector<std::string>& args) {
    CLI::App app{"Does it.", "modicum x"};
    app.add_option("--count", count, "how many")->required();
    app.add_flag("--force", force, "really");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    code = ParseArgs(app, args);
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
  }
  int count = 0;
  bool force = false;
  std::optional<int> code;
  std::string out, err;
};

TEST(ParseArgs, FillsTheVariables) {
  const Parsed parsed({"--count", "3", "--force"});
  EXPECT_EQ(parsed.code, std::nullopt);
  EXPECT_EQ(parsed.count, 3);
  EXPECT_TRUE(parsed.force);
  EXPECT_EQ(parsed.out + parsed.err, "");
}

TEST(ParseArgs, HelpGoesToStdout) {
  const Parsed parsed({"--help"});
  EXPECT_EQ(parsed.code, kExitOk);
  EXPECT_EQ(parsed.err, "");
  EXPECT_THAT(parsed.out, ::testing::StartsWith("Does it.\n"
                                                "Usage: modicum x [OPTIONS]"));
  EXPECT_THAT(parsed.out,
              ::testing::HasSubstr("`modicum doctor --settings` lists them."));
}

TEST(ParseArgs, AnUnknownOptionGetsTheNearestOfCommandOrSettings) {
  Parsed parsed({"--count", "3", "--forec"});
  EXPECT_EQ(parsed.code, kExitUsage);
  EXPECT_EQ(parsed.out, "");
  EXPECT_EQ(parsed.err,
            "modicum: error: unknown option '--forec', did you mean "
            "'--force'?\n"
            "  hint: `modicum x --help` shows what it takes\n");
  EXPECT_THAT(Parsed({"--count", "3", "--regoin=PL"}).err,
              ::testing::StartsWith("modicum: error: unknown option "
                                    "'--regoin', did you mean '--region'?\n"));
}

TEST(ParseArgs, WhatElseIsWrongIsNamed) {
  EXPECT_THAT(
      Parsed({"--count", "3", "extra"}).err,
      ::testing::StartsWith("modicum: error: unexpected argument 'extra'\n"));
  EXPECT_THAT(Parsed({"--count"}).err,
              ::testing::StartsWith(
                  "modicum: error: --count: 1 required INT missing\n"));
  EXPECT_THAT(Parsed({}).err,
              ::testing::StartsWith("modicum: error: --count is required\n"));
  EXPECT_THAT(
      Parsed({"--count", "many"}).err,
      ::testing::StartsWith("modicum: error: cannot read --count = many\n"));
}

TEST(ErrorText, HintLinesAlign) {
  const Error error{ErrorCode::kIo, "it broke", "do this\nor that"};
  EXPECT_EQ(ErrorText(error, false),
            "modicum: error: it broke\n"
            "  hint: do this\n"
            "        or that\n");
  EXPECT_EQ(ErrorText({ErrorCode::kIo, "it broke", ""}, true),
            "modicum: \x1b[1;31merror:\x1b[0m it broke\n");
}

}  // namespace
}  // namespace modicum
