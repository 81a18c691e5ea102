// SPDX-License-Identifier: Apache-2.0
// `modicum plan where`: regions by carbon, water and price of a job.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/parse.h"
#include "cli/plan_inputs.h"
#include "cli/plan_verbs.h"
#include "cli/print_error.h"
#include "cli/run_options.h"
#include "cli/train_flags.h"
#include "place/place_settings.h"
#include "plan/where_plan.h"

namespace modicum {
namespace {

struct WhereFlags {
  std::string energy;
  std::string sort = "carbon";
  std::vector<std::string> among;
  int top = 10;
  TrainFlags train;
};

// The energy of the machines and what it is for: given, or of a training plan.
Status ReadJob(const Context& context, const WhereFlags& flags,
               WhereQuery& query) {
  const bool trains =
      !flags.train.model.model.empty() || !flags.train.model.params.empty();
  if (flags.energy.empty() != trains)
    return Fail(ErrorCode::kInvalidInput,
                trains ? "--energy and --model contradict each other"
                       : "how much energy does the job take?",
                "--energy 2MWh, or a training run: --model llama-2-7b --tokens "
                "2T --gpu a100-80");
  if (!trains) {
    MODICUM_TRY(const Joules energy, ParseEnergy(flags.energy));
    query.it_kwh = {InKilowattHours(energy), 0};
    query.job = "a job of " + flags.energy;
    return {};
  }
  MODICUM_TRY(const TrainQuery train, TrainQueryOf(context, flags.train));
  TrainInputs inputs = TrainInputsOf(train, train.count.value_or(1));
  inputs.pue = {1, 0};
  query.it_kwh = EstimateTraining(inputs).energy_mwh * 1e3;
  query.job = "the training of " + train.model.name;
  return {};
}

Result<WhereQuery> QueryOf(const Context& context, const WhereFlags& flags) {
  WhereQuery query;
  MODICUM_RETURN_IF_ERROR(ReadJob(context, flags, query));
  MODICUM_TRY(query.from, ReadPlace(context.settings, flags.train.place));
  // An intensity or a tariff of the settings is the current region's.
  const PlaceQuery settings = PlaceQueryOf(context.settings);
  query.everywhere = {
      .provider = settings.provider, .pue = settings.pue, .wue = settings.wue};
  query.sort = flags.sort == "water"   ? WhereSort::kWater
               : flags.sort == "price" ? WhereSort::kPrice
                                       : WhereSort::kCarbon;
  query.among = flags.among;
  query.top = static_cast<size_t>(flags.top);
  return query;
}

}  // namespace

Result<int> PlanWhere(Context& context, const std::vector<std::string>& args) {
  WhereFlags flags;
  std::string format = "table";
  CLI::App app(
      "Ranks regions by what a job's electricity emits, drinks and costs "
      "there,\nand says which cannot be told apart.\n\n"
      "  modicum plan where --energy 2MWh --from PL\n"
      "  modicum plan where --model llama-2-7b --tokens 2T --gpu a100-80 \\\n"
      "    --from US-VA --sort water --among US-VA,SE,FR,US-TX",
      "modicum plan where");
  AddText(app, "--energy", flags.energy, "of the machines, before PUE: 2MWh");
  AddText(app, "--from", flags.train.place, "the current region: PL, US-VA");
  app.add_option("--sort", flags.sort, "carbon, water or price [carbon]")
      ->check(CLI::IsMember({"carbon", "water", "price"}));
  app.add_option("--among", flags.among, "these regions only: PL,SE,FR")
      ->delimiter(',');
  app.add_option("--top", flags.top, "rows; 0: all [10]")
      ->check(CLI::Range(0, 100'000));
  AddTrainFlags(app, flags.train);
  AddFormatFlag(app, format);
  if (const auto code = ParseArgs(app, args)) return *code;
  const auto query = QueryOf(context, flags);
  if (!query) return UsageError(query.error());
  return PrintPlanOrError(PlanPlaces(*query), format);
}

}  // namespace modicum
