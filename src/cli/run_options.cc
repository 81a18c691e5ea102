// SPDX-License-Identifier: Apache-2.0
#include "cli/run_options.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/key_value.h"
#include "base/trim.h"
#include "cli/parse.h"
#include "cli/print_error.h"

namespace modicum {
namespace {

void DeclareRepeats(CLI::App& app, RunOptions& options) {
  app.add_option("--repeat", options.repeat,
                 "run it N times: means with intervals")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--cooldown", options.cooldown, "wait between repeats")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 86'400.0));
  app.add_option("--compare", options.compare,
                 "run two shell commands in turn (5 times each, or --repeat): "
                 "their ratio")
      ->type_name("A B")
      ->expected(2);
}

void DeclareOutput(CLI::App& app, RunOptions& options) {
  app.add_option("--per", options.per,
                 "joules per unit of work that the command's output counts: "
                 "token (llama.cpp), image (tqdm) or a POSIX extended regular "
                 "expression; its first group is a number to add up, without "
                 "a group a match counts as one")
      ->type_name("UNIT");
  app.add_option("--phase-marker", options.phase_marker,
                 "an output line that begins so opens a phase named by its "
                 "rest")
      ->type_name("PREFIX");
}

void DeclareBudget(CLI::App& app, RunOptions& options) {
  app.add_option("--budget", options.budget_text,
                 "warn at 80 % of it, exit with 4 past it")
      ->type_name("ENERGY");
  app.add_flag("--budget-kill", options.budget_kill,
               "also end the command past it (SIGTERM)");
}

void Declare(CLI::App& app, RunOptions& options) {
  app.name("modicum run");
  app.add_option("--tag", options.tag_words, "label for the ledger")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--csv", options.csv,
                 "append a row to this file, in CodeCarbon's columns")
      ->type_name("FILE");
  app.add_option("--json", options.json, "write the run as JSON; - is stdout")
      ->type_name("FILE");
  DeclareRepeats(app, options);
  DeclareOutput(app, options);
  DeclareBudget(app, options);
  DeclareHold(app, options.hold);
  app.add_flag("--quiet", options.quiet, "print no bill");
  app.add_flag("--verbose", options.verbose,
               "also the energy split, every factor and everyday equivalents");
  app.add_flag("--live", options.live,
               "show power once a second even when the command has the screen");
  app.add_flag("--no-ledger", options.no_ledger, "record nothing");
  app.footer(
      "\nThe command's exit code is passed on; 127: not found, 126: cannot be "
      "run,\n128 + N: killed by signal N.\n"
      "Settings such as --region and --ledger go before the --;\n"
      "`modicum doctor --settings` lists them.");
}

Status ParseTags(RunOptions& options) {
  for (const std::string& word : options.tag_words) {
    auto tag = ParseKeyValue(word);
    if (!tag)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("--tag {} is not KEY=VALUE", word),
                  "for example --tag team=search");
    options.tags[std::move(tag->first)] = std::move(tag->second);
  }
  return {};
}

Status CheckCommand(const RunOptions& options) {
  if (!options.compare.empty()) {
    if (!options.command.empty())
      return Fail(ErrorCode::kInvalidInput,
                  "--compare takes its two commands itself; one more is behind "
                  "--",
                  "modicum run --compare 'gzip -k x' 'zstd x'");
    return {};
  }
  if (options.command.empty() || options.command[0].empty())
    return Fail(ErrorCode::kInvalidInput, "no command to run",
                "put it behind --: modicum run -- python train.py");
  return {};
}

Status CheckTogether(const RunOptions& options) {
  if (!options.compare.empty() && options.repeat == 1)
    return Fail(ErrorCode::kInvalidInput,
                "--compare needs two runs of each command at least",
                "leave --repeat out for 5");
  if (options.cooldown > 0 && !options.repeats())
    return Fail(ErrorCode::kInvalidInput,
                "--cooldown is between repeats, and there is one run",
                "add --repeat 5");
  if (options.budget_kill && !options.budget)
    return Fail(ErrorCode::kInvalidInput, "--budget-kill without a --budget",
                "for example --budget 2Wh --budget-kill");
  return {};
}

Status Check(RunOptions& options) {
  MODICUM_RETURN_IF_ERROR(ParseTags(options));
  MODICUM_RETURN_IF_ERROR(CheckCommand(options));
  if (!options.budget_text.empty()) {
    MODICUM_TRY(options.budget, ParseEnergy(options.budget_text));
  }
  MODICUM_RETURN_IF_ERROR(CheckTogether(options));
  MODICUM_RETURN_IF_ERROR(CheckHold(options.hold));
  if (!options.compare.empty() && options.repeat == 0) options.repeat = 5;
  return {};
}

}  // namespace

Result<Joules> ParseEnergy(const std::string& text) {
  struct Unit {
    std::string_view name;
    double joules;
  };
  constexpr Unit kUnits[] = {{"J", 1},      {"kJ", 1e3},    {"MJ", 1e6},
                             {"Wh", 3.6e3}, {"kWh", 3.6e6}, {"MWh", 3.6e9}};
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const std::string_view unit =
      Trim(std::string_view(parsed.ptr, static_cast<size_t>(end - parsed.ptr)));
  if (parsed.ec == std::errc() && std::isfinite(value) && value > 0)
    for (const Unit& known : kUnits)
      if (unit == known.name) return Joules(value * known.joules);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("'{}' is not an amount of energy", text),
              "a number and its unit (J, kJ, MJ, Wh, kWh, MWh): 2Wh");
}

std::optional<int> ParseRunOptions(const std::vector<std::string>& args,
                                   RunOptions& options) {
  CLI::App app(
      "Meters a command: joules, carbon, water, money.\n\n"
      "  modicum run -- python train.py\n"
      "  modicum run --tag team=search --csv emissions.csv -- make -j8\n");
  Declare(app, options);
  const auto end = std::find(args.begin(), args.end(), "--");
  if (const auto code = ParseArgs(app, {args.begin(), end},
                                  "put the command behind --: modicum run -- "))
    return code;
  if (end != args.end()) options.command.assign(end + 1, args.end());
  if (const Status fine = Check(options); !fine)
    return UsageError(fine.error());
  return std::nullopt;
}

}  // namespace modicum
