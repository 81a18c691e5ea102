// SPDX-License-Identifier: Apache-2.0
// `modicum board RECEIPT...`: a static page that ranks receipts.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <set>

#include "base/file.h"
#include "cli/command.h"
#include "cli/parse.h"
#include "cli/print_error.h"
#include "cli/read_receipts.h"
#include "report/board.h"

namespace modicum {
namespace {

// The same receipt twice would count twice in the reference set.
void KeepFirstOfEach(std::vector<Receipt>& receipts) {
  std::set<Hash> seen;
  std::erase_if(receipts, [&seen](const Receipt& receipt) {
    return !seen.insert(receipt.sha256).second;
  });
}

}  // namespace

Result<int> CmdBoard(Context&, const std::vector<std::string>& args) {
  std::vector<std::string> paths;
  std::string output = "index.html";
  std::string rule_name = "quintile";
  CLI::App app{
      "Writes a page that ranks receipts of one task and scope by energy and\n"
      "quality, with classes A to E. What cannot be compared stands apart.\n\n"
      "  modicum board receipts/*.json\n"
      "  modicum board *.receipt.json --rule equal-width -o board.html\n",
      "modicum board"};
  app.add_option("receipt", paths, "Receipts, as `modicum fit` writes")
      ->required();
  app.add_option("-o,--output", output, "The page to write")
      ->capture_default_str();
  app.add_option("--rule", rule_name,
                 "How classes are cut: quintile (by rank) or equal-width "
                 "(bands of the logarithm of energy)")
      ->capture_default_str();
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto rule = ParseClassRule(rule_name);
  if (!rule) return UsageError(rule.error());
  MODICUM_TRY(auto receipts, ReadReceipts(paths));
  KeepFirstOfEach(receipts);
  MODICUM_RETURN_IF_ERROR(
      WriteFileAtomically(output, FormatBoardHtml(receipts, *rule)));
  std::printf("%s: receipts %zu, groups %zu\n", output.c_str(), receipts.size(),
              GroupReceipts(receipts).size());
  return kExitOk;
}

}  // namespace modicum
