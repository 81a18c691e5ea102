// SPDX-License-Identifier: Apache-2.0
// `modicum compare A B [...]`: receipts of one task side by side.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/parse.h"
#include "cli/read_receipts.h"
#include "record/comparable.h"
#include "report/compare_report.h"

namespace modicum {
namespace {

std::string Formatted(const std::vector<NamedReceipt>& receipts,
                      const std::string& format) {
  if (format == "json") return FormatComparisonJson(receipts);
  if (format == "csv") return FormatComparisonCsv(receipts);
  if (format == "md") return FormatComparisonMarkdown(receipts);
  return FormatComparison(receipts);
}

// All against the first: what is comparable with it is so with each other.
Status CheckComparable(const std::vector<NamedReceipt>& receipts) {
  for (const NamedReceipt& other : receipts) {
    const auto status = Comparable(receipts[0].receipt, other.receipt);
    if (!status)
      return Fail(status.error().code,
                  receipts[0].name + " and " + other.name + ": " +
                      status.error().message,
                  status.error().hint);
  }
  return {};
}

}  // namespace

Result<int> CmdCompare(Context&, const std::vector<std::string>& args) {
  std::vector<std::string> paths;
  std::string format = "table";
  CLI::App app{
      "Shows receipts of one task side by side, each against the first. "
      "Figures\nof different tasks, data or energy scopes are refused.\n\n"
      "  modicum compare laptop.receipt.json server.receipt.json\n"
      "  modicum compare *.receipt.json --format md\n",
      "modicum compare"};
  app.add_option("receipt", paths, "Two receipts or more")
      ->required()
      ->expected(2, 1'000'000);
  app.add_option("--format", format, "table, json, csv or md")
      ->check(CLI::IsMember({"table", "json", "csv", "md"}))
      ->capture_default_str();
  if (const auto code = ParseArgs(app, args)) return *code;
  MODICUM_TRY(auto read, ReadReceipts(paths));
  std::vector<NamedReceipt> receipts;
  for (size_t i = 0; i < read.size(); ++i)
    receipts.push_back({paths[i], std::move(read[i])});
  MODICUM_RETURN_IF_ERROR(CheckComparable(receipts));
  std::fputs(Formatted(receipts, format).c_str(), stdout);
  return kExitOk;
}

}  // namespace modicum
