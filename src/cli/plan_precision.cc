// SPDX-License-Identifier: Apache-2.0
// `modicum plan precision`: what a number format takes to store, to run and to
// train a model.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/format.h"
#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "plan/amount.h"
#include "plan/data_type.h"

namespace modicum {
namespace {

// Weights, gradients and the optimizer's states, bytes a parameter (Rajbhandari
// et al. 2020, ZeRO, section 3.1; Dettmers et al. 2022, 8-bit optimizers;
// Dettmers et al. 2023, QLoRA). 0: not trained in.
struct TrainingRule {
  double bytes = 0;
  std::string_view text;
};

TrainingRule TrainingIn(const DataType& type) {
  if (type.name == "fp32" || type.name == "tf32")
    return {16, "4 weight + 4 gradient + 8 Adam"};
  if (type.name == "bf16" || type.name == "fp16")
    return {16, "2 weight + 2 gradient + 4 master weight + 8 Adam"};
  if (type.name == "fp8")
    return {16, "products in 8 bits, states as in 16: no smaller"};
  if (type.name == "int8")
    return {10, "8-bit Adam: 2 + 2 + 4 master weight + 2; weights stay 16-bit"};
  if (type.name == "nf4")
    return {type.bits / 8, "QLoRA: frozen; adapters take 16 a parameter more"};
  return {0, "not trained in: quantize after training"};
}

std::string Gigabytes(double parameters, double bytes) {
  return FormatNumber(parameters * bytes / 1e9, 3);
}

PlanTable TableOf(double parameters) {
  PlanTable table{"without activations, caches and runtime, GB",
                  {"format", "bits", "store", "infer", "train", "training rule",
                   "format is"},
                  {}};
  for (const DataType& type : DataTypes()) {
    const TrainingRule rule = TrainingIn(type);
    const std::string weights = Gigabytes(parameters, type.bits / 8);
    table.rows.push_back(
        {std::string(type.name), FormatNumber(type.bits, 5), weights, weights,
         rule.bytes > 0 ? Gigabytes(parameters, rule.bytes) : "-",
         std::string(rule.text), std::string(type.note)});
  }
  return table;
}

}  // namespace

Result<int> PlanPrecision(Context& /*context*/,
                          const std::vector<std::string>& args) {
  std::string parameters = "1B";
  std::string format = "table";
  CLI::App app(
      "What each number format takes to store, to run and to train a model.\n\n"
      "  modicum plan precision --params 7B",
      "modicum plan precision");
  app.add_option("--params", parameters, "how many parameters: 1e9, 7B")
      ->capture_default_str();
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto count = ParseAmount(parameters, "--params");
  if (!count) return UsageError(count.error());
  Plan plan;
  plan.verb = "precision";
  plan.title = "bytes by number format";
  plan.inputs = {{"parameters",
                  FormatCount(static_cast<uint64_t>(std::min(*count, 1e18)))}};
  plan.tables = {TableOf(*count)};
  plan.notes = {
      "exact arithmetic on bits a weight, block scales included; to run, "
      "activations and caches come on top (`modicum plan serve`), to train, "
      "activations (`modicum plan train`)",
      "training takes 16 bytes a parameter in 16-bit formats as in fp32: the "
      "optimizer keeps fp32 copies"};
  PrintPlan(plan, format);
  return kExitOk;
}

}  // namespace modicum
