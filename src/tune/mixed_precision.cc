// SPDX-License-Identifier: Apache-2.0
#include "tune/mixed_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/statistics.h"
#include "evaluate/token_cost.h"
#include "shrink/bit_allocation.h"

namespace modicum {
namespace {

// Where joules tie, fewer bytes decide: all of them weigh as much as one
// percent of the joules.
constexpr double kBytesWeight = 0.01;
// Choices that are measured before the search gives up: the sum over the
// groups is an estimate, so the bound it is held to is moved.
constexpr int kMostRounds = 6;
constexpr uint64_t kSuperBlock = 256;

// "ffn_down" of "blk.3.ffn_down.weight", "output" of "output.weight"; "" of
// what is not a weight.
std::string RoleOf(const std::string& tensor) {
  constexpr std::string_view kEnd = ".weight";
  if (!tensor.ends_with(kEnd)) return "";
  const std::string stem = tensor.substr(0, tensor.size() - kEnd.size());
  if (!stem.starts_with("blk.")) return stem;
  const size_t dot = stem.find('.', 4);
  return dot == stem.npos ? "" : stem.substr(dot + 1);
}

// What llama.cpp's quantizer leaves as it is: norms, routers, positions, the
// small matrices of state-space layers.
bool IsKept(const GgufTensor& tensor, const std::string& role) {
  constexpr std::array<std::string_view, 6> kKept = {
      "norm", "gate_inp", "position_embd", "token_types", "ssm_", "altup"};
  return role.empty() || tensor.dimensions < 2 ||
         std::ranges::any_of(kKept, [&](std::string_view word) {
           return role.find(word) != role.npos;
         });
}

std::string PatternOf(const std::string& tensor, const std::string& role) {
  std::string escaped;
  for (const char c : role) {
    if (c == '.') escaped += '\\';
    escaped += c;
  }
  return tensor.starts_with("blk.")
             ? "^blk\\.[0-9]+\\." + escaped + "\\.weight$"
             : "^" + escaped + "\\.weight$";
}

double BitsOf(const std::string& type) {
  const GgmlTypeInfo* info = FindGgmlType(type);
  return info == nullptr ? 32 : info->BitsPerWeight();
}

class Search {
 public:
  explicit Search(const MixedPrecisionParts& parts) : parts_(parts) {}
  ~Search() { Remove(); }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  Result<MixedPrecision> Run();

 private:
  // Of a group in a type.
  struct Rounding {
    std::string type;
    MeanFigure divergence;
  };

  Status MeasureUniform();
  Status MeasureGroups();
  Status MeasureGroup(size_t group);
  Result<std::optional<std::vector<size_t>>> Settle();
  Result<MeanFigure> Try(const std::vector<size_t>& chosen);
  Result<std::unique_ptr<NeuralModel>> Quantized(
      const std::function<std::string(size_t group)>& type_of);
  Result<MeanFigure> DivergenceOf(NeuralModel& network);
  Result<Estimate<Scalar>> CostOf(NeuralModel& network);
  std::vector<BitOptions> Options() const;
  double PartOf(size_t group, const std::string& type) const;
  void Finish(const std::vector<size_t>& chosen);
  void Remove() const {
    std::error_code ignored;
    std::filesystem::remove(parts_.scratch, ignored);
  }
  void Say(const std::string& what) const {
    if (parts_.progress) parts_.progress(what);
  }
  Status Stopped() const {
    if (!parts_.quantize.stop.stop_requested()) return {};
    return Fail(ErrorCode::kInterrupted, "the choice of types was interrupted");
  }

  const MixedPrecisionParts& parts_;
  MixedPrecision result_;
  std::vector<std::vector<Rounding>> roundings_;  // of each group
};

// First match wins: one pattern for each group, then all the rest as it is
// (the file's most common type), whatever the mix of the file type would do.
std::vector<std::pair<std::string, std::string>> TensorTypes(
    const std::vector<TensorGroup>& groups,
    const std::function<std::string(size_t group)>& type_of) {
  std::vector<std::pair<std::string, std::string>> types;
  for (size_t i = 0; i < groups.size(); ++i)
    types.emplace_back(groups[i].pattern, type_of(i));
  types.emplace_back(".", groups.empty() ? "f16" : groups[0].type);
  return types;
}

Result<std::unique_ptr<NeuralModel>> Search::Quantized(
    const std::function<std::string(size_t group)>& type_of) {
  MODICUM_RETURN_IF_ERROR(Stopped());
  QuantizeOptions options = parts_.quantize;
  options.type = "q8_0";  // of nothing: every tensor has its own
  options.tensor_types = TensorTypes(result_.groups, type_of);
  parts_.sink.Begin(Phase::kPrepare);
  MODICUM_RETURN_IF_ERROR(
      parts_.engine.Quantize(parts_.file.name, parts_.scratch, options));
  return parts_.open(parts_.scratch);
}

Result<MeanFigure> Search::DivergenceOf(NeuralModel& network) {
  MODICUM_TRY(const PerplexityFigure figure,
              MeasurePerplexity(network, &parts_.network, parts_.text,
                                parts_.perplexity, parts_.sink));
  return figure.divergence->kl;
}

// Of a request: by joules, of the two networks in turn.
Result<Estimate<Scalar>> Search::CostOf(NeuralModel& network) {
  const TokenCostSubject subjects[] = {{"as it is", &parts_.network},
                                       {"rounded", &network}};
  TokenCostOptions options;
  const uint32_t context = parts_.network.info().context;
  options.generate = std::min(options.generate, context / 2);
  const size_t prompt = std::min<size_t>(
      context / 2, static_cast<size_t>(std::max(1.0, parts_.prompt)));
  parts_.sink.Begin(Phase::kWarmUp);
  MODICUM_TRY(const auto costs,
              MeasureTokenCosts(subjects, parts_.text.first(prompt), options,
                                parts_.meter, parts_.quantize.stop));
  const auto request = [&](const TokenCost& cost) {
    return cost.prefill.joules_per_1000 * parts_.prompt +
           cost.decode.joules_per_1000 * parts_.generate;
  };
  return Ratio(request(costs[1]), request(costs[0]));
}

Status Search::MeasureUniform() {
  for (const std::string& type :
       TypesToTry(parts_.file, !parts_.quantize.importance.empty())) {
    Say("every tensor in " + type);
    MODICUM_TRY(const auto network, Quantized([&](size_t) { return type; }));
    UniformType uniform{type, {}, 1, {}};
    MODICUM_TRY(uniform.divergence, DivergenceOf(*network));
    MODICUM_TRY(uniform.cost, CostOf(*network));
    uniform.bytes = network->info().bytes / parts_.network.info().bytes;
    result_.uniform.push_back(std::move(uniform));
  }
  return {};
}

// Fewer bits than now, until the group alone passes the bound.
Status Search::MeasureGroup(size_t group) {
  const TensorGroup& own = result_.groups[group];
  std::vector<Rounding>& roundings = roundings_[group];
  roundings = {{own.type, {}}};
  for (const UniformType& uniform : result_.uniform) {
    if (BitsOf(uniform.type) >= BitsOf(own.type)) continue;
    Say(fmt::format("{} in {}", own.name, uniform.type));
    MODICUM_TRY(const auto network, Quantized([&](size_t other) {
                  return other == group ? uniform.type
                                        : result_.groups[other].type;
                }));
    MODICUM_TRY(const MeanFigure divergence, DivergenceOf(*network));
    // Rounding noise below zero is no gain.
    roundings.push_back(
        {uniform.type, {std::max(0.0, divergence.mid), divergence.error}});
    if (divergence.mid > parts_.max_divergence) break;
  }
  return {};
}

Status Search::MeasureGroups() {
  roundings_.resize(result_.groups.size());
  for (size_t i = 0; i < result_.groups.size(); ++i)
    MODICUM_RETURN_IF_ERROR(MeasureGroup(i));
  return {};
}

// A group's part of a request's cost, in proportion to its weights: matrix
// products are nearly all of the work. A table that is only looked up in costs
// bytes alone.
double Search::PartOf(size_t group, const std::string& type) const {
  double multiplied = 0;
  double all = 0;
  for (const TensorGroup& other : result_.groups) {
    all += static_cast<double>(other.weights);
    if (other.multiplied) multiplied += static_cast<double>(other.weights);
  }
  const TensorGroup& own = result_.groups[group];
  const auto uniform =
      std::ranges::find(result_.uniform, type, &UniformType::type);
  const double joules =
      uniform == result_.uniform.end() ? 1 : uniform->cost.mid.value();
  const auto weights = static_cast<double>(own.weights);
  return (own.multiplied ? weights / multiplied * joules : 0) +
         kBytesWeight * weights / all * BitsOf(type) / BitsOf(own.type);
}

std::vector<BitOptions> Search::Options() const {
  std::vector<BitOptions> options(result_.groups.size());
  for (size_t group = 0; group < options.size(); ++group)
    for (const Rounding& rounding : roundings_[group])
      options[group].push_back(
          {PartOf(group, rounding.type), rounding.divergence.mid});
  return options;
}

Result<MeanFigure> Search::Try(const std::vector<size_t>& chosen) {
  ++result_.rounds;
  Say(fmt::format("choice {} as a whole", result_.rounds));
  MODICUM_TRY(const auto network, Quantized([&](size_t group) {
                return roundings_[group][chosen[group]].type;
              }));
  return DivergenceOf(*network);
}

// The groups' divergences do not quite add up, so the sum is held to what made
// the whole pass: the upper end of its 90 % interval is within the bound.
Result<std::optional<std::vector<size_t>>> Search::Settle() {
  const std::vector<BitOptions> options = Options();
  double bound = parts_.max_divergence;
  while (result_.rounds < kMostRounds) {
    const auto chosen = AllocateBits(options, bound);
    if (!chosen) break;
    MODICUM_TRY(result_.divergence, Try(*chosen));
    const double high =
        result_.divergence.mid + kZ90 * result_.divergence.error;
    if (high <= parts_.max_divergence) return chosen;
    bound *= 0.95 * parts_.max_divergence / high;
  }
  return std::optional<std::vector<size_t>>();
}

void Search::Finish(const std::vector<size_t>& chosen) {
  result_.predicted_cost = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const Rounding& rounding = roundings_[i][chosen[i]];
    result_.types.push_back(rounding.type);
    result_.divergences.push_back(rounding.divergence);
    result_.predicted_cost += PartOf(i, rounding.type);
  }
  result_.predicted_cost /= 1 + kBytesWeight;
  result_.tensor_types = TensorTypes(
      result_.groups, [&](size_t group) { return result_.types[group]; });
}

Result<MixedPrecision> Search::Run() {
  result_.groups = TensorGroups(parts_.file);
  if (result_.groups.empty())
    return Fail(ErrorCode::kInvalidInput,
                parts_.file.name + " has no matrix that can be quantized");
  for (const TensorGroup& group : result_.groups)
    if (BitsOf(group.type) < 16)
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{} of {} is {} already", group.name,
                              parts_.file.name, group.type),
                  "choose types from the file in f32, f16 or bf16 that it was "
                  "made from");
  MODICUM_RETURN_IF_ERROR(MeasureUniform());
  MODICUM_RETURN_IF_ERROR(MeasureGroups());
  MODICUM_TRY(const auto chosen, Settle());
  if (!chosen)
    return Fail(ErrorCode::kUnavailable,
                fmt::format("no choice of types stays within {} nats a token",
                            parts_.max_divergence),
                "raise --max-kl, or give --text more text: a short one leaves "
                "the divergence uncertain");
  Finish(*chosen);
  return std::move(result_);
}

}  // namespace

bool MixedPrecision::changes() const {
  for (size_t i = 0; i < groups.size(); ++i)
    if (types[i] != groups[i].type) return true;
  return false;
}

std::vector<TensorGroup> TensorGroups(const GgufFile& file) {
  const bool tied = file.FindTensor("output.weight") == nullptr;
  std::vector<TensorGroup> groups;
  for (const GgufTensor& tensor : file.tensors) {
    const std::string role = RoleOf(tensor.name);
    if (IsKept(tensor, role)) continue;
    const std::string pattern = PatternOf(tensor.name, role);
    auto group = std::ranges::find(groups, pattern, &TensorGroup::pattern);
    if (group == groups.end())
      group = groups.insert(
          groups.end(), {role, pattern, std::string(InfoOf(tensor.type).name),
                         0, role != "token_embd" || tied});
    group->weights += tensor.elements();
  }
  return groups;
}

std::vector<std::string> TypesToTry(const GgufFile& file, bool importance) {
  const bool super_blocks =
      std::ranges::all_of(file.tensors, [](const GgufTensor& tensor) {
        return IsKept(tensor, RoleOf(tensor.name)) ||
               tensor.shape[0] % kSuperBlock == 0;
      });
  if (!super_blocks) return {"q8_0", "q5_0", "q4_0"};
  std::vector<std::string> types = {"q8_0", "q6_K", "q5_K", "q4_K", "q3_K"};
  if (importance) types.emplace_back("q2_K");
  return types;
}

Result<MixedPrecision> ChooseMixedPrecision(const MixedPrecisionParts& parts) {
  return Search(parts).Run();
}

}  // namespace modicum
