// SPDX-License-Identifier: Apache-2.0
#include "cli/print_error.h"

#include <cstdio>

#include "base/terminal.h"
#include "cli/command.h"

namespace modicum {
namespace {

// Every line after the first starts with `indent`.
std::string Indented(const std::string& text, const char* indent) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

}  // namespace

std::string ErrorText(const Error& error, bool colour) {
  std::string text =
      colour ? "modicum: \x1b[1;31merror:\x1b[0m " : "modicum: error: ";
  text += error.message + '\n';
  if (!error.hint.empty())
    text += "  hint: " + Indented(error.hint, "        ") + '\n';
  return text;
}

void PrintError(const Error& error) {
  std::fputs(ErrorText(error, UseColour(stderr)).c_str(), stderr);
}

int UsageError(const Error& error) {
  PrintError(error);
  return kExitUsage;
}

}  // namespace modicum
