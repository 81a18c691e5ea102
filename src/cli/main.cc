// SPDX-License-Identifier: Apache-2.0
// The program: settings' flags out of the words, the command's row out of the
// table, run it, and see that everything it printed arrived.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "base/suggest.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/print_error.h"
#include "cli/stop_signals.h"
#include "model/neural.h"
#include "place/place.h"

namespace modicum {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kExamples =
    "  modicum fit examples/spam/task.toml    which model is good enough, and "
    "cheapest?\n"
    "  modicum run -- python train.py         what did this command cost?\n";

std::string Help() {
  std::string text = fmt::format(
      "Measures what AI costs and finds the cheapest model that is good "
      "enough.\n\n{}\nUsage: modicum <command> [options]\n\n",
      kExamples);
  for (const Command& command : Commands())
    text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  return text +
         "\n`modicum <command> --help` shows a command's options,\n"
         "`modicum doctor --settings` what goes with every command "
         "(--region, --ledger).\n";
}

int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBelowQuality:
      return kExitBelowQuality;
    case ErrorCode::kInterrupted:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

int UnknownWord(const std::string& word) {
  std::vector<std::string> known = {"--help", "--version", "help"};
  for (const Command& command : Commands()) known.emplace_back(command.name);
  for (const SettingRow& row : SettingRows())
    known.push_back(SettingFlag(row.key));
  const std::vector<std::string_view> views(known.begin(), known.end());
  return UsageError({ErrorCode::kInvalidInput,
                     fmt::format("unknown {} '{}'{}",
                                 word.starts_with("-") ? "option" : "command",
                                 word, DidYouMean(word, views)),
                     "`modicum --help` lists the commands"});
}

const Command* FindCommand(std::string_view name) {
  for (const Command& command : Commands())
    if (command.name == name) return &command;
  return nullptr;
}

bool AsksForHelp(const Words& args) {
  const auto end = std::find(args.begin(), args.end(), "--");
  return std::any_of(args.begin(), end, [](const std::string& word) {
    return word == "--help" || word == "-h";
  });
}

// Which places there are the settings do not know.
Status CheckPlace(const Settings& settings) {
  const auto check = [&](const char* key, const PlaceQuery& query) -> Status {
    const auto place = FindPlace(query);
    if (place) return {};
    // "file modicum.toml:3", "environment MODICUM_REGION", "flag --region"
    const std::string& origin = settings.origins.at(key);
    return Fail(
        ErrorCode::kInvalidInput,
        origin.substr(origin.find(' ') + 1) + ": " + place.error().message,
        place.error().hint);
  };
  MODICUM_RETURN_IF_ERROR(check("region", {.region = settings.region}));
  return check("provider", {.provider = settings.provider});
}

int RunCommand(const Command& command, const Words& args, SettingFlags flags) {
  SettingSources sources = DefaultSettingSources();
  sources.flags = std::move(flags);
  Result<Settings> settings = LoadSettings(sources);
  // The doctor has it among its findings.
  if (settings && command.name != "doctor")
    if (const Status place = CheckPlace(*settings); !place)
      settings = Fail(place.error());
  // Help must not need a sound settings file.
  if (!settings && !AsksForHelp(args)) return UsageError(settings.error());

  // For tests: a recorded machine instead of this one's /sys and /proc.
  const char* root = std::getenv("MODICUM_ROOT");
  const RootFs fs(root == nullptr ? "" : root);
  const StopSignals signals;
  if (settings && std::getenv("MODICUM_TRUST") == nullptr)
    GuardNetworks({"/proc/self/exe", settings->data_dir + "/networks-tried"});
  Context context{settings.value_or(Settings()), fs, SystemClock(),
                  signals.token()};
  const Result<int> code = command.run(context, args);
  if (code) return *code;
  PrintError(code.error());
  return ExitCodeOf(code.error().code);
}

// What a child of ours is started for: see NetworkGuard. Not for users.
int TryNetwork(std::span<const std::string> files) {
  if (const auto engine = FindNeuralEngine()) (*engine)->TryAndEnd(files);
  return kExitFailed;
}

int Dispatch(Words words) {
  if (words.size() >= 2 && words[0] == kTryNetwork)
    return TryNetwork(std::span(words).subspan(1));
  Result<SettingFlags> flags = TakeSettingFlags(words);
  if (!flags) return UsageError(flags.error());
  if (words.empty()) {
    std::fputs(Help().c_str(), stderr);
    return kExitUsage;
  }
  std::string first = words.front();
  words.erase(words.begin());
  if (first == "help" && !words.empty()) {  // help fit = fit --help
    first = words.front();
    words = {"--help"};
  }
  if (first == "--help" || first == "-h" || first == "help") {
    std::fputs(Help().c_str(), stdout);
    return kExitOk;
  }
  if (first == "--version") {
    std::fputs(fmt::format("modicum {}\n", Version()).c_str(), stdout);
    return kExitOk;
  }
  const Command* command = FindCommand(first);
  return command ? RunCommand(*command, words, *std::move(flags))
                 : UnknownWord(first);
}

// A full disk or a reader that went away must not look like success.
int Flushed(int code) {
  errno = 0;
  const bool earlier = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !earlier) return code;
  const std::string why = errno == 0 ? "a write failed" : std::strerror(errno);
  PrintError({ErrorCode::kIo, "cannot write to standard output: " + why, ""});
  return code == kExitOk ? kExitFailed : code;
}

// A file or pipe that we open must not become the standard input or output
// that the caller closed: answers would be written into the ledger. What is
// put there can be neither read nor written as the standard file would be.
void HoldStandardFiles() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) [[maybe_unused]]
      const int held =
          open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int Main(int argc, char** argv) {
  HoldStandardFiles();
  try {
    return Flushed(Dispatch(Words(argv + std::min(argc, 1), argv + argc)));
  } catch (const std::bad_alloc&) {
    PrintError({ErrorCode::kInternal, "out of memory", ""});
  } catch (const std::exception& error) {
    PrintError({ErrorCode::kInternal,
                fmt::format("unexpected failure: {}", error.what()),
                "this is a bug: please report it with the command line"});
  }
  return kExitFailed;
}

}  // namespace
}  // namespace modicum

int main(int argc, char** argv) { return modicum::Main(argc, argv); }
