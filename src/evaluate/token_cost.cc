// SPDX-License-Identifier: Apache-2.0
#include "evaluate/token_cost.h"

#include <algorithm>
#include <cmath>

#include "evaluate/phase_costs.h"

namespace modicum {
namespace {

struct TokenTrack {
  int passes = 1;  // in one repeat
  CostSamples prefill, decode;
};

void Keep(const PhaseCost& cost, const std::string& workload,
          CostSamples& samples) {
  Repeat repeat;
  repeat.predictions = cost.tokens;
  repeat.wall = cost.wall;
  repeat.cpu = cost.cpu;
  repeat.energy = OfWorkload(cost.energy, workload);
  repeat.contended = cost.contended;
  repeat.cpu_by_phase[cost.phase] = cost.cpu;
  samples.repeats.push_back(std::move(repeat));
}

class TokenCosts {
 public:
  TokenCosts(std::span<const TokenId> prompt, const TokenCostOptions& options,
             Meter& meter, const std::stop_token& stop)
      : prompt_(prompt), options_(options), meter_(meter) {
    generate_.max_tokens = options.generate;
    generate_.ignore_end = true;  // the same work for all
    generate_.call.stop = stop;
  }

  // Also finds how many passes make a repeat long enough.
  Status WarmUp(const TokenCostSubject& subject, TokenTrack& track) {
    constexpr double kMostPasses = 1000;
    MODICUM_TRY(const auto costs, Pass(subject, 1));
    for (const PhaseCost& cost : costs) {
      if (cost.tokens == 0 || cost.wall <= Seconds(0)) continue;
      const double passes = std::ceil(options_.repeat_wall / cost.wall);
      track.passes = std::max(track.passes,
                              static_cast<int>(std::min(passes, kMostPasses)));
    }
    return {};
  }

  Status OneRepeat(const TokenCostSubject& subject, TokenTrack& track) {
    MODICUM_TRY(const auto costs, Pass(subject, track.passes));
    for (const PhaseCost& cost : costs) {
      if (cost.phase == Phase::kPrefill)
        Keep(cost, subject.workload, track.prefill);
      if (cost.phase == Phase::kDecode)
        Keep(cost, subject.workload, track.decode);
    }
    return {};
  }

 private:
  Result<std::vector<PhaseCost>> Pass(const TokenCostSubject& subject,
                                      int passes) {
    PhaseCosts costs(meter_);
    for (int i = 0; i < passes; ++i) {
      MODICUM_TRY(const Generation generation,
                  subject.network->Generate(prompt_, generate_, {}, costs));
      if (generation.end != Generation::End::kLength)
        return Fail(ErrorCode::kInvalidInput,
                    subject.network->info().path +
                        " has no room to generate after the prompt",
                    "use a longer --context");
    }
    return costs.Finish();
  }

  const std::span<const TokenId> prompt_;
  const TokenCostOptions& options_;
  Meter& meter_;
  GenerateOptions generate_;
};

}  // namespace

Result<std::vector<TokenCost>> MeasureTokenCosts(
    std::span<const TokenCostSubject> subjects, std::span<const TokenId> prompt,
    const TokenCostOptions& options, Meter& meter,
    const std::stop_token& stop) {
  TokenCosts costs(prompt, options, meter, stop);
  std::vector<TokenTrack> tracks(subjects.size());
  for (size_t i = 0; i < subjects.size(); ++i)
    MODICUM_RETURN_IF_ERROR(costs.WarmUp(subjects[i], tracks[i]));
  // A drift of the machine falls on all alike.
  for (int round = 0; round < options.repeats; ++round)
    for (size_t k = 0; k < subjects.size(); ++k) {
      const size_t i = (static_cast<size_t>(round) + k) % subjects.size();
      MODICUM_RETURN_IF_ERROR(costs.OneRepeat(subjects[i], tracks[i]));
    }
  std::vector<TokenCost> figures;
  for (const TokenTrack& track : tracks)
    figures.push_back({Summarize(track.prefill), Summarize(track.decode)});
  return figures;
}

}  // namespace modicum
