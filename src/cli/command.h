// SPDX-License-Identifier: Apache-2.0
// A command is a row in command_table.cc and a function in cmd_<name>.cc.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/root_fs.h"
#include "base/settings.h"

namespace modicum {

// Exit codes of the program.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitBelowQuality = 3;
inline constexpr int kExitInterrupted = 130;

// What main gives every command. Results go to stdout, all else to stderr.
struct Context {
  Settings settings;  // flags of SettingRows() are parsed by main already
  const RootFs& fs;
  Clock& clock;
  std::stop_token stop;  // asked to stop by SIGINT or SIGTERM
};

// `args` without program and command name and without settings' flags.
// Returns the exit code; main prints an Error as
//   modicum: error: <message>\n  hint: <hint>
// and maps its code to an exit code. A wrong flag or argument is not an Error
// but kExitUsage: see ParseArgs() and UsageError().
using CommandFunction = Result<int> (*)(Context& context,
                                        const std::vector<std::string>& args);

struct Command {
  std::string_view name;
  std::string_view summary;  // one line for `modicum --help`
  CommandFunction run;
};
std::span<const Command> Commands();

Result<int> CmdFit(Context& context, const std::vector<std::string>& args);
Result<int> CmdTrain(Context& context, const std::vector<std::string>& args);
Result<int> CmdPredict(Context& context, const std::vector<std::string>& args);
Result<int> CmdGenerate(Context& context, const std::vector<std::string>& args);
Result<int> CmdEmbed(Context& context, const std::vector<std::string>& args);
Result<int> CmdPerplexity(Context& context,
                          const std::vector<std::string>& args);
Result<int> CmdBench(Context& context, const std::vector<std::string>& args);
Result<int> CmdShrink(Context& context, const std::vector<std::string>& args);
Result<int> CmdPlan(Context& context, const std::vector<std::string>& args);
Result<int> CmdRun(Context& context, const std::vector<std::string>& args);
Result<int> CmdAgent(Context& context, const std::vector<std::string>& args);
Result<int> CmdWatch(Context& context, const std::vector<std::string>& args);
Result<int> CmdTune(Context& context, const std::vector<std::string>& args);
Result<int> CmdLedger(Context& context, const std::vector<std::string>& args);
Result<int> CmdVerify(Context& context, const std::vector<std::string>& args);
Result<int> CmdCompare(Context& context, const std::vector<std::string>& args);
Result<int> CmdReport(Context& context, const std::vector<std::string>& args);
Result<int> CmdBoard(Context& context, const std::vector<std::string>& args);
Result<int> CmdKeygen(Context& context, const std::vector<std::string>& args);
Result<int> CmdSign(Context& context, const std::vector<std::string>& args);
Result<int> CmdDoctor(Context& context, const std::vector<std::string>& args);
Result<int> CmdCalibrate(Context& context,
                         const std::vector<std::string>& args);
Result<int> CmdImport(Context& context, const std::vector<std::string>& args);
Result<int> CmdData(Context& context, const std::vector<std::string>& args);

}  // namespace modicum
