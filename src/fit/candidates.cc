// SPDX-License-Identifier: Apache-2.0
#include "fit/candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"
#include "base/suggest.h"
#include "model/embed_linear.h"
#include "model/network_file.h"
#include "model/neural_classifier.h"
#include "model/pretraining_texts.h"
#include "model/prompt_model.h"
#include "model/remote/remote_params.h"
#include "shrink/registry.h"

namespace modicum {
namespace {

// One value of one parameter axis, and what it adds to the name.
struct Alternative {
  std::string suffix;
  Params params;
};
using Axis = std::vector<Alternative>;

// A family's space: every combination of its axes, the first value of each
// the humblest.
struct FamilySpace {
  std::string_view family;
  std::vector<Axis> axes;
  // Costs so much to train that it is only tried when it is asked for.
  bool when_named = false;
};

Params Text(std::string name, std::string value) {
  return {{std::move(name), std::move(value)}};
}
Params Number(std::string name, int64_t value) {
  return {{std::move(name), value}};
}
// "50 trees", "1,000 features".
Alternative Counted(std::string_view name, int64_t value) {
  return {
      fmt::format(", {} {}", FormatCount(static_cast<uint64_t>(value)), name),
      Number(std::string(name), value)};
}
Alternative Depth(int64_t value) {
  return {fmt::format(", depth {}", value), Number("depth", value)};
}
Alternative Layers(int64_t layers, int64_t width) {
  return {
      fmt::format(", {} layer{} of {}", layers, layers == 1 ? "" : "s", width),
      {{"layers", layers}, {"width", width}}};
}

// What text classifiers are usually tuned by, nothing exotic: word bigrams,
// characters inside words (they help on odd spellings), loss and inverse
// regularisation C, feature selection by chi-squared or feature hashing; the
// dimension for fastText; number, depth and selected features for trees; the
// size of an encoder.
std::vector<FamilySpace> TextSpace() {
  const Axis ngrams = {{"", Text("word_ngrams", "1")},
                       {", bigrams", Text("word_ngrams", "1-2")},
                       {", characters",
                        {{"word_ngrams", std::string("1")},
                         {"char_ngrams", std::string("3-5")}}}};
  const Axis losses = {
      {"", {{"C", 30.0}}},
      {", hinge", {{"C", 1.0}, {"solver", std::string("svc")}}}};
  const Axis features = {{"", {}},
                         Counted("features", 4000),
                         Counted("features", 1000),
                         {", hashed to 14 bits", Number("hash_bits", 14)}};
  const Axis dimensions = {{", 8 dims", Number("dim", 8)},
                           {", 16 dims", Number("dim", 16)}};
  const Axis epochs = {{"", Number("epochs", 20)}};
  const Axis selected = {Counted("features", 300), Counted("features", 1000)};
  const Axis trees = {Counted("trees", 50), Counted("trees", 200)};
  return {
      {"majority", {}},
      {"linear", {ngrams, losses, features}},
      {"fasttext", {dimensions, epochs}},
      {"forest", {trees, {Depth(8), Depth(16)}, selected}},
      {"boosted", {trees, {Depth(4), Depth(6)}, selected}},
      {kEncoderFamily,
       {{Layers(1, 64), Layers(2, 128), Layers(4, 256)}},
       /*when_named=*/true},
  };
}

std::vector<FamilySpace> TableSpace() {
  const Axis penalties = {{"", {{"C", 1.0}}}, {", C 30", {{"C", 30.0}}}};
  const Axis trees = {Counted("trees", 20), Counted("trees", 50),
                      Counted("trees", 100)};
  return {
      {"majority", {}},
      {"linear", {penalties}},
      {"forest", {trees, {Depth(8), Depth(12), Depth(16)}}},
      {"boosted", {trees, {Depth(3), Depth(6)}}},
  };
}

void AddCombinations(const FamilySpace& space, size_t axis, Candidate so_far,
                     std::vector<Candidate>& out) {
  if (axis == space.axes.size()) {
    so_far.first_of_family = out.empty() || out.back().family != so_far.family;
    out.push_back(std::move(so_far));
    return;
  }
  for (const Alternative& choice : space.axes[axis]) {
    Candidate next = so_far;
    next.name += choice.suffix;
    next.params.insert(choice.params.begin(), choice.params.end());
    AddCombinations(space, axis + 1, std::move(next), out);
  }
}

// Heads over a network's vectors; a decoder's own answers, with no examples
// shown and with some.
std::vector<FamilySpace> NetworkSpace() {
  const Axis heads = {{"", {{"C", 1.0}}}, {", C 0.03", {{"C", 0.03}}}};
  const Axis shots = {{"", Number("shots", 0)},
                      {", 4 shots a label", Number("shots", 4)}};
  return {{kEmbedLinear, {heads}}, {kPrompt, {shots}}};
}

void AddOnNetwork(const FamilySpace& space, const NetworkFile& network,
                  const Params& prompt, std::vector<Candidate>& all) {
  if (space.family == kPrompt && !network.generates) return;
  Candidate candidate;
  candidate.family = space.family;
  candidate.name = candidate.family + ", " + network.name;
  candidate.params = {{kNetworkParam, network.path},
                      {kNetworkHashParam, network.sha256}};
  if (space.family == kPrompt)
    candidate.params.insert(prompt.begin(), prompt.end());
  const size_t first = all.size();
  AddCombinations(space, 0, std::move(candidate), all);
  // Of another network nothing is known either.
  all[first].first_of_family = true;
}

// A new head on the body of each base, which stays or learns too; tried as
// soon as the task names one.
void AddOnBases(const Networks& networks, std::vector<Candidate>& all) {
  for (const NetworkFile& base : networks.bases)
    for (const bool frozen : {true, false}) {
      if (frozen != networks.frozen.value_or(frozen)) continue;
      Candidate candidate;
      candidate.family = kEncoderFamily;
      candidate.name = fmt::format("{}, {}{}", kEncoderFamily, base.name,
                                   frozen ? ", frozen" : "");
      candidate.params = {{kNetworkParam, base.path},
                          {kNetworkHashParam, base.sha256},
                          {kFrozenParam, frozen}};
      if (!frozen)
        candidate.params.insert(networks.pretraining.begin(),
                                networks.pretraining.end());
      candidate.first_of_family = frozen == networks.frozen.value_or(true);
      all.push_back(std::move(candidate));
    }
}

std::vector<Candidate> WholeSpace(std::string_view kind,
                                  const Networks& networks) {
  const bool table = kind == "tabular-classification";
  std::vector<Candidate> all;
  for (const FamilySpace& space : table ? TableSpace() : TextSpace()) {
    Candidate candidate;
    candidate.name = candidate.family = space.family;
    candidate.when_named = space.when_named;
    if (space.family == kEncoderFamily) candidate.params = networks.pretraining;
    AddCombinations(space, 0, std::move(candidate), all);
  }
  if (table) return all;
  AddOnBases(networks, all);
  for (const FamilySpace& space : NetworkSpace())
    for (const NetworkFile& network : networks.files)
      AddOnNetwork(space, network, networks.prompt, all);
  for (const Params& remote : networks.remotes) {
    Candidate candidate;
    candidate.family = kRemoteFamily;
    candidate.params = remote;
    candidate.name =
        candidate.family + ", " + Get(remote, kRemoteName, std::string());
    candidate.first_of_family = true;
    all.push_back(std::move(candidate));
  }
  return all;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CheckNames(const std::vector<std::string>& names,
                  const std::vector<Candidate>& all) {
  std::vector<std::string_view> families;
  std::vector<std::string_view> known;
  for (const Candidate& candidate : all) {
    if (std::ranges::find(families, candidate.family) == families.end())
      families.push_back(candidate.family);
    known.push_back(candidate.name);
  }
  known.insert(known.end(), families.begin(), families.end());
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (name == kRemoteFamily)
      return Fail(ErrorCode::kInvalidInput,
                  "families: 'remote' needs an endpoint to ask",
                  "add [[remote]] to the task file, and let the kind be "
                  "text-classification");
    if (RunsNetwork(name))
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("families: '{}' needs a network to run", name),
                  "add models = [\"model.gguf\"] to [task], and let the kind "
                  "be text-classification");
    return Fail(
        ErrorCode::kInvalidInput,
        "families: unknown family '" + name + "'" + DidYouMean(name, known),
        fmt::format("families are: {}", fmt::join(families, ", ")));
  }
  return {};
}

// What the task file names in a place of its own, families must not leave out.
Status CheckAllTried(const std::vector<Candidate>& all,
                     const std::vector<Candidate>& tried) {
  struct Given {
    std::string_view key, families;
    bool (*is)(const Candidate&);
  };
  constexpr Given kGiven[] = {
      {"[[remote]]", "\"remote\"",
       [](const Candidate& c) { return c.family == kRemoteFamily; }},
      {"models", "\"embed+linear\" or \"prompt\"",
       [](const Candidate& c) {
         return c.family == kEmbedLinear || c.family == kPrompt;
       }},
      {"encoder.base", "\"encoder\"",
       [](const Candidate& c) {
         return c.family == kEncoderFamily && c.params.contains(kNetworkParam);
       }},
  };
  for (const Given& given : kGiven) {
    const auto named = std::ranges::find_if(all, given.is);
    if (named == all.end() || std::ranges::any_of(tried, given.is)) continue;
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("families leaves out '{}', which {} names",
                            named->name, given.key),
                fmt::format("add {} to families, or leave {} out",
                            given.families, given.key));
  }
  return {};
}

}  // namespace

Hash HashOf(const Candidate& candidate) {
  Sha256 hash;
  hash.AddField(candidate.family);
  hash.AddField(ToString(candidate.params));
  for (const PassStep& step : candidate.passes) hash.AddField(ToString(step));
  for (const Candidate& stage : candidate.stages)
    hash.AddField(ToHex(HashOf(stage)));
  return hash.Finish();
}

Result<std::vector<Candidate>> EnumerateCandidates(
    std::string_view kind, const std::vector<std::string>& families,
    const Networks& networks) {
  const std::vector<Candidate> all = WholeSpace(kind, networks);
  MODICUM_RETURN_IF_ERROR(CheckNames(families, all));
  std::vector<Candidate> candidates;
  for (Candidate candidate : all) {
    const bool named = Contains(families, candidate.family) ||
                       Contains(families, candidate.name);
    if (!named && (!families.empty() || candidate.when_named)) continue;
    // A module that may not be installed is missed now, not after the search.
    if (candidate.when_named || candidate.family == kRemoteFamily)
      MODICUM_RETURN_IF_ERROR(FindTrainer(candidate.family));
    candidate.first_of_family = candidate.first_of_family ||
                                candidates.empty() ||
                                candidates.back().family != candidate.family;
    candidates.push_back(std::move(candidate));
  }
  MODICUM_RETURN_IF_ERROR(CheckAllTried(all, candidates));
  if (!networks.pretraining.empty() &&
      std::ranges::none_of(candidates, [](const Candidate& candidate) {
        return candidate.params.contains(kPretrainParam);
      }))
    return Fail(ErrorCode::kInvalidInput,
                "encoder.pretrain: no encoder is tried that could be "
                "pretrained",
                "name one in families: \"encoder\", or leave pretrain out");
  return candidates;
}

Candidate WithPass(const Candidate& candidate, const PassStep& step) {
  Candidate next = candidate;
  next.name += "; " + ToString(step);
  next.first_of_family = false;
  next.passes.push_back(step);
  return next;
}

const Params* RunSettingsOf(const Candidate& candidate) {
  if (candidate.passes.empty() || candidate.passes.back().pass != kRunStep)
    return nullptr;
  return &candidate.passes.back().params;
}

std::vector<std::vector<Candidate>> PassesOver(const Candidate& candidate,
                                               const Dataset& data,
                                               std::span<const uint32_t> rows,
                                               int threads) {
  std::vector<std::vector<Candidate>> lists;
  // A cascade is made of models that went through theirs; a constant has
  // nothing to lose, and what is elsewhere is not ours to change.
  if (!candidate.stages.empty() || candidate.family == "majority" ||
      candidate.family == kRemoteFamily || RunSettingsOf(candidate) != nullptr)
    return lists;
  const PassInput input{data, rows, candidate.family, candidate.params, {}, {}};
  // A chain is entered in the registry's order: over data first, and what
  // another pass could not read any more last.
  const std::span<Pass* const> passes = Passes();
  size_t next = 0;
  for (size_t i = 0; i < passes.size(); ++i)
    for (const PassStep& step : candidate.passes)
      if (passes[i]->name() == step.pass) next = i + 1;
  for (Pass* pass : passes.subspan(next)) {
    // What nothing is trained for has no use for less data.
    if (pass->on_data() && candidate.family == kPrompt) continue;
    if (!pass->Accepts(input)) continue;
    std::vector<Candidate> list;
    for (const Params& params : pass->Space(input))
      list.push_back(WithPass(candidate, {std::string(pass->name()), params}));
    if (!list.empty()) lists.push_back(std::move(list));
  }
  // A network batches by itself and takes every CPU.
  if (RunsNetwork(candidate.family)) return lists;
  lists.push_back({WithPass(candidate, {kRunStep, Number("batch", 64)})});
  if (threads > 1)
    lists.back().push_back(WithPass(
        candidate,
        {kRunStep, {{"batch", int64_t{64}}, {"threads", int64_t{threads}}}}));
  return lists;
}

}  // namespace modicum
