// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "base/settings.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

std::string Guess(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      known.push_back("--" + name);
  for (const SettingRow& row : SettingRows())
    known.push_back(SettingFlag(row.key));
  const std::vector<std::string_view> views(known.begin(), known.end());
  return DidYouMean(word, views);
}

// What is wrong with words that the command does not know.
std::string UnexpectedWords(const CLI::App& app, const CLI::Error& error) {
  const std::vector<std::string> words = app.remaining();
  if (words.empty()) return error.what();
  const std::string word = words[0].substr(0, words[0].find('='));
  if (word[0] != '-') return "unexpected argument '" + words[0] + "'";
  return "unknown option '" + word + "'" + Guess(app, word);
}

bool IsStray(const CLI::App& app, const CLI::ParseError& error) {
  return dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr &&
         !app.remaining().empty() && app.remaining()[0][0] != '-';
}

std::string MissingSubcommand(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({}))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return "say which: " + names;
}

std::string Problem(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    return UnexpectedWords(app, error);
  if (std::string_view(error.what()) == "A subcommand is required")
    return MissingSubcommand(app);
  constexpr std::string_view kNoNumber = "Could not convert: ";
  const std::string_view what = error.what();
  if (what.starts_with(kNoNumber))
    return "cannot read " + std::string(what.substr(kNoNumber.size()));
  return std::string(what);
}

}  // namespace

std::optional<int> ParseArgs(CLI::App& app,
                             const std::vector<std::string>& args,
                             std::string_view stray) {
  app.get_formatter()->column_width(28);
  if (app.get_footer().empty())
    app.footer(
        "\nSettings such as --region and --ledger go with every command:\n"
        "`modicum doctor --settings` lists them.");
  try {
    // CLI11 wants the words last to first.
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return UsageError(
        {ErrorCode::kInvalidInput, Problem(app, error),
         !stray.empty() && IsStray(app, error)
             ? std::string(stray) + app.remaining()[0]
             : "`" + app.get_name() + " --help` shows what it takes"});
  }
}

}  // namespace modicum
