// SPDX-License-Identifier: Apache-2.0
// `modicum verify RECEIPT...`: whether what a receipt says follows from what
// it saw.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/format.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/rerun.h"
#include "fit/verify.h"
#include "record/json.h"
#include "record/signature.h"

namespace modicum {
namespace {

struct VerifyFlags {
  std::vector<std::string> paths;
  std::string key;
  std::string format = "text";
  std::string data_folder;
  bool no_files = false;
  bool rerun = false;
};

// One receipt, checked; with --rerun also beside a fit made here.
struct Checked {
  std::string path;
  bool files;
  Verification verification;
  std::optional<std::vector<Agreement>> agreements;

  // Times and joules depend on what else the machine did; qualities do not.
  bool Differs() const {
    return agreements && std::any_of(agreements->begin(), agreements->end(),
                                     [](const Agreement& a) {
                                       return a.is_quality &&
                                              a.verdict == "differs";
                                     });
  }
  bool ok() const { return verification.ok() && !Differs(); }
};

std::string FolderOf(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

// "hash ok", "signature by KEY ok", "412 numbers recomputed, all agree".
std::string Summary(const Checked& checked) {
  const Verification& v = checked.verification;
  if (!v.readable) return "  not a valid receipt\n";
  std::string text = fmt::format("  hash        ok, {}\n", ToHex(v.sha256));
  text += v.signed_by.empty()
              ? std::string("  signature   none\n")
              : fmt::format("  signature   ok, by {}\n", v.signed_by);
  text +=
      fmt::format("  numbers     {} recomputed, {}\n", FormatCount(v.numbers),
                  v.ok() ? "all agree" : "see the faults");
  if (!checked.files)
    text += "  files       not checked\n";
  else if (v.files == 0 && v.ok())
    text += "  files       it names none\n";
  else
    text += fmt::format("  files       {} ok\n", v.files);
  return text;
}

std::string CheckedText(const Checked& checked) {
  std::string text = checked.path + '\n' + Summary(checked);
  for (const std::string& fault : checked.verification.faults)
    text += "  FAULT       " + fault + '\n';
  if (checked.agreements) {
    Table table({{"figure", Align::kLeft},
                 {"stated", Align::kLeft},
                 {"here", Align::kLeft},
                 {"", Align::kLeft}});
    for (const Agreement& one : *checked.agreements)
      table.AddRow({one.figure, one.stated, one.here, one.verdict});
    text += "\n" + table.Text("  ");
  }
  return text;
}

nlohmann::json Json(const Checked& checked) {
  const Verification& v = checked.verification;
  nlohmann::json json{{"receipt", checked.path}, {"ok", checked.ok()},
                      {"numbers", v.numbers},    {"texts", v.texts},
                      {"files", v.files},        {"faults", v.faults}};
  json["sha256"] = v.readable ? nlohmann::json(ToHex(v.sha256)) : nullptr;
  json["signed_by"] =
      v.signed_by.empty() ? nullptr : nlohmann::json(v.signed_by);
  if (!checked.agreements) return json;
  nlohmann::json& list = json["rerun"] = nlohmann::json::array();
  for (const Agreement& one : *checked.agreements)
    list.push_back({{"figure", one.figure},
                    {"stated", one.stated},
                    {"here", one.here},
                    {"verdict", one.verdict}});
  return json;
}

Result<Checked> Check(const Context& context, const VerifyFlags& flags,
                      const std::string& trusted, const std::string& path) {
  MODICUM_TRY(const std::string text, ReadFile(path));
  Checked checked{path, !flags.no_files, {}, {}};
  checked.verification =
      VerifyReceipt(text, {!flags.no_files, FolderOf(path), trusted});
  // What is false already need not be run again.
  if (!flags.rerun || !checked.verification.ok()) return checked;
  MODICUM_TRY(const Receipt receipt, ParseReceipt(text));
  MODICUM_TRY(
      const FitResult here,
      Rerun(context, receipt,
            flags.data_folder.empty() ? FolderOf(path) : flags.data_folder));
  checked.agreements = CompareWithRerun(receipt.result, here);
  return checked;
}

}  // namespace

Result<int> CmdVerify(Context& context, const std::vector<std::string>& args) {
  VerifyFlags flags;
  CLI::App app{
      "Checks receipts: form and hash, signature, files, and every number "
      "that\n"
      "follows from the outcomes and samples they hold.\n\n"
      "  modicum verify spam.receipt.json\n"
      "  modicum verify spam.receipt.json --key team.pub --rerun\n",
      "modicum verify"};
  app.add_option("receipt", flags.paths, "Receipts, as `modicum fit` writes")
      ->required();
  app.add_option("--key", flags.key,
                 "Public key that must have signed: 64 digits, or its file");
  app.add_flag("--no-files", flags.no_files,
               "Do not look at the files beside the receipt");
  app.add_flag("--rerun", flags.rerun,
               "Also fit the task again here and compare every figure");
  app.add_option("--data-folder", flags.data_folder,
                 "For --rerun: where the task's data lies [default: beside "
                 "the receipt]");
  app.add_option("--format", flags.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  if (const auto code = ParseArgs(app, args)) return *code;
  std::string trusted;
  if (!flags.key.empty()) {
    MODICUM_TRY(trusted, ReadPublicKey(flags.key));
  }
  bool ok = true;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& path : flags.paths) {
    MODICUM_TRY(const Checked checked, Check(context, flags, trusted, path));
    ok = ok && checked.ok();
    if (flags.format == "json")
      list.push_back(Json(checked));
    else
      std::fputs(CheckedText(checked).c_str(), stdout);
  }
  if (flags.format == "json") std::fputs(ReadableText(list).c_str(), stdout);
  return ok ? kExitOk : kExitFailed;
}

}  // namespace modicum
