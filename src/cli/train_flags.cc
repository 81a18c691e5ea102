// SPDX-License-Identifier: Apache-2.0
#include "cli/train_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "plan/amount.h"

namespace modicum {
namespace {

void AddRunFlags(CLI::App& app, TrainFlags& flags) {
  AddText(app, "--tokens", flags.tokens, "tokens of training: 2T, 300B");
  app.add_option("--seq", flags.sequence, "tokens in a sequence [2048]")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--micro-batch", flags.micro_batch, "sequences at once [1]")
      ->check(CLI::Range(1, 65536));
  AddText(app, "--train-format", flags.train_format,
          "mixed (16 bytes a parameter), fp32, adam8bit or sgd");
  app.add_option("--lora", flags.lora, "train adapters of this rank only")
      ->check(CLI::Range(1, 65536));
  app.add_option("--qlora", flags.qlora, "the same over NF4 weights")
      ->check(CLI::Range(1, 65536));
  AddText(app, "--gpu-hours", flags.gpu_hours, "known GPU-hours");
}

void AddLayoutFlags(CLI::App& app, TrainFlags& flags) {
  const auto degree = CLI::Range(1, 1 << 20);
  app.add_option("--data", flags.data, "fix the parallelism: replicas")
      ->check(degree);
  app.add_option("--tensor", flags.tensor, "parts of a matrix")->check(degree);
  app.add_option("--pipeline", flags.pipeline, "stages")->check(degree);
  app.add_option("--expert", flags.expert, "groups of experts")->check(degree);
  app.add_option("--zero", flags.zero, "ZeRO stage")->check(CLI::Range(0, 3));
  app.add_option("--recompute", flags.recompute, "none, selective or full")
      ->check(CLI::IsMember({"none", "selective", "full"}));
}

Status ReadAdapter(const TrainFlags& flags, TrainSetup& setup) {
  if (flags.lora > 0 && flags.qlora > 0)
    return Fail(ErrorCode::kInvalidInput,
                "--lora and --qlora contradict each other", "give one of them");
  setup.adapter.rank = std::max(flags.lora, flags.qlora);
  if (flags.qlora > 0) setup.adapter.weight_bits = 4.127;
  return {};
}

Result<std::optional<Parallelism>> ReadLayout(const TrainFlags& flags,
                                              std::optional<int> count) {
  if (flags.data + flags.tensor + flags.pipeline + flags.expert == 0 &&
      flags.zero < 0 && flags.recompute.empty())
    return std::optional<Parallelism>();
  Parallelism layout;
  layout.tensor = std::max(1, flags.tensor);
  layout.pipeline = std::max(1, flags.pipeline);
  layout.expert = std::max(1, flags.expert);
  layout.zero = std::max(0, flags.zero);
  layout.recompute = flags.recompute == "none"   ? Recompute::kNone
                     : flags.recompute == "full" ? Recompute::kFull
                                                 : Recompute::kSelective;
  const double parts = static_cast<double>(layout.tensor) * layout.pipeline;
  layout.data = flags.data > 0 ? flags.data
                : count        ? static_cast<int>(*count / parts)
                               : 1;
  const double devices = parts * std::max(1, layout.data);
  if (devices > (1 << 20) || layout.data < 1 || (count && devices != *count))
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{} x {} x {} GPUs are not {}", layout.data,
                            layout.tensor, layout.pipeline,
                            count ? std::to_string(*count) : "possible"),
                "--count is --data x --tensor x --pipeline");
  if (layout.data % layout.expert != 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("--expert {} does not divide the {} replicas",
                            layout.expert, layout.data),
                "experts are spread over the data-parallel replicas");
  return std::optional<Parallelism>(layout);
}

}  // namespace

void AddTrainFlags(CLI::App& app, TrainFlags& flags) {
  AddModelFlags(app, flags.model);
  AddRunFlags(app, flags);
  AddLayoutFlags(app, flags);
  AddMachineFlags(app, flags);
}

void AddMachineFlags(CLI::App& app, TrainFlags& flags) {
  AddChipFlags(app, flags.chip);
  AddText(app, "--count", flags.count, "GPUs [default: the fewest that fit]");
  app.add_option("--mfu", flags.mfu, "share of the peak, restarts included")
      ->check(CLI::Range(0.001, 1.0));
  app.add_flag("--early-stack", flags.early,
               "software before fused attention (2022)");
  AddText(app, "--place", flags.place, "where: PL, us-va (as --region)");
  AddText(app, "--power", flags.power, "per GPU: 400W [default: measured]");
  app.add_option("--rent", flags.rent, "USD per GPU-hour")
      ->check(CLI::Range(0.0001, 1e6));
  app.add_option("--life", flags.own.years, "years own hardware lasts [4]")
      ->check(CLI::Range(0.1, 50.0));
  app.add_option("--utilization", flags.own.utilization,
                 "share of them that it works [0.8]")
      ->check(CLI::Range(0.01, 1.0));
}

Status ReadMachine(const Context& context, const TrainFlags& flags,
                   TrainQuery& query) {
  MODICUM_TRY(query.chip, ReadChip(flags.chip));
  if (!flags.count.empty()) {
    MODICUM_TRY(const double count, ParseAmount(flags.count, "--count"));
    if (count != static_cast<int>(std::min(count, 1e9)) || count > 1 << 20)
      return Fail(ErrorCode::kInvalidInput,
                  "--count " + flags.count + " is no number of GPUs",
                  "a whole number up to 1,048,576");
    query.count = static_cast<int>(count);
  }
  MODICUM_TRY(query.place, ReadPlace(context.settings, flags.place));
  query.early_stack = flags.early;
  query.efficiency = flags.mfu;
  query.rent_usd = flags.rent;
  query.own = flags.own;
  if (!flags.power.empty()) {
    MODICUM_TRY(query.watts, ParseWatts(flags.power, "--power"));
  }
  return {};
}

Result<TrainQuery> TrainQueryOf(const Context& context,
                                const TrainFlags& flags) {
  TrainQuery query;
  MODICUM_TRY(query.model, ReadArchitecture(flags.model));
  if (flags.tokens.empty())
    return Fail(ErrorCode::kInvalidInput, "on how many tokens?",
                "--tokens 2T, or 20 per parameter if nothing is known");
  MODICUM_TRY(query.tokens, ParseAmount(flags.tokens, "--tokens"));
  MODICUM_RETURN_IF_ERROR(ReadMachine(context, flags, query));
  MODICUM_TRY(query.setup.format, FindTrainFormat(flags.train_format));
  query.setup.sequence = flags.sequence;
  query.setup.micro_batch = flags.micro_batch;
  MODICUM_RETURN_IF_ERROR(ReadAdapter(flags, query.setup));
  MODICUM_TRY(query.parallel, ReadLayout(flags, query.count));
  if (!flags.gpu_hours.empty()) {
    MODICUM_TRY(query.gpu_hours, ParseAmount(flags.gpu_hours, "--gpu-hours"));
  }
  return query;
}

}  // namespace modicum
