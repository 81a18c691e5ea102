// SPDX-License-Identifier: Apache-2.0
// `modicum plan chips` and `modicum plan models`: what a plan can be made for.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/format.h"
#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "hardware/accelerators.h"
#include "plan/architecture.h"
#include "plan/selftest.h"

namespace modicum {
namespace {

std::optional<int> ParseFormat(const char* what, const char* name,
                               const std::vector<std::string>& args,
                               std::string& format) {
  CLI::App app(what, name);
  AddFormatFlag(app, format);
  return ParseArgs(app, args);
}

std::string OrDash(double value, double unit = 1) {
  return value > 0 ? FormatNumber(value / unit, 4) : "-";
}

}  // namespace

Result<int> PlanChips(Context& /*context*/,
                      const std::vector<std::string>& args) {
  std::string format = "table";
  if (const auto code = ParseFormat(
          "Lists the chips that plans are made for: dense peaks, never "
          "sparse.\n\n  modicum plan chips --format csv",
          "modicum plan chips", args, format))
    return *code;
  Plan plan;
  plan.verb = "chips";
  plan.title = "chips that plans are made for";
  PlanTable table{
      "",
      {"id", "name", "fp32 TFLOP/s", "16-bit TFLOP/s", "fp8 TFLOP/s", "GB/s",
       "GB", "TDP W", "USD/h", "USD", "source"},
      {}};
  for (const Accelerator& chip : Accelerators())
    table.rows.push_back(
        {chip.id, chip.name, OrDash(chip.fp32, 1e12),
         OrDash(std::max(chip.bf16, chip.fp16), 1e12), OrDash(chip.fp8, 1e12),
         OrDash(chip.bandwidth, 1e9), OrDash(chip.memory.value(), 1e9),
         OrDash(chip.tdp.value()), OrDash(chip.rent_usd.value_or(0)),
         OrDash(chip.buy_usd.value_or(0)), chip.source});
  plan.tables.push_back(std::move(table));
  PrintPlan(plan, format);
  return kExitOk;
}

Result<int> PlanModels(Context& /*context*/,
                       const std::vector<std::string>& args) {
  std::string format = "table";
  if (const auto code = ParseFormat(
          "Lists the models whose shape is known.\n\n  modicum plan models "
          "--format csv",
          "modicum plan models", args, format))
    return *code;
  Plan plan;
  plan.verb = "models";
  plan.title = "models whose shape is known";
  PlanTable table{"",
                  {"id", "parameters", "active", "layers", "hidden",
                   "KV bytes/token (16 bits)"},
                  {}};
  for (const std::string& name : ArchitectureNames()) {
    MODICUM_TRY(const Architecture model, FindArchitecture(name));
    const auto count = [](double value) {
      return FormatCount(static_cast<uint64_t>(value));
    };
    table.rows.push_back({name, count(model.parameters), count(model.active),
                          std::to_string(model.layers),
                          std::to_string(model.hidden),
                          count(KvBytesPerToken(model, 16))});
  }
  plan.tables.push_back(std::move(table));
  PrintPlan(plan, format);
  return kExitOk;
}

Result<int> PlanSelftest(Context& /*context*/,
                         const std::vector<std::string>& args) {
  std::string format = "table";
  if (const auto code = ParseFormat(
          "Predicts published runs with what the other families say, beside\n"
          "naive formulas. Exits with 1 when a figure is worse than it must "
          "be.\n\n  modicum plan selftest --format json",
          "modicum plan selftest", args, format))
    return *code;
  const Selftest test = RunSelftest();
  PrintPlan(test.plan, format);
  return test.passed() ? kExitOk : kExitFailed;
}

}  // namespace modicum
