// SPDX-License-Identifier: Apache-2.0
// `modicum plan audit FILE|-`: whether published claims can be true.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/file.h"
#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "plan/audit.h"

namespace modicum {
namespace {

// A byte more than may be: the parser then says so.
std::string ReadStandardInput() {
  std::string text(kLargestClaimsFile + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stdin));
  return text;
}

}  // namespace

Result<int> PlanAudit(Context& /*context*/,
                      const std::vector<std::string>& args) {
  std::string path;
  std::string gpu = "a100-80";
  std::string format = "table";
  CLI::App app(
      "Reads tables (Markdown, CSV) and lines of text, and checks their "
      "figures\n"
      "against each other, physical bounds and published runs.\n\n"
      "  modicum plan audit examples/claims/cost-table.md\n"
      "  modicum plan audit - --gpu h100 < claims.csv",
      "modicum plan audit");
  app.add_option("file", path, "the claims; - is stdin")->required();
  app.add_option("--gpu", gpu, "the chip where a claim names none")
      ->capture_default_str();
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto chip = FindAccelerator(gpu);
  if (!chip) return UsageError(chip.error());
  std::string text;
  if (path == "-") {
    text = ReadStandardInput();
  } else {
    MODICUM_TRY(text, ReadFile(path));
  }
  MODICUM_TRY(const std::vector<Claim> claims,
              ParseClaims(text, path == "-" ? "stdin" : path));
  const std::vector<Finding> findings = AuditClaims(claims, **chip);
  PrintPlan(AuditPlan(findings, **chip), format);
  return kExitOk;
}

}  // namespace modicum
