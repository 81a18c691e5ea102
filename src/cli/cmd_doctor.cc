// SPDX-License-Identifier: Apache-2.0
// `modicum doctor`: what this machine can meter, why not more, and the cure.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/doctor_report.h"
#include "cli/parse.h"

namespace modicum {

Result<int> CmdDoctor(Context& context, const std::vector<std::string>& args) {
  bool settings = false;
  std::string format = "table";
  CLI::App app{
      "Shows what can be metered here, with reasons and cures.\n\n"
      "  modicum doctor               sources of energy, place, ledger, "
      "engines\n"
      "  modicum doctor --settings    every setting and where it came from\n",
      "modicum doctor"};
  app.add_flag("--settings", settings, "Show the settings instead");
  app.add_option("--format", format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  if (const auto code = ParseArgs(app, args)) return *code;
  const bool json = format == "json";
  std::string text;
  if (settings) {
    text =
        json ? SettingsJson(context.settings) : SettingsText(context.settings);
  } else {
    const DoctorFacts facts = GatherFacts(context);
    text = json ? DoctorJson(facts) : DoctorText(facts);
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace modicum
