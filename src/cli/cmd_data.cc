// SPDX-License-Identifier: Apache-2.0
// `modicum data`: public data sets, downloaded, checked and kept.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/terminal.h"
#include "cli/block_text.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "dataset/catalog.h"
#include "record/json.h"

namespace modicum {
namespace {

struct DataArgs {
  std::string name;
  std::string folder;
  bool force = false;
  std::string format = "table";
};

std::string PathOf(const CatalogEntry& entry, const std::string& folder) {
  return fmt::format("{}/{}/{}", folder, entry.name, entry.file);
}

std::string ListText(const std::string& folder) {
  std::string text;
  for (const CatalogEntry& entry : Catalog()) {
    const std::string path = PathOf(entry, folder);
    text += fmt::format("{}\n", entry.name) + BlockLine("", entry.summary) +
            BlockLine("", fmt::format("licence: {}", entry.licence)) +
            BlockLine("", std::filesystem::exists(path)
                              ? "here: " + path
                              : fmt::format("not here: modicum data get {}",
                                            entry.name));
  }
  return text;
}

std::string ListJson(const std::string& folder) {
  nlohmann::json json = nlohmann::json::array();
  for (const CatalogEntry& entry : Catalog()) {
    const std::string path = PathOf(entry, folder);
    json.push_back({{"name", entry.name},
                    {"items", entry.items},
                    {"licence", entry.licence},
                    {"origin", entry.origin},
                    {"path", path},
                    {"here", std::filesystem::exists(path)},
                    {"summary", entry.summary}});
  }
  return ReadableText(json);
}

// One line, redrawn: only for someone who watches.
void ShowStep(std::string_view step) {
  if (!IsTerminal(stderr)) return;
  std::fputs(fmt::format("\r\x1b[2K{}", step).c_str(), stderr);
  std::fflush(stderr);
}

// So that it is made again. An unknown name is left to GetData to refuse.
Status Forget(const DataArgs& args) {
  for (const CatalogEntry& entry : Catalog()) {
    if (entry.name != args.name) continue;
    std::error_code error;
    std::filesystem::remove(PathOf(entry, args.folder), error);
    if (error)
      return Fail(ErrorCode::kIo,
                  fmt::format("cannot remove {}: {}",
                              PathOf(entry, args.folder), error.message()));
  }
  return {};
}

Result<int> Get(const Context& context, const DataArgs& args) {
  if (args.force) MODICUM_RETURN_IF_ERROR(Forget(args));
  GetDataOptions options;
  options.progress = ShowStep;
  options.stop = context.stop;
  const Result<std::string> path = GetData(args.name, args.folder, options);
  ShowStep("");
  if (!path) return Fail(path.error());
  std::fputs((*path + '\n').c_str(), stdout);
  return kExitOk;
}

Result<int> List(const DataArgs& args) {
  const std::string text =
      args.format == "json" ? ListJson(args.folder) : ListText(args.folder);
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace

Result<int> CmdData(Context& context, const std::vector<std::string>& args) {
  DataArgs data;
  data.folder = context.settings.data_dir;
  CLI::App app{
      "Public data sets: downloads them, checks them, keeps them.\n\n"
      "  modicum data get spam-assassin    prints the file's path\n"
      "  modicum data list\n",
      "modicum data"};
  app.require_subcommand(1);
  CLI::App* get = app.add_subcommand("get", "Downloads one, unless it is here");
  get->add_option("name", data.name, "As `modicum data list` shows")
      ->required();
  get->add_option("--to", data.folder, "Folder (default: setting data_dir)");
  get->add_flag("--force", data.force, "Make it again even if it is here");
  CLI::App* list = app.add_subcommand("list", "Shows what there is");
  list->add_option("--format", data.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  if (const auto code = ParseArgs(app, args)) return *code;
  return get->parsed() ? Get(context, data) : List(data);
}

}  // namespace modicum
